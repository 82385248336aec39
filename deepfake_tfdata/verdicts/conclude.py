"""From an examined video to its verdict, and to what can be shown of it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from deepfake_tfdata.clips.inspected import InspectedVideo
from deepfake_tfdata.scoring.applied import GoOn, to_the_end
from deepfake_tfdata.verdicts.ensemble import Ensemble
from deepfake_tfdata.verdicts.exhibit import NOTHING_TO_SHOW, Exhibit, exhibit_of
from deepfake_tfdata.verdicts.judgement import ABSTAINED, Judgement, judge_faces, judge_video
from deepfake_tfdata.verdicts.options import VerdictOptions
from deepfake_tfdata.verdicts.scored_face import score_face
from deepfake_tfdata.verdicts.verdict import Basis, Verdict
from deepfake_tfdata.verdicts.work import ExaminedVideo

# Of the largest and most persistent faces: an explanation takes longer than a score.
_FACES_EXPLAINED = 4


def conclude(
    name: str, path: str, examined: ExaminedVideo, ensemble: Ensemble, basis: Basis, go_on: GoOn = to_the_end
) -> tuple[Verdict, Exhibit]:
    """The verdict on a video.

    Args:
        name: of the video.
        path: of its file, as it was named.
        examined: by a worker.
        ensemble: that judges it.
        basis: what all verdicts rest on.
        go_on: called before each piece of the work.
    """
    file = {"name": path, "sha256": examined.sha256}
    inspected = examined.inspected
    if inspected is None:
        judgement = Judgement(ABSTAINED, (examined.reason,))
        return Verdict(name, judgement, (), (), (), 0, file, basis, examined.status), NOTHING_TO_SHOW
    standard = ensemble.standard(basis.level)
    scored = [
        score_face(face, ensemble, number < _FACES_EXPLAINED, go_on)
        for number, face in enumerate(inspected.seen)
    ]
    measured = [face.measured(inspected.header) for face in scored]
    judgements = judge_faces(measured, standard)
    verdict = Verdict(
        name,
        judge_video(measured, judgements, basis.level, _not_looked_at(inspected)),
        [
            face.verdict(known, judgement, standard)
            for face, known, judgement in zip(scored, measured, judgements, strict=True)
        ],
        inspected.shots,
        inspected.without_face,
        _clips_passed_over(inspected),
        {**file, **inspected.header},
        basis,
    )
    return verdict, exhibit_of(inspected, scored, ensemble)


def basis_of(ensemble: Ensemble, options: VerdictOptions, versions: Mapping[str, str], command: str) -> Basis:
    """What verdicts of these detectors rest on.

    Args:
        ensemble: the detectors.
        options: what they are held to.
        versions: of what decodes and looks for faces.
        command: as it was given.
    """
    standard = ensemble.standard(options.max_false_alarms / 1000)
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
    decided = {"max_false_alarms": options.max_false_alarms, "max_clips": options.max_clips}
    return Basis(ensemble.describe(), calibration, decided, {**ensemble.versions, **versions}, command)


def _clips_passed_over(inspected: InspectedVideo) -> int:
    """Those beyond the most that are looked at."""
    return inspected.windows_passed_over + sum(face.windows_passed_over for face in inspected.seen)


def _not_looked_at(inspected: InspectedVideo) -> list[str]:
    """What of the video was not looked at, in words."""
    problems = []
    left_out = [shot for shot in inspected.shots if shot.reason]
    if left_out:
        which = "no shot was" if len(left_out) == len(inspected.shots) else f"{len(left_out)} shots were not"
        problems.append(f"{which} looked at ({left_out[0].reason})")
    if not inspected.seen and len(left_out) < len(inspected.shots):
        problems.insert(0, f"there is no face in {'what was looked at' if left_out else 'it'}")
    if passed_over := _clips_passed_over(inspected):
        problems.append(f"{passed_over} clips more than --max_clips were passed over")
    if inspected.faces_passed_over:
        problems.append(f"{inspected.faces_passed_over} smaller faces were passed over")
    return problems
