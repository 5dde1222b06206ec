"""The microphone, by flet_audio_recorder: a file on a device, a stream of PCM16 from a browser."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import TypeVar

import flet as ft
import flet_audio_recorder as far

from devices import calls, pcm
from domain import errors, ports
from speech import wav

_T = TypeVar("_T")
_log = logging.getLogger(__name__)
_PERMISSION_SECONDS = 60.0
_CALL_SECONDS = 10.0
_SOUND_SECONDS = 15.0


class StreamRecorder:
    """Implements domain.ports.Recorder in a browser: what arrives is on this host's disk at once, as WAV."""

    def __init__(self, clock: ports.Clock, *, sound_within: float = _SOUND_SECONDS) -> None:
        self._clock = clock
        self._sound_within = sound_within
        self._service = far.AudioRecorder(
            configuration=_configuration(far.AudioEncoder.PCM16BITS), on_stream=self._arrived
        )
        self._writer: wav.WavWriter | None = None
        self._failed: errors.JorgeError | None = None
        self._level = 0.0
        self._pace = pcm.Pace(pcm.USUAL)
        self._sounds = asyncio.Event()

    async def start(self, path: Path) -> None:
        """Comes back when sound comes: a microphone may need seconds, and what is said before is not heard.

        Raises: NoMicrophoneError, StoreError.
        """
        _check_free(self._writer, path)
        await _allow(self._service)
        self._failed, self._level = None, 0.0
        self._pace = pcm.Pace(self._pace.format)  # the same microphone as last time, most likely
        self._sounds.clear()
        believed = self._pace.format
        self._writer = wav.WavWriter(path, sample_rate=believed.sample_rate, channels=believed.channels)
        try:
            await _begin(self._service, None)
            await self._heard()
        except errors.NoMicrophoneError:
            self._drop()
            raise

    async def stop(self) -> ports.Recording:
        """Raises: NoMicrophoneError when nothing was recorded, DiskFullError (what was written stays)."""
        writer = _running(self._writer)
        await _end(self._service)
        self._writer, self._level = None, 0.0
        self._pace.look()
        self._correct(writer)
        header = writer.close()
        if self._failed:
            raise self._failed
        if not header.present_bytes:
            writer.path.unlink(missing_ok=True)
            raise _silent_microphone()
        return _recording(writer.path, header)

    async def cancel(self) -> None:
        if self._writer is None:
            return
        await _abandon(self._service)
        self._drop()

    def level(self) -> float:
        return self._level

    def _arrived(self, event: far.AudioRecorderStreamEvent) -> None:
        writer = self._writer
        if writer is None or self._failed or not event.chunk:
            return
        try:
            writer.write(event.chunk)
        except errors.JorgeError as error:
            self._failed = error
            self._sounds.set()
            _log.warning("recorder.write_failed code=%s", error.code)
            return
        self._level = pcm.loudness(event.chunk)
        self._pace.arrived(self._clock.monotonic(), len(event.chunk))
        self._correct(writer)
        self._sounds.set()

    def _correct(self, writer: wav.WavWriter) -> None:
        heard = self._pace.format
        writer.reformat(sample_rate=heard.sample_rate, channels=heard.channels)

    async def _heard(self) -> None:
        try:
            await asyncio.wait_for(self._sounds.wait(), self._sound_within)
        except TimeoutError as error:
            await _abandon(self._service)
            raise _no_microphone() from error

    def _drop(self) -> None:
        writer, self._writer, self._level = self._writer, None, 0.0
        if writer is not None:
            writer.close()
            writer.path.unlink(missing_ok=True)


class FileRecorder:
    """Implements domain.ports.Recorder on a device: the platform writes the WAV file itself."""

    def __init__(self) -> None:
        self._service = far.AudioRecorder(configuration=_configuration(far.AudioEncoder.WAV))
        self._path: Path | None = None

    async def start(self, path: Path) -> None:
        """Raises: NoMicrophoneError, StoreError."""
        _check_free(self._path, path)
        await _allow(self._service)
        path.parent.mkdir(parents=True, exist_ok=True)
        await _begin(self._service, str(path))
        self._path = path

    async def stop(self) -> ports.Recording:
        """Raises: NoMicrophoneError when nothing was recorded."""
        path = _running(self._path)
        await _end(self._service)
        self._path = None
        if not path.exists() or path.stat().st_size <= wav.HEADER_BYTES:
            raise _silent_microphone()
        return _recording(path, wav.repair(path))

    async def cancel(self) -> None:
        path, self._path = self._path, None
        if path is not None:
            await _abandon(self._service)
            path.unlink(missing_ok=True)

    def level(self) -> float:
        """Read off the end of the growing file: the plug-in has no meter."""
        if self._path is None or not self._path.exists():
            return 0.0
        with self._path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(wav.HEADER_BYTES, size - size % 2 - 3_200))
            return pcm.loudness(file.read())


def for_page(page: ft.Page, clock: ports.Clock) -> ports.Recorder:
    """The recorder of this page's platform. Make one per page and keep it."""
    return StreamRecorder(clock) if page.web else FileRecorder()


def recover(path: Path) -> ports.Recording:
    """A recording that a crash left behind, made whole. Raises: AudioError when nothing in it can be saved."""
    return _recording(path, wav.repair(path))


def _configuration(encoder: far.AudioEncoder) -> far.AudioRecorderConfiguration:
    return far.AudioRecorderConfiguration(
        encoder=encoder,
        sample_rate=pcm.ASKED_FOR.sample_rate,
        channels=pcm.ASKED_FOR.channels,
        # Chromium sends 48 kHz mono with noise suppression and 44.1 kHz stereo without; its gain control clips.
        suppress_noise=True,
        auto_gain=False,
    )


def _check_free(running: object | None, path: Path) -> None:
    if running is not None:
        raise errors.NoMicrophoneError(
            "A recording is running already.", where="microphone", hint="Stop it first."
        )
    if path.exists():
        raise errors.StoreError(
            "There is already a recording of this name.", where=path.name, hint="Start a new note."
        )


async def _allow(service: far.AudioRecorder) -> None:
    try:
        allowed = await calls.ask(service.has_permission(), seconds=_PERMISSION_SECONDS)
    except calls.CallFailedError as error:
        raise _no_microphone() from error
    if not allowed:
        raise errors.NoMicrophoneError(
            "The microphone is not allowed.",
            where="microphone",
            hint="Allow it in the browser's or device's settings, or pick an audio file.",
        )


async def _begin(service: far.AudioRecorder, output_path: str | None) -> None:
    try:
        begun = await calls.ask(service.start_recording(output_path=output_path), seconds=_CALL_SECONDS)
    except calls.CallFailedError as error:
        raise _no_microphone() from error
    if not begun:
        raise _no_microphone()


async def _end(service: far.AudioRecorder) -> None:
    """What is on disk is kept even when the client is gone and can't stop any more."""
    try:
        await calls.ask(service.stop_recording(), seconds=_CALL_SECONDS)
    except calls.CallFailedError as error:
        _log.warning("recorder.stop_unanswered reason=%s", type(error.__cause__).__name__)


async def _abandon(service: far.AudioRecorder) -> None:
    try:
        await calls.ask(service.cancel_recording(), seconds=_CALL_SECONDS)
    except calls.CallFailedError as error:
        _log.warning("recorder.cancel_unanswered reason=%s", type(error.__cause__).__name__)


def _recording(path: Path, header: wav.Header) -> ports.Recording:
    return ports.Recording(
        path=path, seconds=header.seconds, sample_rate=header.sample_rate, channels=header.channels
    )


def _running(thing: _T | None) -> _T:
    if thing is None:
        raise errors.NoMicrophoneError(
            "No recording is running.", where="microphone", hint="Start the recording first."
        )
    return thing


def _silent_microphone() -> errors.NoMicrophoneError:
    return errors.NoMicrophoneError(
        "Nothing was recorded.", where="microphone", hint="Check the microphone and record again."
    )


def _no_microphone() -> errors.NoMicrophoneError:
    return errors.NoMicrophoneError(
        "No microphone answered.",
        where="microphone",
        hint="Plug one in or allow it, or pick an audio file instead.",
    )
