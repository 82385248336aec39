"""What test_s3.py runs in the environment of the [io] extra: an S3 server on loopback, there and back."""

import os
import subprocess
import sys
from pathlib import Path

from moto.server import ThreadedMotoServer

BUCKET = "s3://records-bucket"


def main(tree: str, local_records: str, *flags: str) -> None:
    """Converts a tree that lies in a bucket into a bucket, and compares with records made locally."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "S3_ENDPOINT": f"http://127.0.0.1:{port}",
    }
    import boto3

    s3 = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}")
    s3.create_bucket(Bucket=BUCKET.removeprefix("s3://"))
    for path in filter(Path.is_file, Path(tree).rglob("*")):
        key = f"source/{path.relative_to(tree).as_posix()}"
        s3.upload_file(str(path), BUCKET.removeprefix("s3://"), key)
    command = [sys.executable, "-m", "deepfake_tfdata.convert", f"--source={BUCKET}/source", *flags]
    command.append(f"--output={BUCKET}/records")
    for _ in range(2):  # the second finds everything done
        subprocess.run(command, check=True)
    compare(Path(local_records))


def compare(local: Path) -> None:
    """Every file but those with times in them is in the bucket with the same bytes, and no other is."""
    from deepfake_tfdata.input.dataset import load_clips
    from deepfake_tfdata.storage import as_path, below

    remote = as_path(f"{BUCKET}/records")
    theirs = {str(below(path, remote)) for path in remote.rglob("*") if path.is_file()}
    ours = {str(path.relative_to(local)) for path in local.rglob("*") if path.is_file()} - {".convert.lock"}
    assert theirs == ours, (theirs, ours)
    for name in ours - {"ledger.jsonl"}:
        assert (remote / name).read_bytes() == (local / name).read_bytes(), name
    clips = [
        [features["frames"].numpy().tobytes() for features, _ in load_clips(place, "mouth", "train", 4)]
        for place in (str(remote), local)
    ]
    assert clips[0] == clips[1]
    assert clips[0]


if __name__ == "__main__":
    main(*sys.argv[1:])
    print("round trip done", flush=True)
    os._exit(0)  # tensorflow-io aborts at a normal exit
