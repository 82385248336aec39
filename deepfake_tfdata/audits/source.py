"""The audit of a raw tree: its lists, its files, and a look into every video."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial

from deepfake_tfdata.audits.composition import (
    check_composition,
    check_faces,
    check_left_out,
    check_masks,
    check_problems,
)
from deepfake_tfdata.audits.compression import check_compression
from deepfake_tfdata.audits.copies import find_copied_files, find_near_duplicates
from deepfake_tfdata.audits.finding import INFO, Finding
from deepfake_tfdata.audits.nuisances import Value
from deepfake_tfdata.audits.shortcuts import Measured, find_shortcuts
from deepfake_tfdata.audits.split_leaks import find_split_leaks
from deepfake_tfdata.audits.units import independent_units
from deepfake_tfdata.clips.layouts import LAYOUTS
from deepfake_tfdata.clips.listing import Listing, read_listing
from deepfake_tfdata.clips.splits import assign_splits, read_conversion_dict
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.clips.video_selection import CONVERSION_DICT, SelectionOptions, read_source
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.records.source_content import content_of
from deepfake_tfdata.records.worker_pool import process_in_order
from deepfake_tfdata.storage import AnyPath, as_path, remote_errors
from deepfake_tfdata.video.survey import SurveyedVideo, survey_video

_FILES_AT_ONCE = 32
OnVideo = Callable[[str], None]


@dataclass(frozen=True)
class SourceTree:
    """A raw tree and what its lists say; nothing of it has been opened.

    Attributes:
        videos: all of them.
        compression: of the folder that was read; '' where the layout has but one form.
        listing: the splits.
        groups: the source video of each identity; empty where nobody says.
        left_out: by key, why convert would put a video into no split.
        strict: whether convert would keep source videos together.
    """

    videos: Sequence[Video]
    compression: str
    listing: Listing
    groups: Mapping[str, str]
    left_out: Mapping[str, str]
    strict: bool

    @property
    def units(self) -> dict[str, str]:
        """By key, what a video is independent of others by."""
        return independent_units(self.videos, self.groups)


def read_tree(source: AnyPath, options: SelectionOptions) -> SourceTree:
    """Finds the videos of a source and reads its lists.

    Raises:
        UserError: as convert would; not where lists contradict themselves.
    """
    try:
        layout, place, data = read_source(source, options)
    except OSError as error:
        place = error.filename or source
        raise UserError(f"can't read {place}: {error.strerror or error}; check --source") from error
    listing = read_listing(data, options.splits)
    groups = _groups(place, data.split_lists, options.conversion_dict)
    given = None if listing.by_hash else {key: s[-1] for key, s in listing.videos.items() if s}
    assignment = assign_splits(data.videos, given, groups if options.strict_split else {})
    compression = options.compression if LAYOUTS[layout].COMPRESSIONS else ""
    return SourceTree(data.videos, compression, listing, groups, assignment.left_out, options.strict_split)


@dataclass(frozen=True)
class TreeSurvey:
    """What reading the files of a tree gave.

    Attributes:
        contents: a hash of each file's content, by video key; '' where it is empty or can't be read.
        surveys: of the videos whose packets can be read.
        problems: by key, why a video can't be used.
    """

    contents: Mapping[str, str]
    surveys: Mapping[str, SurveyedVideo]
    problems: Mapping[str, str]


def survey_tree(tree: SourceTree, num_frames: int, workers: int, on_video: OnVideo) -> TreeSurvey:
    """Looks into every video.

    Args:
        tree: its videos.
        num_frames: of each video to look at; 0 reads headers only.
        workers: processes.
        on_video: called after each video, with why it can't be used.
    """
    surveys, problems = {}, {}
    work = partial(survey_video, num_frames=num_frames)
    with closing(process_in_order(tree.videos, work, workers)) as outcomes:
        for video, outcome in outcomes:
            found, problem = outcome.processed, outcome.reason
            if isinstance(found, SurveyedVideo):
                surveys[video.key] = found
                problem = found.problem
            if problem:
                problems[video.key] = problem
            on_video(f"{video.key}: {problem}" if problem else "")
    return TreeSurvey(_contents(tree.videos), surveys, problems)


def judge_tree(tree: SourceTree, survey: TreeSurvey) -> list[Finding]:
    """All that can be said of a raw tree, by its lists and by what its files are."""
    surveys, units = survey.surveys, tree.units
    hashes = {key: found.hashes for key, found in surveys.items()}
    return [
        *find_split_leaks(tree.videos, tree.listing, {} if tree.strict else tree.groups),
        *find_copied_files(tree.videos, tree.listing, survey.contents),
        *find_near_duplicates(tree.videos, tree.listing, units, hashes, survey.contents),
        *find_shortcuts(
            [_measured(v, units[v.key], surveys[v.key]) for v in tree.videos if v.key in surveys]
        ),
        *_of_headers(tree, surveys),
        *check_faces(
            tree.videos, {key: s.faces.frames_found > 0 for key, s in surveys.items() if s.num_sampled}
        ),
        *check_composition(tree.videos, tree.listing),
        *check_problems(survey.problems),
        *check_left_out(tree.left_out),
        *_unknown_sources(tree),
    ]


def _of_headers(tree: SourceTree, surveys: Mapping[str, SurveyedVideo]) -> Iterator[Finding]:
    """What the files say of themselves, and their masks."""
    factors = {key: found.header.crf for key, found in surveys.items()}
    known = {key: factor for key, factor in factors.items() if factor is not None}
    yield from check_compression(tree.videos, known, tree.compression)
    masks = {key: found.mask_frames for key, found in surveys.items()}
    yield from check_masks(
        {
            key: (surveys[key].header.num_frames, of_mask)
            for key, of_mask in masks.items()
            if of_mask is not None
        }
    )


def _measured(video: Video, unit: str, found: SurveyedVideo) -> Measured:
    return Measured(video, unit, visible(video, found), file_only(found))


def visible(video: Video, found: SurveyedVideo) -> dict[str, Value]:
    """What crops of a video show that is no manipulation. Of faces cut before nobody knows how they lay."""
    faces = found.faces
    values: dict[str, Value] = {
        "bits a pixel": found.header.bits_a_pixel,
        "crf": found.header.crf,
        "sharpness of the scene": found.sharpness,
        "frame spacing": found.spacing,
    }
    of_faces: dict[str, Value] = {
        "face pixels": faces.face_size,
        "coverage": faces.frames_found / found.num_sampled if found.num_sampled else None,
        "jitter": faces.jitter_smooth,
        "change of face size": faces.size_range,
    }
    return {**values, **(of_faces if video.native else dict.fromkeys(of_faces))}


def file_only(found: SurveyedVideo) -> dict[str, Value]:
    """What only a video's file shows. Names are no part of it: they differ in every data set."""
    header = found.header
    rate = header.frames_per_second
    return {
        "container": header.container,
        "codec": header.codec,
        "encoder": header.encoder,
        "encoder settings": header.settings,
        "resolution": f"{header.width}x{header.height}",
        "frame rate": rate,
        "frames": header.num_frames,
        "seconds": header.num_frames / rate if rate else None,
        "bytes": header.file_bytes,
        "sound": "yes" if header.has_sound else "no",
        "shots": found.faces.shots,
    }


def read_groups(path: str) -> dict[str, str]:
    """The source video of each identity by the dictionary that --conversion_dict names; none for ''."""
    return read_conversion_dict(as_path(path)) if path else {}


def _groups(place: AnyPath, lists: AnyPath | None, named: str) -> dict[str, str]:
    """The same; without a name of the dictionary that lies in the source, or beside its lists."""
    for folder in (place, lists) if not named else ():
        if folder is not None and (folder / CONVERSION_DICT).is_file():
            return read_conversion_dict(folder / CONVERSION_DICT)
    return read_groups(named)


def _unknown_sources(tree: SourceTree) -> Iterator[Finding]:
    if tree.compression and not tree.groups:
        yield Finding(
            "source_videos_unknown",
            INFO,
            f"nobody says which identities are cut from one source video: there is no {CONVERSION_DICT}",
            "name the one of FaceForensics++ with --conversion_dict=FILE",
        )


def _contents(videos: Sequence[Video]) -> dict[str, str]:
    with ThreadPoolExecutor(_FILES_AT_ONCE) as threads:
        found = threads.map(_content, (video.path for video in videos))
        return {video.key: content for video, content in zip(videos, found, strict=True)}


def _content(path: str) -> str:
    """'' where it is empty or can't be read; whoever opens the video finds the reason."""
    try:
        place = as_path(path)
        return content_of(place) if place.is_dir() or place.stat().st_size else ""
    except OSError:
        return ""
    except remote_errors():
        return ""
