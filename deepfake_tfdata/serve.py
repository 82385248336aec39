"""Serves verdicts on videos: a page to drop one on, and POST /predict; to this machine unless told more.

python -m deepfake_tfdata.serve --workdir=exports/mouth_attention --port=8000

Ends on Ctrl-C and SIGTERM. Uploads and verdicts are in no file, and forgotten after minutes.
"""

from dataclasses import dataclass
from importlib.util import find_spec

from deepfake_tfdata import cli
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.options import Options, group, option
from deepfake_tfdata.predict import Inspection, face_detector_file
from deepfake_tfdata.serving.options import ServingOptions
from deepfake_tfdata.verdicts.options import VerdictOptions
from deepfake_tfdata.video.options import DetectorOptions
from deepfake_tfdata.video.versions import versions


@dataclass(frozen=True)
class ServeConfig(Options):
    """Who judges."""

    workdir: tuple[str, ...] = option(
        meaning="of a run, or an export of one; several judge together", is_path=True
    )
    serving: ServingOptions = group(ServingOptions)
    verdict: VerdictOptions = group(VerdictOptions)
    detector_files: DetectorOptions = group(DetectorOptions, without=("boxes",))


def main(config: ServeConfig) -> None:
    """Serves until it is told to stop."""
    if any(find_spec(name) is None for name in ("fastapi", "uvicorn", "python_multipart")):
        raise UserError("serving needs FastAPI and uvicorn; install 'deepfake-tfdata[serve]'")
    # Only now: a mistake above need not wait for them, and worker processes import this module again.
    from deepfake_tfdata.reports.verdict_page import verdict_page
    from deepfake_tfdata.serving.server import listen, serve, url_of
    from deepfake_tfdata.verdicts.ensemble import open_ensemble
    from deepfake_tfdata.verdicts.judge import Judge

    with listen(config.serving) as listening:
        ensemble = open_ensemble(config.workdir)
        judge = Judge(
            ensemble,
            config.verdict,
            Inspection(face_detector_file(ensemble.spec, config.detector_files)),
            versions(),
            command=cli.command_line("serve", config),
        )
        if not config.serving.own_names:
            cli.say("anybody who reaches this address may upload: there is no login and no encryption")
        serve(
            listening,
            judge,
            verdict_page,
            config.serving,
            lambda: cli.say(f"drop a video on {url_of(listening)} (Ctrl-C ends)"),
        )
    cli.say("stopped")


def run(argv: list[str] | None = None) -> None:
    """Entry point of `python -m` and of the console script."""
    cli.run(main, ServeConfig, __doc__, argv)


if __name__ == "__main__":
    run()
