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
