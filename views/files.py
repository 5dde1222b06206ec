"""Files of the person: pick one to read, or hand one out; the browser's own dialogs do it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import flet as ft

from domain import errors
from views import context

AUDIO = ("wav", "mp3", "m4a", "mp4", "aac", "ogg", "opus", "webm", "flac")


@dataclass(frozen=True, slots=True, kw_only=True)
class Picked:
    """A file that a person chose, whole."""

    name: str
    content: bytes


def _picker(page: ft.Page) -> ft.FilePicker:
    """One for each window, kept: an unreferenced service is dropped (flet.md, 4)."""
    return context.of_window(page, ft.FilePicker)


async def pick_audio(page: ft.Page, title: str) -> Picked | None:
    """None when the person thought better of it. Raises: DeviceError."""
    try:
        found = await _picker(page).pick_files(
            dialog_title=title,
            file_type=ft.FilePickerFileType.CUSTOM,
            allowed_extensions=list(AUDIO),
            with_data=True,
        )
    except (RuntimeError, TimeoutError, ft.FletUnsupportedPlatformException) as fault:
        raise _no_dialog() from fault
    for file in found or []:
        content = file.bytes
        if content is None and file.path:
            content = await asyncio.to_thread(Path(file.path).read_bytes)
        return Picked(name=file.name, content=content or b"")
    return None


async def hand_out(page: ft.Page, name: str, content: bytes) -> str:
    """A download in a browser (answers empty); elsewhere the person says where, and that is answered. Raises: DeviceError."""
    try:
        return await _picker(page).save_file(file_name=name, src_bytes=content) or ""
    except (RuntimeError, TimeoutError, ft.FletUnsupportedPlatformException) as fault:
        raise _no_dialog() from fault


def _no_dialog() -> errors.DeviceError:
    return errors.DeviceError(
        "This device shows no file dialog.", where="files", hint="Try again, or use the app in a browser."
    )
