"""From an examined video to its verdict, and to what can be shown of it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from deepfake_tfdata.clips.inspected import InspectedVideo
from deepfake_tfdata.verdicts.ensemble import Ensemble
from deepfake_tfdata.verdicts.exhibit import NOTHING_TO_SHOW, Exhibit, exhibit_of
from deepfake_tfdata.verdicts.judgement import ABSTAINED, Judgement, judge_faces, judge_video
from deepfake_tfdata.verdicts.scored_face import score_face
from deepfake_tfdata.verdicts.verdict import Basis, Verdict
from deepfake_tfdata.verdicts.work import ExaminedVideo

# Of the largest and most persistent faces: an explanation takes longer than a score.
_FACES_EXPLAINED = 4


def conclude(
    name: str, path: str, examined: ExaminedVideo, ensemble: Ensemble, basis: Basis
) -> tuple[Verdict, Exhibit]:
    """The verdict on a video.

    Args:
        name: of the video.
        path: of its file, as it was named.
        examined: by a worker.
        ensemble: that judges it.
        basis: what all verdicts rest on.
    """
    file = {"name": path, "sha256": examined.sha256}
    inspected = examined.inspected
    if inspected is None:
        judgement = Judgement(ABSTAINED, (examined.reason,))
        return Verdict(name, judgement, (), (), (), 0, file, basis, examined.status), NOTHING_TO_SHOW
    standard = ensemble.standard(basis.level)
    scored = [
        score_face(face, ensemble, explain=number < _FACES_EXPLAINED)
        for number, face in enumerate(inspected.seen)
    ]
    measured = [face.measured(inspected.header) for face in scored]
    judgements = judge_faces(measured, standard)
    verdict = Verdict(
        name,
        judge_video(judgements, _problems(inspected)),
        [
            face.verdict(known, judgement, standard)
            for face, known, judgement in zip(scored, measured, judgements, strict=True)
        ],
        inspected.shots,
        inspected.without_face,
        inspected.windows_passed_over + sum(face.windows_passed_over for face in inspected.seen),
        {**file, **inspected.header},
        basis,
    )
    return verdict, exhibit_of(inspected, scored, ensemble)


def basis_of(ensemble: Ensemble, level: float, versions: Mapping[str, str], command: str) -> Basis:
    """What verdicts of these detectors rest on.

    Args:
        ensemble: the detectors.
        level: the share of real videos that may be accused.
        versions: of what decodes and looks for faces.
        command: as it was given.
    """
    standard = ensemble.standard(level)
    calibration: dict[str, Any] = {"ranges": {name: list(ends) for name, ends in standard.ranges.items()}}
    if standard.calibration is None:
        calibration["missing"] = standard.why_none
    else:
        reference = standard.calibration.reference
        calibration |= {
            "methods": list(ensemble.methods),
            "num_real": int(np.sum(reference.labels == 0)),
            "num_fake": int(np.sum(reference.labels == 1)),
            "num_people": len(set(reference.components.tolist())),
            "log10_cap": [standard.calibration.low, standard.calibration.high],
            "smallest_p": standard.calibration.smallest_p(),
        }
    return Basis(ensemble.describe(), calibration, level, {**ensemble.versions, **versions}, command)


def _problems(inspected: InspectedVideo) -> list[str]:
    """Why parts of the video were not looked at, where no face could be judged otherwise."""
    if inspected.seen:
        return []
    reasons = list(dict.fromkeys(shot.reason for shot in inspected.shots if shot.reason))
    if reasons:
        return [f"no shot is long enough: {reasons[0]}"]
    return ["there is no face in it"]
