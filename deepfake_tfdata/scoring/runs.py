"""What a run leaves of itself beside its results, so that it can be resumed and its detector be used."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.files import write_json
from deepfake_tfdata.input.options import InputOptions
from deepfake_tfdata.options import build
from deepfake_tfdata.scoring.sessions import Session

CONFIG_FILE = "config.json"
MODEL_FILE = "model.keras"


@dataclass(frozen=True)
class Run:
    """What config.json holds.

    Attributes:
        config: the options of `train` by name.
        precision: the policy that --precision came to.
        spec: of the clips it trains on, as ClipSpec.to_dict gives it.
        spec_hash: its hash.
        plan: a fingerprint of which videos are in which split.
        provenance: where they come from, as conversion.json has it.
        data: the identity of all that together; see Conversion.
        clips: a fingerprint of the train clips and where they lie.
        parameters: counts of the detector's weights.
        flops_per_clip: operations of a forward pass, two a multiply-add.
        sessions: that trained it, in order.
    """

    config: dict[str, Any]
    precision: str
    spec: dict[str, Any]
    spec_hash: str
    plan: str
    provenance: dict[str, Any]
    data: str
    clips: str
    parameters: dict[str, int]
    flops_per_clip: int
    sessions: tuple[Session, ...] = ()

    @property
    def name(self) -> str:
        """Such as 'mouth/attention', and 'full.mouth_reduced/attention' with a view."""
        what = self.input
        return f"{'.'.join(filter(None, (what.region, what.view)))}/{self.config['head']}"

    @property
    def input(self) -> InputOptions:
        """Which clips it read, and how."""
        return build(InputOptions, self.config)


def read_run(workdir: Path) -> Run:
    """Reads WORKDIR/config.json.

    Raises:
        UserError: there is none, or it is damaged or of another version.
    """
    path = workdir / CONFIG_FILE
    if not path.is_file():
        raise UserError(
            f"no trained model in {workdir}; run 'python -m deepfake_tfdata.train --workdir={workdir}'"
        )
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        sessions = tuple(Session(**each) for each in values.pop("sessions"))
        # What was trained before there was such a share has validated on everybody.
        values["config"].setdefault("calibration", 0.0)
        run = Run(**values, sessions=sessions)
        _ = run.name, run.input
    except (ValueError, TypeError, KeyError, AttributeError, UserError):
        raise UserError(
            f"{path} is damaged or of another version; train again into a new --workdir"
        ) from None
    return run


def write_run(workdir: Path, run: Run) -> None:
    """Writes WORKDIR/config.json."""
    write_json(workdir / CONFIG_FILE, asdict(run))
