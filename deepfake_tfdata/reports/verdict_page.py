"""The page of a verdict: what it is, when and where the faces are, and what it rests on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deepfake_tfdata.files import write_text
from deepfake_tfdata.reports import plots
from deepfake_tfdata.reports.overlays import jpeg_file, page_shape, page_size, png_file, tinted, with_heat
from deepfake_tfdata.reports.pages import Picture, render
from deepfake_tfdata.storage import AnyPath
from deepfake_tfdata.verdicts import texts
from deepfake_tfdata.verdicts.exhibit import Exhibit, SeenMap
from deepfake_tfdata.verdicts.verdict import PAGE_FILE, FaceVerdict, SeenFrame, Verdict

# Left, top, width, height.
Percent = tuple[float, float, float, float]


@dataclass(frozen=True)
class ShownFace:
    """A face in one frame.

    Attributes:
        number: from 1.
        box: left, top, width and height in percent of the picture.
        frame: what is known of it there.
        crop: what was cut out for the detector, where it was.
        overlay: what its network saw of that, with what spoke for a manipulation.
        heat: only that, to be laid over the picture.
        heat_box: where.
    """

    number: int
    box: Percent
    frame: SeenFrame
    crop: Picture | None = None
    overlay: Picture | None = None
    heat: Picture | None = None
    heat_box: Percent | None = None


@dataclass(frozen=True)
class Moment:
    """A frame to click at.

    Attributes:
        index, time: of the frame.
        picture: of all of it; None where there is none.
        faces: in it.
        tint: 0 to 1, how much the clips around it speak for a manipulation; None of a frame without a face.
    """

    index: int
    time: str
    picture: Picture | None
    faces: Sequence[ShownFace]
    tint: float | None


def write_verdict_page(folder: AnyPath, verdict: Verdict, exhibit: Exhibit) -> AnyPath:
    """Writes FOLDER/verdict.html, whole or not at all.

    Returns:
        The page.
    """
    page = folder / PAGE_FILE
    write_text(page, verdict_page(verdict, exhibit))
    return page


def verdict_page(verdict: Verdict, exhibit: Exhibit) -> str:
    """The page as a document of its own."""
    judgement, calibration = verdict.judgement, verdict.basis.calibration
    values = verdict.to_dict()
    moments = _moments(verdict, exhibit)
    return render(
        "verdict.html",
        title=f"Verdict on {verdict.name}",
        lead=texts.headline(judgement),
        verdict=texts.VERDICTS[judgement.verdict],
        reasons=texts.reasons_of(judgement),
        ratio=texts.ratio_text(judgement.log10_likelihood_ratio),
        ratio_sentence=texts.ratio_sentence(judgement, calibration),
        scored=judgement.log10_likelihood_ratio is not None,
        propositions=values["propositions"],
        posteriors=texts.posterior_rows(judgement),
        false_alarms=texts.false_alarms(judgement),
        most_false_alarms=texts.most_false_alarms(judgement),
        allowed=f"{1000 * verdict.basis.level:g}",
        moments=moments,
        start=max(range(len(moments)), key=lambda row: _interest(moments[row]), default=0),
        plots=[_timeline(number, face) for number, face in enumerate(verdict.faces, 1) if face.clips],
        faces=[_face_row(number, face) for number, face in enumerate(verdict.faces, 1)],
        shots=[
            {
                "from": texts.seconds_text(shot.start),
                "to": texts.seconds_text(shot.end),
                "frames": shot.last - shot.first + 1,
                "what": shot.reason or "examined",
            }
            for shot in verdict.shots
        ],
        without_face=len(verdict.frames_without_face),
        file=_facts(verdict.file),
        models=[_facts(model) for model in verdict.basis.model],
        calibration=_calibration_facts(calibration),
        versions=verdict.basis.versions,
        command=verdict.basis.command,
        limits=texts.LIMITS,
    )


def _moments(verdict: Verdict, exhibit: Exhibit) -> list[Moment]:
    faces_at: dict[int, list[tuple[int, SeenFrame]]] = {}
    for number, face in enumerate(verdict.faces):
        for frame in face.frames:
            if frame.box is not None:
                faces_at.setdefault(frame.index, []).append((number, frame))
    seconds = {frame.index: frame.seconds for face in verdict.faces for frame in face.frames}
    return [
        Moment(
            index,
            texts.seconds_text(seconds[index]) if index in seconds else "",
            Picture(f"frame {index}", picture),
            [_shown(number, frame, verdict, exhibit) for number, frame in faces_at.get(index, ())],
            _tint(index, verdict) if index in faces_at else None,
        )
        for index, picture in sorted(exhibit.pictures.items())
    ]


def _shown(number: int, frame: SeenFrame, verdict: Verdict, exhibit: Exhibit) -> ShownFace:
    assert frame.box is not None
    shown = ShownFace(number + 1, _percent(frame.box, verdict), frame)
    place = number, frame.index
    crop, seen = exhibit.crops.get(place), exhibit.maps.get(place)
    name = f"face {number + 1} in frame {frame.index}"
    if crop:
        shown = replace(shown, crop=Picture(f"what was cut out of {name}", jpeg_file(page_size(crop.image))))
    if crop and seen:
        overlay = Picture(f"what spoke for a manipulation of {name}", jpeg_file(_overlaid(seen)))
        heat = Picture(f"where it spoke in {name}", png_file(tinted(seen.heat)))
        shown = replace(shown, overlay=overlay, heat=heat, heat_box=_percent(seen.box, verdict))
    return shown


def _percent(box: tuple[float, float, float, float], verdict: Verdict) -> Percent:
    width, height = verdict.file["width"], verdict.file["height"]
    left, top, right, bottom = box
    return (
        100 * left / width,
        100 * top / height,
        100 * (right - left) / width,
        100 * (bottom - top) / height,
    )


def _interest(moment: Moment) -> tuple[float, float]:
    """Which moment to begin with: that which speaks most in the clips that score highest."""
    evidence = [face.frame.evidence for face in moment.faces if face.frame.evidence is not None]
    return moment.tint or 0.0, max(evidence, default=-np.inf)


def _tint(index: int, verdict: Verdict) -> float:
    """The largest score of the clips that the frame is in."""
    scores = [clip.score for face in verdict.faces for clip in face.clips if clip.first <= index <= clip.last]
    return max(scores, default=0.0)


def _overlaid(seen: SeenMap) -> np.ndarray:
    """What the network saw with what spoke there, in the shape that it has in the frame."""
    left, top, right, bottom = seen.box
    return with_heat(seen.image, seen.heat, *page_shape(bottom - top, right - left))


def _timeline(number: int, face: FaceVerdict) -> Picture:
    alt = f"Face {number} over time: its clips' likelihood ratios, and what its frames weigh"
    return Picture.of(plots.face_timeline(number, face.clips, face.frames), f"face_{number}", alt)


def _face_row(number: int, face: FaceVerdict) -> dict[str, Any]:
    frames = face.frames
    judgement = face.judgement
    return {
        "number": number,
        "shot": face.shot + 1,
        "from": texts.seconds_text(frames[0].seconds) if frames else "",
        "to": texts.seconds_text(frames[-1].seconds) if frames else "",
        "pixels": f"{face.measured['face_pixels']:.0f}" if "face_pixels" in face.measured else "unknown",
        "coverage": face.measured.get("coverage"),
        "clips": len(face.clips),
        "score": face.score,
        "verdict": texts.VERDICTS[judgement.verdict],
        "reasons": judgement.reasons,
        "ratio": texts.ratio_text(judgement.log10_likelihood_ratio),
    }


def _facts(values: Any) -> dict[str, str]:
    """What is known, for a table."""
    return {
        name.replace("_", " "): _text(value) for name, value in values.items() if value not in (None, "", [])
    }


def _calibration_facts(calibration: Any) -> dict[str, str]:
    if "missing" in calibration:
        return {"missing": calibration["missing"]}
    low, high = calibration["log10_cap"]
    return {
        "real videos": str(calibration["num_real"]),
        "fake videos": f"{calibration['num_fake']}, by {', '.join(calibration['methods'])}",
        "groups of people": str(calibration["num_people"]),
        "likelihood ratios that it supports": f"{texts.ratio_text(low)} to {texts.ratio_text(high)}",
        "rarest that a score can be": f"{1000 * calibration['smallest_p']:.0f} of a thousand real videos",
        **{
            f"trained on, {name.replace('_', ' ')}": f"{low:.4g} to {high:.4g}"
            for name, (low, high) in calibration["ranges"].items()
        },
    }


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, int):
        return f"{value:,}"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
