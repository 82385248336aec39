"""What a user may choose of the detector."""

from dataclasses import dataclass

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.options import Options, option

BACKBONES = (
    *(f"efficientnet_b{n}" for n in range(8)),
    *(f"efficientnet_v2_b{n}" for n in range(4)),
    "mobilenet_v3_small",
    "mobilenet_v3_large",
    "convnext_tiny",
    "convnext_small",
    "convnext_base",
    "xception",
    *(f"efficientnet_lite{n}" for n in range(3)),
    "meso4",
)
HEADS = ("attention", "control", "control_matched", "max", "last", "transformer")
# Not one of these, which follow an LSTM: the backbone's own classifier, on each frame by itself.
PUBLISHED = "published"


@dataclass(frozen=True)
class ModelOptions(Options):
    """The detector."""

    head: str = option("attention", "how frames make one verdict", choices=(*HEADS, PUBLISHED))
    backbone: str = option("efficientnet_b1", "what looks at every frame", choices=BACKBONES)
    weights: str = option(
        "imagenet", "imagenet, none, or a file of the backbone or of a whole detector", is_path=True
    )
    share_backbone: bool = option(False, "one backbone for several regions instead of one each")
    lstm_units: int = option(128, "of the LSTM, in each direction", low=1)
    dropout: float = option(0.2, "share of the clip's vector dropped before the classifier", low=0, below=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.head == PUBLISHED and self.backbone != "meso4":
            raise UserError(
                f"--head=published does not exist for {self.backbone}; add --backbone=meso4, or use another"
            )
