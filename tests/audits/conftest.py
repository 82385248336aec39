"""A small clean data set of drawn heads, and what an audit finds in a changed copy of it."""

import shutil
from pathlib import Path

import pytest

from deepfake_tfdata.audits.source import TreeSurvey, judge_tree, read_tree
from deepfake_tfdata.clips.video_selection import SelectionOptions
from deepfake_tfdata.records.source_content import content_of
from deepfake_tfdata.video.errors import VideoError
from deepfake_tfdata.video.survey import survey_video
from tools.synthetic.generate import generate
from tools.synthetic.plan import Options

FRAMES = 4


@pytest.fixture(scope="session")
def clean_tree(made_once) -> Path:
    """14 people in 7 pairs, an original and a fake of each; fakes differ from originals by nothing."""
    options = Options("null", 14, 8, (160, 160), 0, ())
    return made_once("heads", lambda folder: generate(folder, options, workers=1))


@pytest.fixture
def tree(clean_tree, tmp_path) -> Path:
    """A copy to plant something in."""
    return Path(shutil.copytree(clean_tree, tmp_path / "tree"))


@pytest.fixture(scope="session")
def audited():
    """What the audit finds in a tree; a file of one content is looked into once a session."""
    surveys = {}

    def look(video):
        content = (content_of(Path(video.path)), video.label, bool(video.mask_path))
        if content not in surveys:
            surveys[content] = survey_video(video, FRAMES)
        return surveys[content]

    def audit(folder: Path, **options):
        tree = read_tree(folder, SelectionOptions(**options))
        found, problems = {}, {}
        for video in tree.videos:
            try:
                found[video.key] = look(video)
            except VideoError as error:
                problems[video.key] = error.reason
        contents = {video.key: content_of(Path(video.path)) for video in tree.videos}
        return judge_tree(tree, TreeSurvey(contents, found, problems))

    return audit
