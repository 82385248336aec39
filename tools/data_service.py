"""Starts a tf.data service on this machine, for `train --data_service=grpc://HOST:PORT`.

python -m tools.data_service --port=5050 --workers=2          # a dispatcher, and workers beside it
python -m tools.data_service --dispatcher=HOST:5050           # on further machines: one more worker for it

Workers read the shards themselves: every machine must reach them under the same name. They decode and
augment; the trainer only receives batches. The service runs until it is stopped (Ctrl-C or SIGTERM). It has
no access control: keep it in a private network.
"""

import argparse
import os
import signal
import socket
import sys
import threading

import tensorflow as tf

from deepfake_tfdata.storage import as_path

Worker = tf.data.experimental.service.WorkerServer


def main() -> None:
    """Reads the arguments, serves, and ends on a signal."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=5050, help="of the dispatcher; 0 takes a free one")
    parser.add_argument("--workers", type=int, default=1, help="on this machine; one uses all of its cores")
    parser.add_argument(
        "--host", default=socket.gethostname(), help="name under which others reach this machine"
    )
    parser.add_argument("--dispatcher", help="HOST:PORT of one that runs already; starts workers only")
    parser.add_argument("--reach", help="a URL such as s3://bucket whose file system workers need")
    options = parser.parse_args()
    if options.workers < 1:
        parser.error(f"--workers={options.workers} is out of range; use 1 or more")
    if options.reach:
        as_path(options.reach).exists()  # registers the file system, or says what to install
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    _servers = start(options.port, options.workers, options.host, options.dispatcher)
    stopped.wait()
    # A worker's own end waits for the batch that it is making, even if nobody fetches that any more: nothing
    # here has to be saved, so the process ends without it.
    os._exit(0)


def start(port: int, workers: int, host: str, dispatcher: str | None) -> list:
    """Starts the servers, which run as long as they are referred to, and prints the address to train with."""
    servers = []
    if dispatcher is None:
        config = tf.data.experimental.service.DispatcherConfig(port=port)
        try:
            servers.append(tf.data.experimental.service.DispatchServer(config))
        except RuntimeError as error:
            sys.exit(f"error: --port={port} can't be served ({error}); choose another")
        dispatcher = f"{host}:{servers[0].target.rpartition(':')[2]}"
    servers += [start_worker(host, dispatcher) for _ in range(workers)]
    print(f"{workers} workers serve grpc://{dispatcher}", flush=True)
    return servers


def start_worker(host: str, dispatcher: str) -> Worker:
    """A worker that tells the dispatcher under which name it is reached."""
    with socket.socket() as free:
        free.bind(("", 0))
        port = free.getsockname()[1]
    config = tf.data.experimental.service.WorkerConfig(
        dispatcher_address=dispatcher, worker_address=f"{host}:{port}", port=port
    )
    return Worker(config)


if __name__ == "__main__":
    main()
