"""The process: a socket, the board, and an end that leaves nothing."""

import asyncio
import socket
from collections.abc import Callable

import uvicorn

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.serving.app import create_app
from deepfake_tfdata.serving.board import Board, Render
from deepfake_tfdata.serving.options import ServingOptions
from deepfake_tfdata.verdicts.judge import Judge

_BACKLOG = 128
# For answers under way when the server is told to stop.
_SECONDS_TO_ANSWER = 5
# Connections at once; beyond, 503.
_MAX_CONNECTIONS = 512


def listen(options: ServingOptions) -> socket.socket:
    """A socket that clients may connect to from now on.

    Raises:
        UserError: the address is none of this machine's, or the port is taken or not allowed.
    """
    try:
        found = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM)
        family, _, _, _, address = found[0]
        return socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except OSError as error:
        raise UserError(
            f"can't listen on --host={options.host} --port={options.port}: {error.strerror or error}; "
            "choose others, --port=0 for any free one"
        ) from error


def url_of(listening: socket.socket) -> str:
    """Where a browser finds it."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def serve(
    listening: socket.socket,
    judge: Judge,
    render: Render,
    options: ServingOptions,
    on_ready: Callable[[], None],
) -> None:
    """Serves until SIGTERM or Ctrl-C; then the workers are gone and the port is free.

    Args:
        listening: as `listen` gives it.
        judge: makes the verdicts.
        render: makes their pages.
        options: what is allowed.
        on_ready: called when all is open.
    """
    board = Board(judge, render, options)
    config = uvicorn.Config(
        create_app(board, options),
        http="h11",
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        log_level="warning",
        access_log=False,  # the ids in it would open verdicts
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_graceful_shutdown=_SECONDS_TO_ANSWER,
    )
    try:
        on_ready()
        _Server(config, board).run(sockets=[listening])
    except KeyboardInterrupt:
        pass  # raised again once all is closed: how a server ends
    finally:
        board.close()
        listening.close()


class _Server(uvicorn.Server):
    """Tells those who wait for a verdict that it ends, instead of waiting with them."""

    def __init__(self, config: uvicorn.Config, board: Board) -> None:
        super().__init__(config)
        self._board = board

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await asyncio.to_thread(self._board.close)
        await super().shutdown(sockets)
