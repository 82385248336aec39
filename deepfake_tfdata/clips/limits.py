"""What one video may cost; whatever asks for more is refused, and the ledger says why."""

# An 8K frame. A header can claim 30000x30000 in a few bytes, and the decoder would allocate it.
MAX_PIXELS = 8192 * 4320
# Five and a half hours at 25 frames a second; a tiny file can hold millions of frames.
MAX_FRAMES_IN_VIDEO = 500_000
# The chosen frames stay in memory up to this many bytes and are decoded again beyond: 32 frames of 1080p fit,
# with 10 bits a sample too.
MAX_HELD_BYTES = 200 << 20
# Of memory that a worker may allocate. At 1080p it takes some 300 MB; a forged index claims any amount.
MAX_WORKER_BYTES = 2 << 30
# Of all clips of a video: 100 times three regions of 32 frames with faces of 250 pixels. A record of 2 GiB is
# more than can be written.
MAX_CLIPS_BYTES = 1 << 30
# Of the clips of all faces of a video that is looked at for a verdict: of more, fewer windows are kept.
MAX_INSPECTED_BYTES = 600_000_000
# Of a video that somebody wants a verdict on; of a crowd the largest and most persistent.
MAX_FACES = 12
# Of time, by the size of the file, which no header can forge: decoding takes some 0.2 s a MB at 1080p, up to
# 1 s a MB where little moves. The base is for the detector and for a busy machine.
_BASE_SECONDS = 120
_SECONDS_PER_MB = 4
_MAX_SECONDS = 6 * 3600


def time_limit(num_bytes: int) -> float:
    """Seconds that work on a video file of that size may take.

    Two minutes for a short clip, 32 for a film of 450 MB, at most six hours.
    """
    return min(_BASE_SECONDS + _SECONDS_PER_MB * num_bytes / 1e6, _MAX_SECONDS)
