"""The application: what can be asked for, and what is answered."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp

from deepfake_tfdata.background import in_background
from deepfake_tfdata.serving.board import Board, FullError
from deepfake_tfdata.serving.guard import Guard, error, new_nonce
from deepfake_tfdata.serving.job import DONE, FAILED, WAITING, Job, JobFailed, Result
from deepfake_tfdata.serving.options import ServingOptions
from deepfake_tfdata.serving.pages import failed_page, upload_page, waiting_page
from deepfake_tfdata.serving.uploads import FIELD, receive_upload

_SECONDS_BETWEEN_FORGETTING = 5.0
_VIDEO = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": [FIELD],
                    "properties": {FIELD: {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}
_REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"description": "not a multipart request with one file"},
    408: {"description": "it did not arrive in time"},
    413: {"description": "too large"},
    429: {"description": "too many videos wait; see Retry-After"},
    503: {"description": "the server is stopping"},
}
# Nothing that a visitor asks for goes anywhere else, whatever the environment says of exporters.
_NO_TELEMETRY: Any = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}


def create_app(board: Board, options: ServingOptions) -> ASGIApp:
    """The application over a board; the board is closed by who made it."""

    @asynccontextmanager
    async def forgetting(app: FastAPI) -> AsyncIterator[None]:
        async def forget() -> None:
            while True:
                board.forget_old()
                await asyncio.sleep(min(_SECONDS_BETWEEN_FORGETTING, 60 * options.keep_minutes))

        task = asyncio.create_task(forget())
        yield
        task.cancel()

    app = FastAPI(
        title="Verdicts on videos",
        description='Verdicts are those of `python -m deepfake_tfdata.predict`. Errors are {"error": "..."}.',
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        lifespan=forgetting,
        telemetry=_NO_TELEMETRY,
    )
    _answer_errors(app)
    _add_pages(app, board, options)
    _add_interface(app, board, options)
    return Guard(app, options.own_names, options.names)


def _add_pages(app: FastAPI, board: Board, options: ServingOptions) -> None:
    @app.get("/", include_in_schema=False)
    def front() -> Response:
        nonce, policy = new_nonce()
        page = upload_page(board.judge.ensemble.detectors, options, nonce)
        return HTMLResponse(page, headers={"content-security-policy": policy})

    @app.get("/jobs/{job_id}/page", response_class=HTMLResponse)
    def page(job_id: str) -> Response:
        """The verdict as a page; until it is there, one that looks again every two seconds."""
        job = _known(board, job_id)
        if not job.result.done():
            return HTMLResponse(waiting_page(job, board.num_before(job)), headers={"refresh": "2"})
        if failure := job.result.exception():
            return HTMLResponse(failed_page(job, str(failure)), 500)
        return HTMLResponse(job.result.result().page)


def _add_interface(app: FastAPI, board: Board, options: ServingOptions) -> None:
    async def take(request: Request, with_page: bool) -> Job:
        """A job of the video in a request; its place is free again if none comes of it."""
        board.reserve()
        try:
            upload = await receive_upload(request, options.max_upload_bytes, options.max_seconds)
        except BaseException:
            board.give_up()
            raise
        return board.submit(upload, with_page)

    @app.post("/predict", openapi_extra=_VIDEO, responses=_REFUSALS)
    async def predict(request: Request) -> Response:
        """Waits for the verdict on a video, and answers with what verdict.json holds; keeps nothing."""
        job = await take(request, with_page=False)
        try:
            return _json((await _result(job, request)).verdict)
        finally:
            in_background(board.forget, job)  # it may have to wait for a process to end

    @app.post("/jobs", status_code=202, openapi_extra=_VIDEO, responses=_REFUSALS)
    async def submit(request: Request) -> Response:
        """Takes a video, and answers at once with the job's id; a browser's form is led to its page."""
        job = await take(request, with_page=True)
        if "text/html" in request.headers.get("accept", ""):
            return RedirectResponse(f"/jobs/{job.id}/page", 303)
        return _json(_about(job, board), 202, location=f"/jobs/{job.id}")

    @app.get("/jobs/{job_id}")
    def status(job_id: str) -> Response:
        """Where a job is, and its verdict when it is done."""
        return _json(_about(_known(board, job_id), board))

    @app.get("/healthz")
    def health() -> Response:
        """Which detectors judge, how many workers live, how many videos wait."""
        found = board.health()
        detectors = [
            {"name": each.name, "fingerprint": each.fingerprint, "calibrated": each.calibration is not None}
            for each in board.judge.ensemble.detectors
        ]
        return _json({"status": "ok", "detectors": detectors, **found})


async def _result(job: Job, request: Request) -> Result:
    """Waits for the result, or until the client is gone."""
    # Never cancelled, for the job's thread is to set it; and looked at, be it that nobody waits any more.
    result = asyncio.wrap_future(job.result)
    result.add_done_callback(lambda done: None if done.cancelled() else done.exception())
    gone = asyncio.create_task(_gone(request))
    either: set[asyncio.Future[Any]] = {result, gone}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    gone.cancel()
    if not result.done():
        raise ClientDisconnect
    return result.result()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        continue


def _about(job: Job, board: Board) -> dict[str, Any]:
    stage = job.stage  # once: it may change meanwhile
    about: dict[str, Any] = {"id": job.id, "name": job.upload.name, "stage": stage}
    if stage == WAITING:
        about["before"] = board.num_before(job)
    elif stage == DONE:
        about["verdict"] = job.result.result().verdict
    elif stage == FAILED:
        about["error"] = str(job.result.exception())
    return about


def _known(board: Board, job_id: str) -> Job:
    job = board.find(job_id)
    if job is None:
        raise HTTPException(404, "no such job; verdicts are forgotten after a while")
    return job


def _json(value: Mapping[str, Any], status: int = 200, **headers: str) -> Response:
    return Response(json.dumps(value, allow_nan=False) + "\n", status, headers, media_type="application/json")


def _answer_errors(app: FastAPI) -> None:
    """Whatever goes wrong, the answer is one line."""

    @app.exception_handler(HTTPException)
    async def told(_: Request, problem: HTTPException) -> Response:
        return error(problem.status_code, str(problem.detail), **(problem.headers or {}))

    @app.exception_handler(FullError)
    async def full(_: Request, problem: FullError) -> Response:
        return error(429, str(problem), **{"retry-after": str(problem.seconds)})

    @app.exception_handler(JobFailed)
    async def failed(_: Request, problem: JobFailed) -> Response:
        return error(problem.status, str(problem))

    @app.exception_handler(ClientDisconnect)
    async def left(_: Request, problem: ClientDisconnect) -> Response:
        return error(400, "the request ended early")  # to nobody

    @app.exception_handler(Exception)
    async def broken(_: Request, problem: Exception) -> Response:
        return error(500, "the server failed; its log says why")
