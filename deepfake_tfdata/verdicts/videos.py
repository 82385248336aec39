"""The videos that somebody wants a verdict on, each with a name of its own."""

from collections import Counter
from collections.abc import Sequence

from deepfake_tfdata.clips.layouts.tree import recordings_below
from deepfake_tfdata.clips.video import Video, safe_text
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.storage import AnyPath, below, user_path

# What a video of unknown truth is called in the place of a method.
METHOD = "video"


def find_videos(files: Sequence[str], folder: str = "") -> list[Video]:
    """Videos by their files, or all below a folder; names are those of files, with their ending.

    Args:
        files: one or more, whatever they are called; or none, and a folder.
        folder: with videos in it, at any depth.

    Raises:
        UserError: one is not there, two have one name, or there is none at all.
    """
    if folder:
        root = user_path(folder)
        if not root.is_dir():
            raise UserError(f"--source={folder} is no folder; name one, or give files with --video")
        found = recordings_below(root)
        if not found:
            raise UserError(f"--source={folder} has no video in it; name files with --video")
        return [unlabelled_video(path, below(path, root).as_posix()) for path in found]
    paths = [user_path(file) for file in files]
    for path in paths:
        if not path.exists():
            raise UserError(f"--video={path} does not exist; name a file, or a folder with --source")
        if path.is_dir() and path not in recordings_below(path.parent):
            raise UserError(f"--video={path} is a folder; take all videos below it with --source={path}")
    twice = [name for name, count in Counter(path.name for path in paths).items() if count > 1]
    if twice:
        raise UserError(f"--video names two files called {twice[0]}; give each its own --output")
    return [unlabelled_video(path, path.name) for path in paths]


def unlabelled_video(path: AnyPath | str, name: str) -> Video:
    """A video of which nobody knows the label; nothing that looks for its faces reads it."""
    return Video(str(path), safe_text(name), 0, METHOD, name)
