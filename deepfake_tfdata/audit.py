"""Says whether a data set can be trusted, before anyone trains: leaks between splits, shortcuts to the label.

python -m deepfake_tfdata.audit --source=data/ffpp --output=data/audit
python -m deepfake_tfdata.audit --data=data/records

It exits with status 1 where it finds a leak.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deepfake_tfdata import cli
from deepfake_tfdata.clips.video_selection import SelectionOptions
from deepfake_tfdata.cores import available_cores
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.options import Options, flat, group, option
from deepfake_tfdata.progress import Progress
from deepfake_tfdata.records.metadata import find_conversion
from deepfake_tfdata.startup import import_tensorflow
from deepfake_tfdata.storage import as_path, remote_errors

if TYPE_CHECKING:
    from deepfake_tfdata.audits.finding import Finding

_LEAK_STATUS = 1


@dataclass(frozen=True)
class AuditConfig(Options):
    """What is audited, how closely, and where the result goes."""

    source: str = option(
        "", "folder with the videos, or a CSV file that lists them, as for convert", is_path=True
    )
    data: str = option("", "folder of records that convert made", is_path=True)
    output: str = option(
        "",
        "folder for audit.json and audit.html; that of --data if not given, and with --source alone none",
        is_path=True,
    )
    frames: int = option(
        8,
        "to look at in each video, spread over it; 0 reads neither frames nor whole records",
        low=0,
        high=256,
    )
    workers: int = option(available_cores(), "processes that look into videos", low=1)
    background: bool = option(
        False,
        "also train a small detector on what is around the faces of --data, whose region wide it needs, and "
        "test it on other people; kept in OUTPUT/background",
    )
    selection: SelectionOptions = group(SelectionOptions)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.source and not self.data:
            raise UserError(
                "nothing to audit; name videos with --source=DIR, records with --data=DIR, or both"
            )
        if self.background and not self.data:
            raise UserError("--background is trained on records; name them with --data=DIR")
        if self.source:
            return
        defaults = flat(SelectionOptions())
        for name, value in flat(self.selection).items():
            if value != defaults[name] and name != "conversion_dict":
                raise UserError(f"--{name} is about videos, and there is no --source; leave it out")


def main(config: AuditConfig) -> int:
    """Audits, and says what was found; returns the exit status."""
    from deepfake_tfdata.audits.finding import LEAK, in_order, verdict
    from deepfake_tfdata.audits.texts import lines, summary
    from deepfake_tfdata.records.output import require_writable

    output = config.output or config.data
    with _explained_write_errors(output):
        require_writable(as_path(output or "."))
    findings = in_order(_findings(config))
    for line in lines(findings):
        cli.say(line)
    if output:
        from deepfake_tfdata.reports.audit_page import write_audit

        with _explained_write_errors(output):
            cli.say(f"report: {write_audit(as_path(output), findings, config.source, config.data)}")
    cli.say(summary(findings))
    return _LEAK_STATUS if verdict(findings) == LEAK else 0


def _findings(config: AuditConfig) -> "list[Finding]":
    """Of the videos, then of the records; mistakes in either are answered before the long work."""
    from deepfake_tfdata.audits.background import REGION
    from deepfake_tfdata.audits.finding import said_of
    from deepfake_tfdata.audits.records import audit_records, read_records
    from deepfake_tfdata.audits.source import judge_tree, read_groups, read_tree, survey_tree

    if config.background:
        find_conversion(config.data, [REGION])
    tree = read_tree(as_path(config.source), config.selection) if config.source else None
    records = read_records(as_path(config.data)) if config.data else None
    groups = tree.groups if tree else read_groups(config.selection.conversion_dict)
    found: list[Finding] = []
    if tree:
        with Progress("audit", len(tree.videos), "videos") as progress:
            survey = survey_tree(tree, config.frames, config.workers, progress.advance)
        of_videos = judge_tree(tree, survey)
        found += said_of("videos", of_videos) if records else of_videos
    if records and config.background:
        found.append(_background(config))
    elif records:
        # Nothing here needs a GPU, and TensorFlow would take all its memory from whoever trains beside it.
        import_tensorflow().config.set_visible_devices([], "GPU")
    if records:
        with Progress("audit", records.num_clips, "clips") as progress:
            of_records = audit_records(records, groups, config.frames > 0, progress.advance)
        found += said_of("records", of_records) if tree else of_records
    return found


def _background(config: AuditConfig) -> "Finding":
    """Trains a detector on what is not face, or goes on with it, and tests it on a fold of its own."""
    from deepfake_tfdata.audits.background import REGION, VIEW, background_epochs, background_finding
    from deepfake_tfdata.input.options import InputOptions
    from deepfake_tfdata.model.options import ModelOptions
    from deepfake_tfdata.training.config import TrainConfig
    from deepfake_tfdata.training.options import LoopOptions, OptimizerOptions

    import_tensorflow()
    from deepfake_tfdata.input.batches import find_split
    from deepfake_tfdata.scoring.run_evaluation import RunScorer
    from deepfake_tfdata.training.run import train

    # A fold of all people: the test split of a study stays unopened. Nobody will ask what a score is worth.
    clips = InputOptions(
        data=config.data, region=REGION, view=VIEW, fold="1/5", calibration=0.0, batch_size=8
    )
    epochs = background_epochs(find_split(clips, "train").num_clips, clips.batch_size)
    run = TrainConfig(
        workdir=str(Path(config.output or config.data) / "background"),
        input=clips,
        model=ModelOptions(head="control", backbone="meso4", weights="none"),
        # A detector that has not begun to learn gets no better for many epochs.
        loop=LoopOptions(epochs=epochs, patience=epochs),
        optimizer=OptimizerOptions(learning_rate=1.4e-3),
    )
    train(run, _steps)
    return background_finding(RunScorer(run.folder).evaluate("test").metrics)


@contextmanager
def _steps(count: int) -> Iterator[Callable[[str], None]]:
    with Progress("background", count, "steps") as progress:
        yield progress.advance


@contextmanager
def _explained_write_errors(output: str) -> Iterator[None]:
    """Turns a full disk, a missing permission and the like into a UserError."""
    try:
        yield
    except OSError as error:
        raise UserError(_cant_write(output, error.strerror or str(error))) from error
    except remote_errors() as error:
        raise UserError(_cant_write(output, str(error))) from error


def _cant_write(output: str, reason: str) -> str:
    return f"can't write to {output}: {reason}; choose another --output"


def run(argv: list[str] | None = None) -> None:
    """Entry point of `python -m` and of the console script."""
    cli.run(main, AuditConfig, __doc__, argv)


if __name__ == "__main__":
    run()
