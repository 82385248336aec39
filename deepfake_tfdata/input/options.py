"""What a user may choose of the input: which clips, in which batches, changed how."""

from collections.abc import Sequence
from dataclasses import dataclass

from deepfake_tfdata.clips.views import VIEWS, view_named
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.input.folds import parse_fold
from deepfake_tfdata.options import Options, option

# In the order in which a clip goes through them, that of a video's life: it is filmed, made smaller,
# compressed, sent, and looked at.
AUGMENTATIONS = (
    "reverse",
    "blur",
    "noise",
    "downscale",
    "codec",
    "jpeg",
    "frame_drop",
    "cutout",
    "zoom",
    "flip",
    "colour",
)
_PRESETS = {"default": ("flip", "colour"), "none": (), "all": AUGMENTATIONS}
BALANCES = ("none", "class", "method")


@dataclass(frozen=True)
class InputOptions(Options):
    """The clips and their batches."""

    data: str = option("data/records", "folder of records, or its URL", is_path=True, may_change=True)
    region: str = option("mouth", "to look at; several, as in full,eyes,mouth, are fused")
    view: str = option(
        "",
        f"what is seen of native records of --region=full or wide: {', '.join(VIEWS)}, or a part at a "
        "retention, such as mouth@0.35; all of the region if not given",
    )
    fold: str = option(
        "", "K/N, such as 2/5: divides all people anew, tests the K-th of N groups and validates on the next"
    )
    calibration: float = option(
        0.5,
        "share of the people in the validation that training never sees, so that evaluate can tell from them "
        "what a score is worth",
        low=0,
        below=1,
    )
    batch_size: int = option(16, "clips a step, over all devices", low=1)
    frame_size: int = option(
        0, "side of what the detector sees of native records, pixels; 0 takes the conversion's", low=0
    )
    augment: str = option(
        "default",
        f"whole clips: default (flip,colour), none, all, or a list of {', '.join(AUGMENTATIONS)}",
    )
    balance: str = option(
        "none",
        "none; class: as many real as fake clips in every batch; method: every method alike, too; or weights "
        "such as original:2,Face2Face:1 that say how often each is drawn",
    )
    pairs: bool = option(False, "a fake and its original side by side in a batch")
    skip_corrupt: bool = option(False, "read all records first and leave out those that are damaged")
    cache_dir: str = option(
        "", "local folder for copies of shards from object storage", is_path=True, may_change=True
    )
    data_service: str = option(
        "", "grpc://HOST:PORT of a tf.data service that makes the batches", may_change=True
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("region", "augment", "balance"):
            # As it is kept, so that a run is resumed with blanks or without.
            object.__setattr__(self, name, ",".join(_items(getattr(self, name))))
        object.__setattr__(self, "fold", str(parse_fold(self.fold) or ""))
        region_names(self.region)
        if self.view:
            view_named(self.view)
            if len(self.regions) > 1:
                raise UserError(f"--view={self.view} is of one region; give one, not --region={self.region}")
        parse_augmentations(self.augment)
        parse_balance(self.balance)
        if "://" in self.cache_dir:
            raise UserError(f"--cache_dir={self.cache_dir} is on object storage; use a local folder")
        if self.data_service:
            parse_address(self.data_service)

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions it looks at."""
        return region_names(self.region)


def region_names(region: str | Sequence[str]) -> tuple[str, ...]:
    """The names in 'mouth', 'full,eyes,mouth' or ('full', 'eyes', 'mouth').

    Raises:
        UserError: there are none, or one occurs twice or has no name.
    """
    names = tuple(_items(region) if isinstance(region, str) else region)
    if not any(names):
        raise UserError("no region is named; use --region=mouth, or several such as full,mouth")
    if not all(names):
        raise UserError(f"--region={','.join(names)} has a region without a name; leave a comma out")
    if len(set(names)) < len(names):
        raise UserError(f"--region={','.join(names)} has a region twice; name each once")
    return names


def _items(text: str) -> list[str]:
    """What is between the commas, without blanks around it."""
    return [item.strip() for item in text.split(",")]


def parse_augmentations(text: str | Sequence[str]) -> tuple[str, ...]:
    """The names that the value of `--augment` stands for, in the order of their application.

    Args:
        text: 'default', 'none', 'all', or names with commas between; or a sequence of names.

    Raises:
        UserError: it names what is unknown and lists what is known.
    """
    if isinstance(text, str) and text in _PRESETS:
        return _PRESETS[text]
    chosen = _items(text) if isinstance(text, str) else text
    for name in chosen:
        if name not in AUGMENTATIONS:
            raise UserError(
                f"unknown augmentation '{name}'; use {', '.join(_PRESETS)}, "
                f"or a list of {', '.join(AUGMENTATIONS)}"
            )
    return tuple(name for name in AUGMENTATIONS if name in chosen)


def parse_balance(balance: str) -> dict[str, int]:
    """How often each class or method is drawn, by its name; empty for one of BALANCES.

    Raises:
        UserError: it is neither one of BALANCES nor a list of weights, or has a name twice.
    """
    if balance in BALANCES:
        return {}
    weights: dict[str, int] = {}
    for item in _items(balance):
        name, colon, weight = item.rpartition(":")
        if not (name and colon and weight.isdecimal() and 0 < int(weight) <= 1000):
            raise UserError(
                f"--balance={balance} is unknown; use {', '.join(BALANCES)}, or weights of 1 to 1000 such as "
                "original:2,Face2Face:1"
            )
        if name in weights:
            raise UserError(f"--balance={balance} has {name} twice; name each once")
        weights[name] = int(weight)
    return weights


def parse_address(address: str) -> tuple[str, int]:
    """Host and port of a data service.

    Raises:
        UserError: it is no such address.
    """
    scheme, _, place = address.partition("://")
    host, _, port = place.rpartition(":")
    if scheme != "grpc" or not host or not port.isdecimal():
        raise UserError(f"--data_service={address} is no address; use grpc://HOST:PORT of a dispatcher")
    return host, int(port)
