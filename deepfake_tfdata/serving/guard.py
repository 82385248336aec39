"""What every request must be, and what every answer says to a browser, whatever the application does."""

import asyncio
import json
import secrets
from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# A client that is refused while it sends would not read why if the connection ended at once.
_SECONDS_TO_LINGER = 2.0
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
# Pages are whole documents with their pictures in them; a script is let run by `new_nonce` alone.
_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": _POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


def new_nonce() -> tuple[str, str]:
    """A nonce for the script of one answer, and the policy that lets that script alone run."""
    nonce = secrets.token_urlsafe(16)
    return nonce, f"{_POLICY}; script-src 'nonce-{nonce}'"


def error(status: int, text: str, **headers: str) -> Response:
    """A refusal: one line of JSON."""
    return Response(
        json.dumps({"error": " ".join(text.split())}) + "\n", status, headers, media_type="application/json"
    )


class Guard:
    """Refuses what another site makes a visitor's browser send, and adds `HEADERS`.

    A page of another site can't read answers, but could have its own name lead to this machine (DNS
    rebinding) or let forms be sent here. So a request must call the server by its name, and what changes
    something must come from its own pages or from no page at all.

    Args:
        app: behind it.
        own_names: that the server may be called by; none where any will do.
        public_names: those of them that a proxy before it has.
    """

    def __init__(self, app: ASGIApp, own_names: Sequence[str], public_names: Sequence[str]) -> None:
        self._app, self._own_names, self._public_names = app, own_names, public_names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        polite = _Polite(scope, receive, send)
        refusal = self._refusal(scope["method"], Headers(scope=scope))
        await (refusal or self._app)(scope, polite.receive, polite.send)

    def _refusal(self, method: str, headers: Headers) -> Response | None:
        host = headers.get("host", "")
        if self._own_names and _hostname(f"//{host}") not in self._own_names:
            return error(421, f"this server is not called {host!r}; its --names says what else it may be")
        origin = headers.get("origin")
        if method in _SAFE_METHODS or origin is None:
            return None
        if origin.partition("://")[2] == host or _hostname(origin) in self._public_names:
            return None
        return error(403, f"a page of {origin!r} may not send anything here")


class _Polite:
    """One request: its answer gets our headers, and reaches a client that is refused while it sends."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        headers = Headers(scope=scope)
        self._is_read = "transfer-encoding" not in headers and headers.get("content-length", "0") == "0"

    async def receive(self) -> Message:
        message = await self._receive()
        self._is_read = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            if not self._is_read:
                headers["connection"] = "close"
        elif not message.get("more_body") and not self._is_read:
            await self._send({**message, "more_body": True})
            message = {"type": "http.response.body"}
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._pass_over(), _SECONDS_TO_LINGER)
        await self._send(message)

    async def _pass_over(self) -> None:
        while not self._is_read:
            await self.receive()


def _hostname(url: str) -> str:
    with suppress(ValueError):
        return urlsplit(url).hostname or ""
    return ""
