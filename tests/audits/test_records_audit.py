"""The audit of converted records: copies of real ones in which something is changed."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from deepfake_tfdata.audits.finding import FAIL, WARN
from deepfake_tfdata.audits.records import audit_records, read_records
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.records.index import read_index, write_index
from deepfake_tfdata.records.ledger import read_ledger, write_ledger
from deepfake_tfdata.records.metadata import read_conversion, write_conversion


@pytest.fixture
def folder(records, tmp_path) -> Path:
    """A copy, whose videos are said to differ: some of the fixture's are the same file."""
    copy = Path(shutil.copytree(records, tmp_path / "records"))
    change_ledger(copy, lambda entry: replace(entry, content=entry.video))
    return copy


def audit(folder, groups=None):
    notes = []
    return audit_records(read_records(folder), groups or {}, True, notes.append), notes


def found(findings, check, severity=FAIL):
    (finding,) = [finding for finding in findings if finding.check == check]
    assert finding.severity == severity
    return finding


def change_index(folder, change, regions=("full", "eyes", "mouth")):
    for region in regions:
        write_index(folder / region, [clip for clip in map(change, read_index(folder / region)) if clip])


def change_ledger(folder, change):
    write_ledger(folder, [change(entry) for entry in read_ledger(folder).values()])


def test_records_of_convert_leak_nothing(folder):
    findings, notes = audit(folder)
    leaks = {"shortcut_in_crops", "shortcut_in_files"}
    assert not [f.check for f in findings if f.severity != "info" and f.check not in leaks]
    assert notes == [""] * 28
    # The fixture's fakes are darker, and nothing else tells them apart: the table shows what was tested.
    tests = found(findings, "shortcut_in_crops_tested", "info").evidence["tests"]["Face2Face"]
    assert {"face pixels", "jitter"} <= {test["name"] for test in tests}


def test_identities_and_source_videos_of_the_index(folder):
    groups = {"000": "youtube a", "020": "youtube a"}
    finding = found(audit(folder, groups)[0], "source_video_in_two_splits")
    assert "000 in train, 020 in test" in finding.what

    def to_train(clip):
        return replace(clip, target_id="000") if clip.clip_id == "original/020" else clip

    change_index(folder, to_train)
    finding = found(audit(folder)[0], "identity_in_two_splits")
    assert "original/020 in test" in finding.evidence["identities"]["000"]


def test_one_content_in_two_splits(folder):
    """A shared track's content names the original, too: what counts is the video's own."""
    contents = {"original/000": "abc", "original/020": "abc-mask", "Face2Face/000_001": "d-abc"}
    change_ledger(folder, lambda entry: replace(entry, content=contents.get(entry.video, entry.content)))
    finding = found(audit(folder)[0], "same_file_in_two_splits")
    assert finding.evidence["copies"] == [["original/000 (real, train)", "original/020 (real, test)"]]


def test_regions_with_different_clips(folder):
    change_index(folder, lambda clip: None if clip.clip_id == "Face2Face/000_001" else clip, ["eyes"])
    finding = found(audit(folder)[0], "regions_differ")
    assert finding.evidence == {"region": "eyes", "clips": ["Face2Face/000_001 (train)"]}


def test_records_of_another_spec(folder):
    write_conversion(folder, replace(read_conversion(folder), spec_hash="0" * 12))
    finding = found(audit(folder)[0], "spec_mismatch")
    assert finding.evidence["expected"] == "0" * 12
    assert "full/train-00000" in finding.evidence["shards"]


def test_damaged_records(folder):
    (shard,) = (folder / "eyes").glob("*-val.tfrecord-*")
    shard.write_bytes(b"\0" * shard.stat().st_size)
    (shard,) = (folder / "mouth").glob("*-val.tfrecord-*")
    shard.write_bytes(b"\0" * shard.stat().st_size)
    findings, notes = audit(folder)
    assert any(note.endswith("is damaged") for note in notes)
    assert "eyes: " in found(findings, "damaged_records", WARN).what


def test_videos_without_faces_and_of_one_frame_rate_by_class(folder):
    def faceless(entry):
        if not entry.video.startswith("Face2Face/00"):
            return replace(entry, faces=replace(entry.faces, face_size=100.0))
        return replace(entry, status="no_face", reason="no face", clips=0)

    change_ledger(folder, faceless)
    finding = found(audit(folder)[0], "no_face", WARN)
    assert finding.evidence["share"]["real"] == 0 and "Face2Face/000_001" in finding.evidence["videos"]


def test_a_shortcut_in_the_ledger(folder):
    def larger(entry):
        size = entry.faces.face_size * (2 if entry.video.startswith("Face2Face") else 1)
        return replace(entry, faces=replace(entry.faces, face_size=size))

    change_ledger(folder, larger)
    fails = [finding for finding in audit(folder)[0] if finding.check == "shortcut_in_crops"]
    assert "face pixels" in {finding.evidence["nuisance"] for finding in fails}


def test_records_that_are_not_there_or_not_finished(folder, tmp_path):
    with pytest.raises(UserError, match=r"no records in .*; make them with"):
        read_records(tmp_path / "nowhere")
    write_conversion(folder, replace(read_conversion(folder), complete=False))
    with pytest.raises(UserError, match="is not finished; run the same convert command again"):
        read_records(folder)


def test_evidence_is_ready_for_json(folder):
    change_index(folder, lambda clip: replace(clip, split="val") if clip.clip_id == "original/020" else clip)
    for finding in audit(folder)[0]:
        json.dumps(finding.to_dict())
