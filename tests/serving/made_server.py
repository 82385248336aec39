"""A real server whose detector and decoder are made by hand: python -m tests.serving.made_server --port=0."""

import os
import time
from pathlib import Path

from deepfake_tfdata import cli
from deepfake_tfdata.clips.inspected import InspectedVideo, InspectionPlan
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.serving.options import ServingOptions
from deepfake_tfdata.verdicts.ensemble import Ensemble
from deepfake_tfdata.verdicts.exhibit import Exhibit
from deepfake_tfdata.verdicts.judge import Judge
from deepfake_tfdata.verdicts.options import VerdictOptions
from deepfake_tfdata.verdicts.verdict import Verdict
from deepfake_tfdata.video.container import open_stream
from tests.verdicts import made

# What an upload begins with decides what it does to its decoder.
CRASHES, HANGS, TAKES_A_WHILE = b"crashes", b"hangs", b"takes a while"


def inspect(plan: InspectionPlan, video: Video) -> InspectedVideo:
    """A face in whatever is a video; the real container says whether it is one."""
    content = Path(video.path).read_bytes()
    if content.startswith(CRASHES):
        os._exit(139)
    if content.startswith(HANGS):
        with Path(video.path).open("rb"):
            time.sleep(600)
    if content.startswith(TAKES_A_WHILE):
        time.sleep(0.3)
    else:
        with open_stream(video.path):
            pass
    return made.inspected(made.face([150]))


def render(verdict: Verdict, exhibit: Exhibit) -> str:
    """The real page; who asks for none has nothing that draws imported."""
    from deepfake_tfdata.reports.verdict_page import verdict_page

    return verdict_page(verdict, exhibit)


def main(options: ServingOptions) -> None:
    from deepfake_tfdata.serving.server import listen, serve, url_of

    with listen(options) as listening:
        ensemble = Ensemble((made.BrightnessDetector(made.calibration()),))
        judge = Judge(ensemble, VerdictOptions(), inspect, {}, "python -m tests.serving.made_server")
        serve(listening, judge, render, options, lambda: cli.say(url_of(listening)))
    cli.say("stopped")


if __name__ == "__main__":
    cli.run(main, ServingOptions, __doc__)
