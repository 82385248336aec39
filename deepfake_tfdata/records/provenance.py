"""Where records come from: what decides their bytes beside the clip spec."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from deepfake_tfdata.clips.spec import differences
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.records.ledger import LedgerEntry
from deepfake_tfdata.storage import AnyPath


@dataclass(frozen=True)
class Provenance:
    """Of a folder of records.

    Attributes:
        data_set: the layout's name.
        compression: of FaceForensics++ and what is like it; '' where a data set comes in one form only.
        versions: of the code that decodes, finds faces, crops and encodes.
        sources: a digest of the content of every video that gave a clip; '' until all are converted.
    """

    data_set: str
    compression: str
    versions: Mapping[str, str]
    sources: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)

    def with_sources(self, entries: Iterable[LedgerEntry]) -> "Provenance":
        """With the digest of the videos that the ledger's entries are about; their order does not matter."""
        contents = sorted((entry.video, entry.content) for entry in entries if entry.clips)
        return replace(self, sources=hashlib.sha256(json.dumps(contents).encode()).hexdigest()[:12])

    @property
    def name(self) -> str:
        """Such as 'ffpp c23'."""
        return f"{self.data_set} {self.compression}".rstrip()


def require_same_provenance(earlier: Provenance, now: Provenance, output: AnyPath) -> None:
    """Refuses to go on in a folder with records of another data set, or by other code.

    Raises:
        UserError: it shows both sides.
    """
    before, after = ({**each.to_dict(), **each.versions} for each in (earlier, now))
    for values in (before, after):
        del values["versions"], values["sources"]
    shown = differences(before, after)
    if shown:
        raise UserError(
            f"the records in {output} would not be of one kind with this command's ({shown}); choose another "
            "--output, or convert as before"
        )
