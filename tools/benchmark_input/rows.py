"""The rows of the table. A combination, or a loader, is one line here."""

import importlib.util
from dataclasses import dataclass

# Of --geometry and --encoding. Those that `convert` refuses are named in the table as refused.
COMBINATIONS = (
    ("resized", "jpeg"),
    ("resized", "png"),
    ("resized", "webp"),
    ("resized", "raw"),
    ("native", "png"),
    ("native", "webp"),
    ("native", "raw"),
)
# What the other loaders' files are made of.
PEERS_COMBINATION = ("resized", "jpeg")
# The loader whose fastest row the others are compared with.
CEILING = "ceiling"


@dataclass(frozen=True)
class Row:
    """One loader, or our pipeline in one combination.

    Attributes:
        name: in the table.
        loader: a module of `peers`.
        data: the folder below the work folder that it reads.
        modules: what it needs beside this project; a missing one is named in the table.
        option: for the loader.
        geometry: of what it yields.
        combination: of ours.
        a_core_each: one process a core instead of one for all cores.
    """

    name: str
    loader: str
    data: str
    modules: tuple[str, ...] = ()
    option: str = ""
    geometry: str = "resized"
    combination: tuple[str, str] | None = None
    a_core_each: bool = False

    def missing(self) -> list[str]:
        """The modules that are not installed."""
        return [module for module in self.modules if not _is_installed(module)]


def records_folder(geometry: str, encoding: str) -> str:
    """Where the records of a combination lie below the work folder."""
    return f"records/{geometry}_{encoding}"


OURS = tuple(
    Row(
        f"load_clips, {geometry} {encoding}",
        "ours",
        records_folder(geometry, encoding),
        ("tensorflow",),
        geometry=geometry,
        combination=(geometry, encoding),
    )
    for geometry, encoding in COMBINATIONS
)
CEILINGS = tuple(
    Row(f"libjpeg-turbo alone, {decoder}", CEILING, "images", (module,), decoder, a_core_each=True)
    for module, decoder in (("simplejpeg", "simplejpeg"), ("cv2", "opencv"), ("PIL", "pillow"))
)
PEERS = (
    Row("NVIDIA DALI, CPU", "dali", "images", ("nvidia.dali",)),
    Row("Grain, ArrayRecord", "grain_records", "array_record", ("grain", "array_record", "simplejpeg")),
    Row("PyTorch DataLoader, Pillow", "torch_loader", "images", ("torch",), "pillow"),
    Row("PyTorch DataLoader, simplejpeg", "torch_loader", "images", ("torch", "simplejpeg"), "simplejpeg"),
    Row("WebDataset", "web_dataset", "tar", ("torch", "webdataset")),
    Row("TFDS, our records", "tfds_folder", records_folder(*PEERS_COMBINATION), ("tensorflow_datasets",)),
    Row("Keras PyDataset, .npy", "keras_npy", "npy", ("keras",)),
)
ROWS = (*CEILINGS, *OURS, *PEERS)


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # of the package around it
        return False
