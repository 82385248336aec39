"""What a user may choose of a server."""

from dataclasses import dataclass
from ipaddress import ip_address

from deepfake_tfdata.cores import available_cores
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.options import Options, option

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class ServingOptions(Options):
    """Where a server listens, and what it allows."""

    host: str = option("127.0.0.1", "address to listen on; 0.0.0.0 lets every network in")
    port: int = option(8000, "of it; 0 takes a free one", low=0, high=65535)
    names: tuple[str, ...] = option(
        (), "that browsers may reach it by, such as verdicts.example.org; on loopback it answers to no other"
    )
    workers: int = option(available_cores(), "processes", low=1)
    max_waiting: int = option(
        8, "videos that arrive or wait while every worker has one; another is refused", low=0, high=1000
    )
    max_upload_mib: int = option(256, "of a video, MiB", low=1, high=65536)
    max_seconds: int = option(
        300, "that a video may take to arrive, then to be decoded, then to be scored", low=1, high=86400
    )
    keep_minutes: float = option(15.0, "that a verdict is kept in memory", above=0, below=1441)

    def __post_init__(self) -> None:
        super().__post_init__()
        # As browsers send them.
        object.__setattr__(self, "names", tuple(name.lower() for name in self.names))
        for name in self.names:
            if not set(name).isdisjoint(":/"):
                raise UserError(f"--names={name} is no name of a machine; leave out port and address")

    @property
    def max_upload_bytes(self) -> int:
        """Of a video."""
        return self.max_upload_mib << 20

    @property
    def own_names(self) -> tuple[str, ...]:
        """The names that a request may call the server by; none where any will do."""
        if self.names or _is_loopback(self.host):
            return (*LOOPBACK_NAMES, *self.names)
        return ()


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
