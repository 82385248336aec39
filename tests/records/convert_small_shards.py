"""The convert command with shards of a few videos: what the tests of interruptions run as a process."""

from functools import partial

from deepfake_tfdata import convert

SHARD_BYTES = 3_300_000  # four videos of four native frames

if __name__ == "__main__":
    convert.plan_conversion = partial(convert.plan_conversion, shard_bytes=SHARD_BYTES)
    convert.run()
