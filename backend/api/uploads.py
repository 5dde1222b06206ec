"""Routes for voice files, after tus 1.0 (creation, checksum): /api/uploads. The one place that knows its headers."""

from __future__ import annotations

import base64
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from starlette.datastructures import Headers
from starlette.responses import MalformedRangeHeader, RangeNotSatisfiable

from backend.api.deps import CurrentUser, Parts, same_protocol
from backend.services import uploads
from backend.storage import uploads as stored
from domain import errors

router = APIRouter(prefix="/api/uploads", tags=["uploads"], dependencies=[Depends(same_protocol)])

_TUS = {"Tus-Resumable": "1.0.0", "Cache-Control": "no-store"}
_PART = "application/offset+octet-stream"
_CHECKSUM_MISMATCH = 460


@router.options("")
async def abilities() -> Response:
    """What of tus is spoken here."""
    able = {
        "Tus-Version": "1.0.0",
        "Tus-Extension": "creation,checksum",
        "Tus-Checksum-Algorithm": "sha256",
        "Tus-Max-Size": str(uploads.MOST_BYTES),
    }
    return Response(status_code=204, headers=_TUS | able)


@router.post("")
async def create(
    deps: Parts,
    actor: CurrentUser,
    upload_length: Annotated[int, Header()],
    upload_metadata: Annotated[str, Header(max_length=4096)],
) -> Response:
    """Announce a file; `Upload-Offset` in the answer = its size means that nothing need be sent."""
    if upload_length > uploads.MOST_BYTES:
        return _problem(
            413,
            errors.InputError(
                f"A recording may have {uploads.MOST_BYTES // 2**20} MB at most.", where="Upload-Length"
            ),
        )
    said = _metadata(upload_metadata)
    upload = await uploads.create(
        deps,
        actor,
        stored.Announced(
            note_id=said.get("note_id", "").lower(),
            location_id=said.get("location_id", "").lower(),
            sha256=said.get("sha256", "").lower(),
            size=upload_length,
            media_type=(said.get("media_type") or said.get("filetype") or "application/octet-stream").lower(),
        ),
    )
    return Response(status_code=201, headers=_standing(upload) | {"Location": f"/api/uploads/{upload.id}"})


@router.head("/{upload_id}")
async def standing(deps: Parts, actor: CurrentUser, upload_id: str) -> Response:
    """How many bytes are safe here: go on from there."""
    return Response(headers=_standing(await uploads.find(deps, actor, upload_id)))


@router.patch("/{upload_id}")
async def part(
    deps: Parts,
    actor: CurrentUser,
    upload_id: str,
    request: Request,
    upload_offset: Annotated[int, Header(ge=0)],
    *,
    content_type: Annotated[str, Header()] = "",
    upload_checksum: Annotated[str, Header(max_length=200)] = "",
) -> Response:
    """The next bytes; acknowledged once they are on disk."""
    if content_type != _PART:
        return _problem(
            415, errors.InputError("A part has another content type.", where="Content-Type", hint=_PART)
        )
    try:
        upload = await uploads.receive(
            deps,
            actor,
            upload_id,
            offset=upload_offset,
            data=await request.body(),
            sha256=_checksum(upload_checksum),
        )
    except uploads.WrongOffsetError as fault:
        return _problem(409, fault, offset=fault.offset)
    except uploads.WrongBytesError as fault:
        return _problem(_CHECKSUM_MISMATCH, fault, offset=fault.offset)
    return Response(status_code=204, headers=_standing(upload))


@router.get("/{id_or_sha256}")
async def download(deps: Parts, actor: CurrentUser, id_or_sha256: str, request: Request) -> Response:
    """The whole file or a range of it, by the upload's id or its SHA-256."""
    upload, path = await uploads.open_file(deps, actor, id_or_sha256)
    if _has_no_such_range(request.headers, upload.size):
        return _no_such_range(upload.size)
    headers = {
        "ETag": f'"{upload.sha256}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }
    return FileResponse(path, media_type=upload.media_type, filename=upload.sha256, headers=headers)


def _has_no_such_range(headers: Headers, size: int) -> bool:
    """Starlette would answer in plain text; here every error has one shape."""
    if "range" not in headers or "if-range" in headers:
        return False
    try:
        FileResponse._parse_range_header(headers["range"], size)
    except (MalformedRangeHeader, RangeNotSatisfiable):
        return True
    return False


def _no_such_range(size: int) -> Response:
    fault = errors.InputError(
        "The recording has no such range of bytes.", where="Range", hint=f"It has {size} bytes."
    )
    return JSONResponse(fault.as_problem(), status_code=416, headers={"Content-Range": f"bytes */{size}"})


def _standing(upload: stored.Upload) -> dict[str, str]:
    return _TUS | {"Upload-Offset": str(upload.received), "Upload-Length": str(upload.size)}


def _problem(status: int, fault: errors.InputError, *, offset: int | None = None) -> Response:
    more = {} if offset is None else {"Upload-Offset": str(offset)}
    return JSONResponse(fault.as_problem(), status_code=status, headers=_TUS | more)


def _metadata(text: str) -> dict[str, str]:
    """tus: `key base64, key base64`. Raises: InputError."""
    found = {}
    for pair in text.split(","):
        key, _, encoded = pair.strip().partition(" ")
        try:
            found[key] = base64.b64decode(encoded, validate=True).decode()
        except ValueError as fault:  # also what is no ASCII, or no UTF-8 within
            raise errors.InputError(f"{key!r:.40} is not base64 of text.", where="Upload-Metadata") from fault
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
