"""Detectors of several regions: one backbone and LSTM each, one head over regions and frames."""

import keras
import numpy as np
import pytest

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.model.assembly import backbones_of
from deepfake_tfdata.model.backbones import build_backbone
from deepfake_tfdata.model.detector import build_detector, count_parameters, with_attention
from deepfake_tfdata.model.flops import count_flops
from deepfake_tfdata.model.heads import HEADS

REGIONS = ("mouth", "full", "eyes")
BATCH, NUM_FRAMES, FRAME_SIZE = 2, 3, 32


def detector_of(regions=REGIONS, head="attention", weights="none", **kwargs):
    return build_detector(
        "meso4", head, NUM_FRAMES, FRAME_SIZE, weights, lstm_units=4, regions=regions, **kwargs
    )


@pytest.fixture
def frames(rng):
    shape = (BATCH, NUM_FRAMES, FRAME_SIZE, FRAME_SIZE, 3)
    return {region: keras.ops.convert_to_tensor(rng.integers(0, 256, shape, np.uint8)) for region in REGIONS}


def numpy_of(tensor):
    return keras.ops.convert_to_numpy(tensor)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("head", "policy"), [*((head, "float32") for head in HEADS), ("attention", "mixed_float16")]
)
def test_the_head_sees_the_frames_of_all_regions(head, policy, frames):
    keras.config.set_dtype_policy(policy)
    keras.utils.set_random_seed(0)  # of several regions' maxima, all may come from two, by chance
    detector = detector_of(head=head)
    logit = detector(frames)
    assert logit.shape == (BATCH,)
    assert keras.backend.standardize_dtype(logit.dtype) == "float32"
    if head == "attention":
        same, weights = with_attention(detector)(frames)
        assert weights.shape == (BATCH, len(REGIONS), NUM_FRAMES)
        assert keras.backend.standardize_dtype(weights.dtype) == "float32"
        np.testing.assert_allclose(numpy_of(weights).sum(axis=(1, 2)), 1.0, atol=1e-6)
        np.testing.assert_allclose(numpy_of(same), numpy_of(logit), atol=1e-6)
    for region in REGIONS:
        changed = {**frames, region: 255 - frames[region]}
        assert abs(numpy_of(detector(changed)) - numpy_of(logit)).max() > 0


def test_weights_are_in_the_order_of_the_regions(frames, rng):
    weighed = with_attention(detector_of(share_backbone=True))
    weighed.get_layer("attention_score").set_weights([rng.normal(size=(8, 1)) * 10, np.zeros(1)])
    before = numpy_of(weighed(frames)[1])
    for index, region in enumerate(REGIONS):
        after = numpy_of(weighed({**frames, region: 255 - frames[region]})[1])
        ratio = after / before
        # What doesn't change in the other regions is how their own frames compare.
        for other in {0, 1, 2} - {index}:
            np.testing.assert_allclose(ratio[:, other], ratio[:, other, :1].repeat(3, axis=1), rtol=1e-3)
        assert abs(ratio[:, index] / ratio[:, index, :1] - 1).max() > 1e-2


def test_one_region_is_the_detector_of_before(frames):
    detector = detector_of(("mouth",))
    assert [tensor.name for tensor in detector.inputs] == ["frames"]
    assert {"backbone", "temporal"} < {layer.name for layer in detector.layers}
    assert with_attention(detector)(frames["mouth"])[1].shape == (BATCH, NUM_FRAMES)
    assert count_parameters(detector) == count_parameters(detector_of(("full",)))


def test_a_shared_backbone_has_fewer_parameters_and_as_many_operations():
    own, shared, single = detector_of(), detector_of(share_backbone=True), detector_of(("full",))
    counts = [count_parameters(detector) for detector in (own, shared, single)]
    assert counts[0]["backbone"] == 3 * counts[1]["backbone"] == 3 * counts[2]["backbone"]
    assert counts[0]["temporal"] == counts[1]["temporal"] == 3 * counts[2]["temporal"]
    assert counts[0]["head"] == counts[1]["head"] == counts[2]["head"]
    assert [len(backbones_of(detector)) for detector in (own, shared, single)] == [3, 1, 1]
    assert count_flops(own) == count_flops(shared)


@pytest.mark.slow
@pytest.mark.parametrize("share_backbone", [True, False])
def test_saved_and_loaded_it_takes_any_dict_with_its_regions(share_backbone, frames, tmp_path):
    detector = detector_of(share_backbone=share_backbone)
    detector.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    batch = {"clip_id": keras.ops.zeros(BATCH), **dict(reversed(frames.items()))}
    for saved, found in zip(with_attention(detector)(frames), with_attention(loaded)(batch), strict=True):
        np.testing.assert_allclose(numpy_of(saved), numpy_of(found), atol=1e-6)
    assert count_parameters(loaded) == count_parameters(detector)
    again = detector_of(weights=tmp_path / "model.keras", share_backbone=share_backbone)
    np.testing.assert_allclose(numpy_of(again(frames)), numpy_of(detector(frames)), atol=1e-6)


def test_a_backbone_file_fills_every_backbone(tmp_path):
    saved = build_backbone("meso4", FRAME_SIZE, "none")
    saved.save_weights(tmp_path / "backbone.weights.h5")
    for backbone in backbones_of(detector_of(weights=tmp_path / "backbone.weights.h5")):
        for found, expected in zip(backbone.get_weights(), saved.get_weights(), strict=True):
            np.testing.assert_array_equal(found, expected)


def test_a_file_of_one_region_is_refused(tmp_path):
    detector_of(("full",)).save_weights(tmp_path / "full.weights.h5")
    with pytest.raises(UserError, match=r"absent in the file.* --region "):
        detector_of(weights=tmp_path / "full.weights.h5")


@pytest.mark.parametrize("regions", ["full,eyes", (), ("full", "full"), ("full", "")])
def test_regions_that_are_no_list_of_names_are_refused(regions):
    with pytest.raises(UserError, match="each region once"):
        detector_of(regions)
