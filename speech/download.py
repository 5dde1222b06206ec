"""Fetching a model's files: resumable, checked, and put into place only when whole."""

from __future__ import annotations

import hashlib
import logging
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from domain import errors
from speech import catalogue

_log = logging.getLogger(__name__)
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_SHA256 = re.compile(r"^[0-9a-f]{64}$")
_GIT_SHA1 = re.compile(r"^[0-9a-f]{40}$")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(slots=True, kw_only=True)
class _Progress:
    """Bytes of the whole model, told as 0 to 1."""

    total: int
    tell: Callable[[float], None]
    before: int = 0

    def at(self, in_this_file: int) -> None:
        if self.total:
            self.tell(min(1.0, (self.before + in_this_file) / self.total))


def fetch_model(
    model: catalogue.Model,
    root: Path,
    *,
    base_url: str = catalogue.DEFAULT_BASE_URL,
    on_progress: Callable[[float], None] | None = None,
) -> Path:
    """Leaves the model in `root/<name>`. Raises: ModelDownloadError; the next call goes on from what arrived."""
    target, arriving = root / model.name, root / f".{model.name}.part"
    if target.is_dir() and all(_is_right(file, target / file.name) for file in model.files):
        return target
    progress = _Progress(total=model.size, tell=on_progress or _ignore)
    try:
        _take_back(target, arriving)
        arriving.mkdir(parents=True, exist_ok=True)
        _check_room(model, arriving)
        with httpx.Client(follow_redirects=True, timeout=_TIMEOUT) as client:
            for file in model.files:
                _fetch_file(client, model.url(file, base_url), file, arriving, progress)
                progress.before += file.size or 0
        arriving.rename(target)
    except OSError as error:
        raise _error(
            "The speech model can't be saved.", str(root), "Free some space and try again."
        ) from error
    _log.info("speech.model_downloaded name=%s", model.name)
    progress.tell(1.0)
    return target


def _fetch_file(
    client: httpx.Client, url: str, file: catalogue.ModelFile, folder: Path, progress: _Progress
) -> None:
    whole, part = folder / file.name, folder / f"{file.name}.part"
    if _is_right(file, whole):
        progress.at(_size(whole))
        return
    whole.unlink(missing_ok=True)
    checksum = file.sha256
    if file.size is None or checksum is None or _size(part) != file.size:
        try:
            offered = _receive(client, url, file, part, progress)
        except httpx.HTTPError as error:
            raise _cut_off(file, part) from error
        checksum = checksum or offered
    _check_size(file, part)
    _check_sum(checksum, file, part)
    part.rename(whole)


def _is_right(file: catalogue.ModelFile, path: Path) -> bool:
    if not path.is_file() or file.size not in (None, _size(path)):
        return False
    return file.sha256 is None or _digest(path, git=False) == file.sha256


def _take_back(target: Path, arriving: Path) -> None:
    """A model that was damaged on disk is fetched again; its files that are still right are used."""
    if not target.is_dir():
        return
    if arriving.exists():
        shutil.rmtree(target)
    else:
        target.rename(arriving)


def _receive(
    client: httpx.Client, url: str, file: catalogue.ModelFile, part: Path, progress: _Progress
) -> str:
    """Appends what is missing and returns the checksum that the server names, if any."""
    have = _size(part)
    if file.size is not None and have > file.size:
        part.unlink()
        have = 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with client.stream("GET", url, headers=headers) as response:
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.unlink(missing_ok=True)
            raise _error(
                "The speech model on the server has changed.", file.name, "Try again: it starts afresh."
            )
        if response.status_code not in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
            raise _refused(response, file)
        if file.sha256 is None:
            _check_safe(response, file)
        goes_on = _goes_on(response, have)
        with part.open("ab" if goes_on else "wb") as out:
            _copy(response, out.write, file, progress, have if goes_on else 0)
        return _offered_checksum(response)


def _goes_on(response: httpx.Response, have: int) -> bool:
    """Whether the answer continues at our byte; a server that ignores Range sends all again."""
    sent_range: str = response.headers.get("content-range", "")
    return response.status_code == httpx.codes.PARTIAL_CONTENT and sent_range.startswith(f"bytes {have}-")


def _copy(
    response: httpx.Response,
    write: Callable[[bytes], int],
    file: catalogue.ModelFile,
    progress: _Progress,
    done: int,
) -> None:
    for chunk in response.iter_bytes():
        done += len(chunk)
        if file.size is not None and done > file.size:
            raise _error("The server sent more than this file holds.", file.name, "Use another address.")
        write(chunk)
        progress.at(done)


def _offered_checksum(response: httpx.Response) -> str:
    """Hugging Face names the LFS object's SHA-256 on the answer that redirects to its store."""
    answers = (*response.history, response)
    for header in ("x-linked-etag", "etag"):
        for answer in answers:
            value: str = answer.headers.get(header, "").removeprefix("W/").strip('"').lower()
            if _SHA256.match(value) or _GIT_SHA1.match(value):
                return value
    return ""


def _check_safe(response: httpx.Response, file: catalogue.ModelFile) -> None:
    for answer in (*response.history, response):
        if answer.url.scheme != "https" and answer.url.host not in _LOOPBACK:
            raise _error("This address is not encrypted.", file.name, "Use an https address.")


def _check_size(file: catalogue.ModelFile, part: Path) -> None:
    if file.size is not None and _size(part) != file.size:
        raise _cut_off(file, part)


def _check_sum(expected: str, file: catalogue.ModelFile, part: Path) -> None:
    if not expected:
        raise _error(
            "The server names no checksum for this file.",
            file.name,
            "Use the original address or a full mirror.",
        )
    if _digest(part, git=len(expected) == 40) == expected:
        return
    part.unlink()
    raise _error(
        "The speech model arrived damaged: its checksum is wrong.",
        file.name,
        "Try again: this file starts afresh, the others are kept.",
    )


def _digest(path: Path, *, git: bool) -> str:
    digest = (
        hashlib.sha1(f"blob {_size(path)}\0".encode(), usedforsecurity=False) if git else hashlib.sha256()
    )
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _check_room(model: catalogue.Model, folder: Path) -> None:
    needed = model.size - sum(_size(path) for path in folder.iterdir())
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise _error(
            f"There is not enough room: {needed / 2**20:.0f} MB needed, {free / 2**20:.0f} MB free.",
            model.name,
            "Free some space, or choose a smaller model.",
        )


def _cut_off(file: catalogue.ModelFile, part: Path) -> errors.ModelDownloadError:
    of_all = f" of {file.size / 2**20:.1f}" if file.size else ""
    return _error(
        f"The download was cut off after {_size(part) / 2**20:.1f}{of_all} MB.",
        file.name,
        "Check the network and try again: it goes on from there.",
    )


def _refused(response: httpx.Response, file: catalogue.ModelFile) -> errors.ModelDownloadError:
    return _error(
        f"The server refused the speech model (HTTP {response.status_code}).",
        file.name,
        "Check the download address in the settings, or try again later.",
    )


def _error(message: str, where: str, hint: str) -> errors.ModelDownloadError:
    return errors.ModelDownloadError(message, where=where, hint=hint)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _ignore(_part: float) -> None:
    return None
