"""Routes for voice files, after tus 1.0: /api/uploads. The one place that knows its headers."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from email.utils import format_datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Header, HTTPException, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from starlette.requests import ClientDisconnect
from starlette.responses import MalformedRangeHeader, RangeNotSatisfiable
from starlette.types import Receive, Scope, Send

from backend.actor import Actor
from backend.api.deps import CurrentUser, Parts, same_protocol
from backend.deps import Deps
from backend.services import receiving, uploads
from backend.storage import uploads as stored
from domain import errors, values

PREFIX = "/api/uploads"
_VERSION = "1.0.0"
RESUMABLE = {"Tus-Resumable": _VERSION}
"""In every answer of these routes, whoever gives it (edge.py)."""
_TUS = {"Cache-Control": "no-store"}
_PART = "application/offset+octet-stream"
_STATUSES: Mapping[type[errors.JorgeError], int] = {
    uploads.TooLargeError: 413,
    uploads.ExpiredError: 410,
    receiving.WrongOffsetError: 409,
    receiving.TooLongError: 413,
    receiving.WrongBytesError: 460,
    receiving.LockedError: 423,
}


async def same_tus(tus_resumable: Annotated[str, Header(max_length=100)] = _VERSION) -> None:
    """Answers 412 to another version of tus; silence is let through."""
    if tus_resumable != _VERSION:
        raise HTTPException(412, headers={"Tus-Version": _VERSION})


router = APIRouter(prefix=PREFIX, tags=["uploads"], dependencies=[Depends(same_protocol)])
_OF_TUS = [Depends(same_tus)]

ContentType = Annotated[str, Header()]
Checksum = Annotated[str, Header(max_length=200)]


@router.options("")
async def abilities(deps: Parts) -> Response:
    """What of tus is spoken here."""
    able = {
        "Tus-Version": _VERSION,
        "Tus-Extension": "creation,creation-with-upload,checksum,expiration",
        "Tus-Checksum-Algorithm": "sha256",
    }
    return Response(status_code=204, headers=_TUS | able | _most(deps))


@router.post("", dependencies=_OF_TUS)
async def create(
    deps: Parts,
    actor: CurrentUser,
    request: Request,
    upload_length: Annotated[int, Header()],
    upload_metadata: Annotated[str, Header(max_length=4096)],
    *,
    content_type: ContentType = "",
    upload_checksum: Checksum = "",
) -> Response:
    """Announce a file, perhaps with its first bytes; `Upload-Offset` = its size means that nothing need be sent."""
    said = _metadata(upload_metadata)
    announced = stored.Announced(
        note_id=said.get("note_id", "").lower(),
        location_id=said.get("location_id", "").lower(),
        sha256=said.get("sha256", "").lower(),
        size=upload_length,
        media_type=(said.get("media_type") or said.get("filetype") or "application/octet-stream").lower(),
    )
    try:
        upload = await uploads.create(deps, actor, announced)
        if content_type == _PART and not upload.received:
            upload = await _receive(deps, actor, upload.id, request, offset=0, checksum=upload_checksum)
    except uploads.UploadError as fault:
        return _problem(fault, _most(deps))
    except ClientDisconnect:
        return Response(status_code=400)  # nobody reads this
    where = {"Location": f"/api/uploads/{upload.id}"}
    return Response(status_code=201, headers=_standing(upload) | _most(deps) | where)


@router.head("/{upload_id}", dependencies=_OF_TUS)
async def standing(deps: Parts, actor: CurrentUser, upload_id: str) -> Response:
    """How many bytes are safe here: go on from there."""
    try:
        return Response(headers=_standing(await uploads.find(deps, actor, upload_id)))
    except uploads.UploadError as fault:
        return _problem(fault)


@router.patch("/{upload_id}", dependencies=_OF_TUS)
async def part(
    deps: Parts,
    actor: CurrentUser,
    upload_id: str,
    request: Request,
    upload_offset: Annotated[int, Header(ge=0)],
    *,
    content_type: ContentType = "",
    upload_checksum: Checksum = "",
) -> Response:
    """The next bytes; acknowledged once they are on disk, and kept as far as they came if the line is cut."""
    if content_type != _PART:
        fault = errors.InputError("A part has another content type.", where="Content-Type", hint=_PART)
        return JSONResponse(fault.as_problem(), status_code=415, headers=_TUS)
    try:
        upload = await _receive(
            deps, actor, upload_id, request, offset=upload_offset, checksum=upload_checksum
        )
    except uploads.UploadError as fault:
        return _problem(fault)
    except ClientDisconnect:
        return Response(status_code=400)  # nobody reads this
    return Response(status_code=204, headers=_standing(upload))


async def _receive(
    deps: Deps, actor: Actor, upload_id: str, request: Request, *, offset: int, checksum: str
) -> stored.Upload:
    return await receiving.receive(
        deps,
        actor,
        upload_id,
        offset=offset,
        blocks=request.stream(),
        sha256=_checksum(checksum),
        length=int(request.headers.get("content-length", "0")),  # edge.py lets digits through only
    )


@router.get("/{id_or_sha256}")
async def download(deps: Parts, actor: CurrentUser, id_or_sha256: str) -> Response:
    """The whole file or a range of it, by the upload's id or its SHA-256."""
    upload, path = await uploads.open_file(deps, actor, id_or_sha256)
    headers = {
        "ETag": f'"{upload.sha256}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }
    return _Recording(path, media_type=upload.media_type, filename=upload.sha256, headers=headers)


class _NoSuchRangeError(Exception):
    """All that was asked for lies beyond the file's end."""


class _Recording(FileResponse):
    """Starlette would answer a wrong range in plain text: here every error has one shape, and a range that can't be
    read is as good as none (RFC 9110, 14.2). If-Range is looked at before."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except _NoSuchRangeError as beyond:
            await _no_such_range(*beyond.args)(scope, receive, send)

    @classmethod
    def _parse_range_header(cls, http_range: str, file_size: int) -> list[tuple[int, int]]:
        try:
            return super()._parse_range_header(http_range, file_size)
        except MalformedRangeHeader:
            return []
        except RangeNotSatisfiable as fault:
            raise _NoSuchRangeError(file_size) from fault


def _no_such_range(size: int) -> Response:
    fault = errors.InputError(
        "The recording has no such range of bytes.", where="Range", hint=f"It has {size} bytes."
    )
    return JSONResponse(fault.as_problem(), status_code=416, headers={"Content-Range": f"bytes */{size}"})


def _standing(upload: stored.Upload) -> dict[str, str]:
    until = uploads.expires_at(upload)
    ends = {"Upload-Expires": format_datetime(until, usegmt=True)} if until else {}
    return _TUS | ends | {"Upload-Offset": str(upload.received), "Upload-Length": str(upload.size)}


def _most(deps: Deps) -> dict[str, str]:
    return {"Tus-Max-Size": str(deps.settings.upload_max_mb * uploads.MEGABYTE)}


def _problem(fault: uploads.UploadError, more: Mapping[str, str] | None = None) -> Response:
    headers = {**_TUS, **(more or {})}
    if fault.offset is not None:
        headers["Upload-Offset"] = str(fault.offset)
    if fault.retry_after is not None:
        headers["Retry-After"] = str(round(fault.retry_after))
    return JSONResponse(fault.as_problem(), status_code=_STATUSES[type(fault)], headers=headers)


def _metadata(text: str) -> dict[str, str]:
    """tus: `key base64, key base64`. Raises: InputError."""
    found = {}
    for pair in text.split(","):
        key, _, encoded = pair.strip().partition(" ")
        try:
            found[key] = base64.b64decode(encoded, validate=True).decode()
        except ValueError as fault:  # also what is no ASCII, or no UTF-8 within
            raise errors.InputError(
                f"{values.shown(key)} is not base64 of text.", where="Upload-Metadata"
            ) from fault
    return found


def _checksum(text: str) -> bytes | None:
    """`sha256 base64`. Raises: InputError."""
    if not text:
        return None
    name, _, encoded = text.partition(" ")
    try:
        if name == "sha256":
            return base64.b64decode(encoded, validate=True)
    except ValueError:
        pass
    raise errors.InputError("Only `sha256 <base64>` is understood.", where="Upload-Checksum")
