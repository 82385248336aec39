"""Whatever is planted in a clean data set of real files is found, and named; in the clean one nothing is."""

import json
import shutil

import cv2
import numpy as np
import pytest

from deepfake_tfdata.audits.finding import FAIL, INFO, WARN, verdict
from deepfake_tfdata.video.decode import decode_frames
from tests.audits.heads import FAKES, REALS, lists, write_lists
from tests.fakes import write_video


def frames_of(path):
    return [frame.rgb() for frame in decode_frames(str(path), np.arange)]


def again(path, change=lambda frame: frame, **options):
    """Encodes a video's frames again, changed."""
    frames = [np.ascontiguousarray(change(frame)) for frame in frames_of(path)]
    path.unlink()
    write_video(path, frames, **options)


def of_check(findings, check, severity=FAIL):
    found = [finding for finding in findings if finding.check == check]
    assert found, [finding.check for finding in findings]
    assert {finding.severity for finding in found} == {severity}
    assert verdict(findings) == {FAIL: "leak", WARN: "warnings"}.get(severity, verdict(findings))
    return found


def test_a_clean_tree_raises_nothing(audited, clean_tree):
    findings = audited(clean_tree)
    assert verdict(findings) == "clean", [finding.what for finding in findings]
    assert {finding.severity for finding in findings} == {INFO}
    assert all(finding.evidence for finding in findings if finding.check.endswith("_tested"))


def test_a_test_identity_in_train(audited, tree):
    pairs = lists(tree)
    (a, b), *_ = pairs["test"]
    pairs["train"].append([a, pairs["train"][0][0]])
    write_lists(tree, pairs)
    findings = audited(tree)
    (finding,) = of_check(findings, "test_in_train")
    assert finding.evidence["videos"] == [f"original/{a}"]
    (finding,) = of_check(findings, "identity_in_two_splits")
    assert f"Face2Face/{a}_{b} in test" in finding.what and f"original/{a} in train and test" in finding.what


def test_a_pair_in_two_splits(audited, tree):
    pairs = lists(tree)
    (a, b), *rest = pairs["train"]
    write_lists(tree, {**pairs, "train": [*rest, [a]], "val": [*pairs["val"], [b]]})
    (finding,) = of_check(audited(tree), "fake_across_splits")
    assert set(finding.evidence["videos"]) == {f"Face2Face/{a}_{b}", f"Face2Face/{b}_{a}"}
    assert f"Face2Face/{a}_{b} ({a} in train, {b} in val)" in finding.what


def test_val_that_is_test(audited, tree):
    pairs = lists(tree)
    write_lists(tree, {**pairs, "val": pairs["test"]})
    (finding,) = of_check(audited(tree), "val_is_test")
    assert finding.evidence["share_of_the_smaller"] == 1
    assert f"original/{pairs['test'][0][0]}" in finding.evidence["videos"]


def test_a_source_video_in_two_splits(audited, tree):
    pairs = lists(tree)
    a, b = pairs["train"][0][0], pairs["val"][0][0]
    every = [name for members in pairs.values() for pair in members for name in pair]
    sources = {name: f"video-{name} 0" for name in every} | {a: "same one 0", b: "same one 1"}
    (tree / "conversion_dict.json").write_text(json.dumps(sources))
    (finding,) = of_check(audited(tree), "source_video_in_two_splits")
    assert f"{a} in train" in finding.what and f"{b} in val" in finding.what
    assert f"original/{a} in train" in finding.evidence["videos"]["youtube same one"]
    strict = audited(tree, strict_split=True)
    assert verdict(strict) == "clean" and any(finding.check == "left_out" for finding in strict)


def test_a_copied_file_and_a_copied_recording(audited, tree):
    pairs = lists(tree)
    (a, b), (c, d) = pairs["train"][0], pairs["test"][0]
    shutil.copy(tree / REALS / f"{a}.mp4", tree / REALS / f"{c}.mp4")
    recording = tree / REALS / f"{d}.mp4"
    shutil.copy(tree / REALS / f"{b}.mp4", recording)
    again(recording, lambda frame: cv2.resize(frame, (128, 128), interpolation=cv2.INTER_AREA), crf="32")
    findings = audited(tree)
    (finding,) = of_check(findings, "same_file_in_two_splits")
    assert {name.split(" ")[0] for name in finding.evidence["copies"][0]} == {
        f"original/{a}",
        f"original/{c}",
    }
    (finding,) = of_check(findings, "near_duplicates_across_splits")
    pairs = [{name.split(" ")[0] for name in pair["videos"]} for pair in finding.evidence["pairs"]]
    assert {f"original/{b}", f"original/{d}"} in pairs


def test_an_original_that_is_a_fake_too(audited, tree):
    (a, b), *_ = lists(tree)["train"]
    shutil.copy(tree / REALS / f"{a}.mp4", tree / FAKES / f"{a}_{b}.mp4")
    (finding,) = of_check(audited(tree), "same_file_with_two_labels")
    assert f"original/{a} (real, train)" in finding.what


def larger(frame):
    return cv2.resize(frame[30:-30, 30:-30], (160, 160))


@pytest.mark.parametrize(
    ("nuisance", "change", "options"),
    [
        ("face pixels", larger, {}),
        ("sharpness of the scene", lambda frame: cv2.GaussianBlur(frame, (0, 0), 2), {}),
        ("bits a pixel", lambda frame: frame, {"crf": "35"}),
        ("frame spacing", lambda frame: frame, {"rate": 15}),
    ],
)
def test_a_shortcut_that_crops_show(audited, tree, nuisance, change, options):
    for path in sorted((tree / FAKES).iterdir()):
        again(path, change, **{"crf": "12", **options})
    found = {
        finding.evidence["nuisance"]: finding for finding in of_check(audited(tree), "shortcut_in_crops")
    }
    assert nuisance in found
    assert "typical: original/" in found[nuisance].what and "Face2Face/" in found[nuisance].what
    assert found[nuisance].mend


def test_an_encoder_that_only_the_fakes_went_through(audited, tree):
    """The same pictures at about the same rate: files show it, crops hardly."""
    for folder, options in ((REALS, {"x264-params": "me=umh"}), (FAKES, {})):
        for path in (tree / folder).iterdir():
            again(path, crf="23", **options)
    (finding,) = of_check(audited(tree), "shortcut_in_files", WARN)
    assert finding.evidence["nuisance"] == "encoder settings"


def test_a_file_of_another_compression(audited, tree):
    paths = sorted((tree / FAKES).iterdir())
    again(paths[0], crf="40")
    again(paths[1], crf="23")
    (finding,) = of_check(audited(tree), "mixed_compression", WARN)
    assert finding.evidence["videos"] == {f"Face2Face/{paths[0].stem}": 40.0}
    assert "the folder says c23" in finding.what


def test_missing_originals_and_damaged_files(audited, tree):
    (a, _), (b, _), *_ = lists(tree)["train"]
    (tree / REALS / f"{a}.mp4").unlink()
    (tree / REALS / f"{b}.mp4").write_bytes(b"no video")
    findings = audited(tree)
    (finding,) = of_check(findings, "missing_originals", WARN)
    assert [key.partition("_")[0] for key in finding.evidence["videos"]] == [f"Face2Face/{a}"]
    (finding,) = of_check(findings, "unusable", WARN)
    assert list(finding.evidence["videos"]) == [f"original/{b}"]


def test_a_mask_shorter_than_its_video(audited, tree):
    (path, *_) = sorted((tree / FAKES).iterdir())
    mask = tree / "manipulated_sequences/Face2Face/masks/videos" / path.name
    write_video(mask, frames_of(path)[:5])
    (finding,) = of_check(audited(tree), "short_masks", WARN)
    assert finding.evidence["videos"] == {f"Face2Face/{path.stem}": [8, 5]}
