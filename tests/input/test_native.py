"""Native records: the pixels of the video, padded together, resized as the converter would have."""

import json

import numpy as np
import pytest
import tensorflow as tf

from deepfake_tfdata import build_detector, load_clips
from deepfake_tfdata.input.dataset import detector_inputs
from deepfake_tfdata.input.padding import padded_sides
from deepfake_tfdata.input.views import whole_view
from deepfake_tfdata.model.resize import VIEW, ResizeView
from deepfake_tfdata.video.crop import letterbox, resize
from tests.fakes import FRAME_SIZE, NUM_FRAMES, write_ffpp_tree


def read(folder, region="mouth", **options):
    """All test clips by id: frames without their padding, and the view."""
    clips = {}
    for features, _ in load_clips(folder, region, "test", 3, **options):
        for row, clip_id in enumerate(features["clip_id"].numpy()):
            height, width = int(features["height"][row]), int(features["width"][row])
            frames = features["frames"][row].numpy()
            assert not frames[:, height:].any()
            assert not frames[:, :, width:].any()
            clips[clip_id] = frames[:, :height, :width], features["view"][row].numpy()
    return clips


@pytest.fixture(scope="module")
def convert(command, tmp_path_factory):
    """Converts one pair of test videos, which are in `records`, too."""
    pairs = {"train": [], "val": [], "test": [("020", "021")]}
    tree = write_ffpp_tree(tmp_path_factory.mktemp("tree"), pairs)

    def run(*flags):
        output = tmp_path_factory.mktemp("records")
        sizes = [f"--num_frames={NUM_FRAMES}", f"--frame_size={FRAME_SIZE}"]
        result = command("convert", f"--source={tree}", f"--output={output}", *sizes, *flags)
        assert result.returncode == 0, result.stderr
        return output

    return run


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["png", "webp"])
def test_every_encoding_holds_the_same_pixels(encoding, records, convert):
    expected, found = read(records), read(convert("--regions=mouth", f"--encoding={encoding}"))
    assert len(found) == 4
    for clip_id, (frames, view) in found.items():
        np.testing.assert_array_equal(frames, expected[clip_id][0])
        np.testing.assert_array_equal(view, expected[clip_id][1])


@pytest.mark.slow
@pytest.mark.parametrize("fit", ["stretch", "letterbox"])
def test_the_view_gives_what_the_converter_would_have_stored(fit, convert):
    native = read(convert("--regions=mouth", f"--fit={fit}"))
    resized = convert("--regions=mouth", f"--fit={fit}", "--geometry=resized", "--encoding=png")
    for features, _ in load_clips(resized, "mouth", "test", 1):
        frames, view = native[features["clip_id"].numpy()[0]]
        ours = np.asarray(ResizeView(FRAME_SIZE)(frames[None], view[None]))[0].astype(int)
        difference = np.abs(ours - features["frames"][0].numpy())
        # Pillow rounds, and cuts overshoots, between the two directions.
        assert difference.mean() < 0.5
        assert np.percentile(difference, 99) <= 2


@pytest.mark.parametrize(
    ("height", "width"), [(35, 100), (100, 35), (64, 64), (7, 200), (2, 300), (333, 117)]
)
def test_letterbox_and_stretch_are_the_converters(height, width):
    image = np.random.default_rng(0).integers(60, 190, (height, width, 3), np.uint8)
    for fit, expected in (("stretch", resize(image, 48)), ("letterbox", letterbox(image, 48))):
        view = whole_view(tf.constant(height), tf.constant(width), fit, 48)
        assert view.shape == (len(VIEW),)
        ours = np.asarray(ResizeView(48)(image[None, None], view[None]))[0, 0].astype(int)
        assert np.abs(ours - expected).max() <= 2
        assert ((ours == 128) == (expected == 128)).mean() > 0.9


@pytest.mark.slow
def test_sides_can_be_capped(records, convert):
    full_size = read(records)
    for clip_id, (capped, capped_view) in read(convert("--regions=mouth", "--max_side=40")).items():
        frames, view = full_size[clip_id]
        height, width = frames.shape[1:3]
        assert capped.shape == (NUM_FRAMES, round(height * 40 / width), 40, 3)
        small = np.asarray(ResizeView(32)(capped[None], capped_view[None]))
        whole = np.asarray(ResizeView(32)(frames[None], view[None]))
        assert np.abs(small.astype(int) - whole).mean() < 3


def test_padded_shapes_are_few_and_close():
    sides = np.arange(1, 2049)
    padded = padded_sides(tf.constant(sides)).numpy()
    assert (padded >= sides).all()
    assert (padded[15:] <= sides[15:] * 1.25).all()
    assert len(set(padded)) < 40


def test_one_shape_serves_compilers(records):
    dataset = load_clips(records, "mouth", "train", 4, shapes="one", drop_remainder=True)
    shape = dataset.element_spec[0]["frames"].shape
    assert shape.is_fully_defined()
    assert {features["frames"].shape for features, _ in dataset} == {tuple(shape)}


@pytest.mark.slow
def test_a_detector_gives_the_same_logits_whatever_the_batch_is_padded_to(records):
    detector = build_detector("meso4", "attention", NUM_FRAMES, 32, "none", lstm_units=4, native=True)
    logits = []
    for options in ({}, {"shapes": "few"}):
        dataset = load_clips(records, "full", "test", 1, frame_size=32, **options)
        logits.append([float(detector(detector_inputs(features))[0]) for features, _ in dataset])
    np.testing.assert_allclose(*logits, atol=1e-5)


def test_the_index_says_what_is_in_the_records(records):
    lines = [json.loads(line) for line in (records / "mouth" / "clips.jsonl").read_text().splitlines()]
    assert len(lines) == 28
    assert {line["split"] for line in lines} == {"train", "val", "test"}
    test = {line["clip_id"]: line for line in lines if line["split"] == "test"}
    for clip_id, (frames, _) in read(records).items():
        line = test[clip_id.decode()]
        assert (line["height"], line["width"]) == frames.shape[1:3]
        assert line["label"] == int(line["manipulation"] != "original")
