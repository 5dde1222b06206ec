"""WAV files written while somebody speaks: valid on disk after each second, repairable after a crash."""

from __future__ import annotations

import errno
import os
import struct
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from domain import errors

HEADER_BYTES = 44
_SAMPLE_BYTES = 2
_STREAMING = (0, 0xFFFFFFFF)
_RIFF_LIMIT = 0xFFFFFFFF - HEADER_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a WAV header says, and how much sound really follows it."""

    sample_rate: int
    channels: int
    block_align: int
    data_offset: int
    declared_bytes: int
    present_bytes: int
    behind_bytes: int

    @property
    def seconds(self) -> float:
        return self.present_bytes / (self.sample_rate * self.block_align)

    @property
    def missing_seconds(self) -> float:
        """How much of what the header promises is not there; a header still open promises nothing."""
        if self.declared_bytes in _STREAMING:
            return 0.0
        missing = max(0, self.declared_bytes - self.present_bytes)
        return missing / (self.sample_rate * self.block_align)


class WavWriter:
    """Writes PCM16 as it comes; the header is true again after each second of sound."""

    def __init__(self, path: Path, *, sample_rate: int, channels: int) -> None:
        """Raises: DiskFullError, StoreError."""
        self.path = path
        self._rate = sample_rate
        self._channels = channels
        self._bytes = 0
        self._patched_bytes = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Unbuffered: what was written is with the system at once, and a failed write leaves nothing behind.
            self._file: FileIO = path.open("w+b", buffering=0)
        except OSError as error:
            raise _disk_error(error, path) from error
        try:
            self._patch()
        except OSError as error:
            self._file.close()
            raise _disk_error(error, path) from error

    @property
    def bytes_written(self) -> int:
        return self._bytes

    @property
    def seconds(self) -> float:
        return self._bytes / self._bytes_per_second

    def write(self, chunk: bytes) -> None:
        """Raises: DiskFullError; what was written before stays valid."""
        try:
            rest = memoryview(chunk)
            while rest:
                written = self._file.write(rest)
                self._bytes += written
                rest = rest[written:]
            if self._bytes - self._patched_bytes >= self._bytes_per_second:
                self._patch()
        except OSError as error:
            raise _disk_error(error, self.path) from error

    def reformat(self, *, sample_rate: int, channels: int) -> None:
        """Corrects the header when the microphone turns out to deliver another rate than asked for."""
        if (sample_rate, channels) != (self._rate, self._channels):
            self._rate, self._channels = sample_rate, channels
            self._patch()

    def close(self) -> Header:
        """Raises: DiskFullError."""
        try:
            self._patch()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise _disk_error(error, self.path) from error
        finally:
            self._file.close()
        return read_header(self.path)

    @property
    def _bytes_per_second(self) -> int:
        return self._rate * self._channels * _SAMPLE_BYTES

    def _patch(self) -> None:
        whole = self._bytes - self._bytes % (self._channels * _SAMPLE_BYTES)
        self._file.seek(0)
        self._file.write(header_bytes(sample_rate=self._rate, channels=self._channels, data_bytes=whole))
        self._file.seek(0, os.SEEK_END)
        self._patched_bytes = self._bytes


def header_bytes(*, sample_rate: int, channels: int, data_bytes: int) -> bytes:
    """The 44 bytes before PCM16 sound."""
    align = channels * _SAMPLE_BYTES
    size = min(data_bytes, _RIFF_LIMIT)
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        size + HEADER_BYTES - 8,
        b"WAVE",
        b"fmt ",
        16,
        1,
        channels,
        sample_rate,
        sample_rate * align,
        align,
        _SAMPLE_BYTES * 8,
        b"data",
        size,
    )


def read_header(path: Path) -> Header:
    """Raises: AudioError when this is no WAV file or its header is broken."""
    try:
        with path.open("rb") as file:
            return _parse(file, path)
    except OSError as error:
        raise errors.AudioError(
            "The recording can't be opened.", where=path.name, hint="Check that the file is still there."
        ) from error


def repair(path: Path) -> Header:
    """Makes the header tell the sound that is really there, after a crash or a cut-off copy. Keeps every sample.

    Raises: AudioError when there is no WAV header to repair.
    """
    header = read_header(path)
    found = header.behind_bytes if header.data_offset == HEADER_BYTES else header.present_bytes
    whole = found - found % header.block_align
    if whole != header.declared_bytes:
        with path.open("r+b") as file:
            file.seek(4)
            file.write(struct.pack("<I", min(header.data_offset + whole - 8, 0xFFFFFFFF)))
            file.seek(header.data_offset - 4)
            file.write(struct.pack("<I", min(whole, _RIFF_LIMIT)))
            file.flush()
            os.fsync(file.fileno())
    return read_header(path)


def _parse(file: BinaryIO, path: Path) -> Header:
    start = file.read(12)
    if start[:4] != b"RIFF" or start[8:12] != b"WAVE":
        raise _broken(path, "This is not a WAV file.")
    fmt = b""
    while len(head := file.read(8)) == 8:
        name, size = struct.unpack("<4sI", head)
        if name == b"data":
            return _header(fmt, path, offset=file.tell(), declared=size)
        body = file.read(size + size % 2)
        if name == b"fmt ":
            fmt = body
    raise _broken(path, "The recording holds no audio: its header is all there is.")


def _header(fmt: bytes, path: Path, *, offset: int, declared: int) -> Header:
    if len(fmt) < 16:
        raise _broken(path, "The recording's header is damaged.")
    _kind, channels, rate, _per_second, align = struct.unpack("<HHIIH", fmt[:14])
    if not (channels and rate and align):
        raise _broken(path, "The recording's header is damaged.")
    behind = path.stat().st_size - offset
    present = behind if declared in _STREAMING else min(declared, behind)
    return Header(
        sample_rate=rate,
        channels=channels,
        block_align=align,
        data_offset=offset,
        declared_bytes=declared,
        present_bytes=present,
        behind_bytes=behind,
    )


def _broken(path: Path, message: str) -> errors.AudioError:
    return errors.AudioError(
        message, where=path.name, hint="The file was kept. Record again, or choose another file."
    )


def _disk_error(error: OSError, path: Path) -> errors.JorgeError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return errors.DiskFullError(
            "The disk is full; the recording was kept up to here.", where=path.name, hint="Free some space."
        )
    return errors.StoreError(
        "The recording can't be written; it was kept up to here.",
        where=path.name,
        hint="Check that the app may write to its data folder.",
    )
