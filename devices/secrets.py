"""Where tokens are kept: the platform's keystore on a device, a private file beside a web host."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import threading
from collections.abc import Awaitable
from pathlib import Path
from typing import TypeVar

import flet_secure_storage as storage

from devices import calls
from domain import errors

_T = TypeVar("_T")
_log = logging.getLogger(__name__)
_PREFIX = "jorge."
_SECONDS = 10.0


class FileSecrets:
    """Implements domain.ports.Secrets: one JSON file, mode 0600, replaced in one step. For a web host and tests."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    async def get(self, name: str) -> str | None:
        return (await asyncio.to_thread(self._read_locked)).get(name)

    async def set(self, name: str, value: str) -> None:
        """Raises: StoreError when the file can't be written."""
        await asyncio.to_thread(self._change, name, value)

    async def remove(self, name: str) -> None:
        """Raises: StoreError when the file can't be written."""
        await asyncio.to_thread(self._change, name, None)

    def _read_locked(self) -> dict[str, str]:
        with self._lock:
            return self._read()

    def _change(self, name: str, value: str | None) -> None:
        with self._lock:
            held = self._read()
            if held.get(name) == value:
                return
            held.pop(name, None)
            try:
                self._write(held if value is None else held | {name: value})
            except OSError as error:
                raise _unwritable(self._path) from error

    def _read(self) -> dict[str, str]:
        try:
            held = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (ValueError, OSError):
            held = None
        if isinstance(held, dict):
            return {str(name): str(value) for name, value in held.items()}
        self._set_aside()
        return {}

    def _set_aside(self) -> None:
        """A damaged file means signing in again, never a crash; it is kept for whoever must look at it."""
        _log.warning("secrets.damaged file=%s", self._path.name)
        try:
            self._path.replace(self._path.with_suffix(".damaged"))
        except OSError as error:
            raise _unwritable(self._path) from error

    def _write(self, held: dict[str, str]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = self._path.with_suffix(".new")
        new.unlink(missing_ok=True)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(held, file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)


class FletSecrets:
    """Implements domain.ports.Secrets on the platform's keystore. Make one per page and keep it."""

    def __init__(self) -> None:
        # Never let a key that can't be read right now erase the rest (reset_on_error is on by default).
        self._service = storage.SecureStorage(android_options=storage.AndroidOptions(reset_on_error=False))

    async def get(self, name: str) -> str | None:
        """Raises: StoreError when the keystore can't be read."""
        return await _guarded(self._service.get(_PREFIX + name))

    async def set(self, name: str, value: str) -> None:
        """Raises: StoreError."""
        await _guarded(self._service.set(_PREFIX + name, value))

    async def remove(self, name: str) -> None:
        """Raises: StoreError."""
        await _guarded(self._service.remove(_PREFIX + name))


async def _guarded(call: Awaitable[_T]) -> _T:
    try:
        return await calls.ask(call, seconds=_SECONDS)
    except calls.CallFailedError as error:
        raise errors.StoreError(
            "The device's keystore can't be used.",
            where="keystore",
            hint="Unlock the device, or set up a keyring, and try again.",
        ) from error


def _unwritable(path: Path) -> errors.StoreError:
    return errors.StoreError(
        "The sign-in can't be saved.",
        where=str(path),
        hint="Check that the app may write to its data folder and that the disk is not full.",
    )
