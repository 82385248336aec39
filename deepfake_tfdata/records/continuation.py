"""Whether a conversion may go on in a folder that has records, and as what."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from deepfake_tfdata.clips.regions import REGIONS
from deepfake_tfdata.clips.spec import ClipSpec, differences, require_same_spec
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.records.ledger import LEDGER_FILE
from deepfake_tfdata.records.metadata import CONVERSION_FILE, Conversion, read_conversion
from deepfake_tfdata.records.provenance import Provenance, require_same_provenance
from deepfake_tfdata.storage import AnyPath

_LOG = logging.getLogger(__name__)


def continued(output: AnyPath, conversion: Conversion) -> Conversion:
    """The conversion joined with what an earlier run left in the output folder.

    Raises:
        UserError: the folder's records are of another kind, or nobody knows of which.
    """
    if not (output / CONVERSION_FILE).is_file():
        _require_no_records(output)
        return conversion
    earlier = read_conversion(output)
    before, now = (ClipSpec.from_dict(each.spec) for each in (earlier, conversion))
    require_same_spec(before.deciding, now.deciding, f"the records in {output}", "this command")
    require_same_provenance(Provenance(**earlier.provenance), Provenance(**conversion.provenance), output)
    if earlier.plan != conversion.plan:
        raise UserError(_other_plan(output, earlier.source, conversion.source))
    regions = [*earlier.regions, *(name for name in conversion.regions if name not in earlier.regions)]
    # The spec stays, with what it says of the size that a detector makes of native crops.
    return replace(conversion, spec=before.to_dict(), regions=regions)


def warn_of_hints(asked: ClipSpec, kept: ClipSpec, output: AnyPath) -> None:
    """Says where a folder keeps what this command asks for otherwise, and it decides no byte."""
    shown = differences(kept.to_dict(), asked.to_dict())
    if shown:
        _LOG.warning(
            "warning: %s keeps what it says already (%s): it changes no byte of native crops, and train has "
            "--frame_size of its own",
            output,
            shown,
        )


def _require_no_records(output: AnyPath) -> None:
    """UserError where records lie without the file that says what they are."""
    left = [output / LEDGER_FILE, *(output / region for region in REGIONS)]
    if any(place.exists() for place in left):
        raise UserError(
            f"{output} has records but no {CONVERSION_FILE}, so nobody knows what they are; choose another "
            "--output, or delete it"
        )


def _other_plan(output: AnyPath, earlier: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What to do about records of another plan, with the flags that are the likely reason."""
    for name in ("limit", "shard_mib"):
        if earlier.get(name, now[name]) != now[name]:
            was, is_now = (
                f"--{name}={value}" if value else f"no --{name}" for value in (earlier.get(name), now[name])
            )
            return (
                f"{output} was converted with {was} and this command has {is_now}; choose another --output, "
                f"delete {output}, or convert with {was}"
            )
    return f"{output} holds a conversion of other videos or splits; choose another --output, or delete it"
