"""A verdict's faces as they are drawn on the video."""

import numpy as np

from deepfake_tfdata.clips.inspected import DrawnFace
from deepfake_tfdata.verdicts.judgement import ABSTAINED, EVIDENCE
from deepfake_tfdata.verdicts.texts import VERDICTS, ratio_text
from deepfake_tfdata.verdicts.verdict import FaceVerdict, Verdict

# Vermilion, grey, and blue of what else there is.
_COLOURS = {EVIDENCE: (213, 94, 0), ABSTAINED: (110, 110, 110)}
_OTHER = (0, 114, 178)


def drawn_faces(verdict: Verdict) -> list[DrawnFace]:
    """Every face with its number, its verdict and its likelihood ratio; the largest is drawn last."""
    return [_drawn(number, face) for number, face in enumerate(verdict.faces, 1)][::-1]


def _drawn(number: int, face: FaceVerdict) -> DrawnFace:
    judgement = face.judgement
    text = f"{number}: {VERDICTS[judgement.verdict]}"
    if judgement.verdict != ABSTAINED:
        text += f", LR {ratio_text(judgement.log10_likelihood_ratio)}"
    return DrawnFace(
        np.array([frame.index for frame in face.frames]),
        np.array([frame.box or (0, 0, 0, 0) for frame in face.frames], np.float32),
        np.array([frame.box is not None for frame in face.frames]),
        text,
        _COLOURS.get(judgement.verdict, _OTHER),
    )
