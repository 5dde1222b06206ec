"""Every error of the product, in one tree; each says what was wrong, where, and what to do.

JorgeError
├── InputError (ValueError)              what a person or a file gave is wrong
│   ├── ImportFileError                  a CSV file as a whole can't be read
│   ├── RuleError                        a change that the domain's rules forbid
│   └── NotFoundError (LookupError)      no such row, or none that this person may see
├── AccessError (PermissionError)
│   ├── WrongCredentialsError            e-mail or password is wrong
│   ├── TokenExpiredError                sign in again, or refresh
│   ├── ForbiddenError                   signed in, but not allowed to
│   └── TooManyTriesError                wait, then try again (carries retry_after)
├── StoreError                           this device's database
│   ├── NotADatabaseError                the file is no SQLite database
│   ├── StoreTooNewError                 written by a newer version of the app
│   └── DiskFullError                    nothing more can be saved
├── NetworkError (ConnectionError)
│   ├── UnreachableError                 no answer: off, no network, time-out
│   ├── FirstSyncBusyError               too many load at once: news and changes go on (carries retry_after)
│   ├── ServerFaultError                 answered with a fault of its own (carries retry_after)
│   ├── NotOurServerError                something answered, but it is not a Jorge server
│   └── VersionMismatchError             the server speaks another version of the protocol
├── TooMuchError                         a question that would take too long (carries retry_after)
├── SyncError                            device and server can't go on from where they were
│   ├── DeviceForkedError                two stores push under one device's id: take a new id, send again
│   └── ResyncError                      the cursor leads nowhere: start over, unsent work stays
├── SpeechError
│   ├── AudioError                       the recording can't be read, or is too long
│   ├── NoEngineError                    no speech engine on this device: the note waits for the server
│   ├── NoModelError                     engine present, model not (offer the download)
│   └── ModelDownloadError               download cut off or checksum wrong; what arrived is kept
├── DeviceError                          hardware or permission
│   ├── NoLocationError
│   └── NoMicrophoneError
└── StartError                           a program of ours can't start
    ├── SettingsError                    a setting is missing or wrong
    ├── PortTakenError                   another program listens there
    └── EngineError                      embedded PostgreSQL or Valkey did not start
"""

from __future__ import annotations


class JorgeError(Exception):
    """Root of the tree. `code` is stable for programs; the other three are for people."""

    code = "error"

    def __init__(
        self,
        message: str,
        *,
        where: str = "",
        hint: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint
        self.retry_after = retry_after

    def as_problem(self) -> dict[str, str]:
        """The one JSON error shape: code, message, where, hint."""
        return {
            "code": self.code,
            "message": self.message,
            "where": self.where,
            "hint": self.hint,
        }

    def __str__(self) -> str:
        return " ".join(
            part for part in (self.message, f"({self.where})" if self.where else "", self.hint) if part
        )


class InputError(JorgeError, ValueError):
    code = "input"


class ImportFileError(InputError):
    code = "import_file"


class RuleError(InputError):
    code = "rule"


class NotFoundError(InputError, LookupError):
    code = "not_found"


class AccessError(JorgeError, PermissionError):
    code = "access"


class WrongCredentialsError(AccessError):
    code = "wrong_credentials"


class TokenExpiredError(AccessError):
    code = "token_expired"


class ForbiddenError(AccessError):
    code = "forbidden"


class TooManyTriesError(AccessError):
    code = "too_many_tries"


class StoreError(JorgeError):
    code = "store"


class NotADatabaseError(StoreError):
    code = "not_a_database"


class StoreTooNewError(StoreError):
    code = "store_too_new"


class DiskFullError(StoreError):
    code = "disk_full"


class NetworkError(JorgeError, ConnectionError):
    code = "network"


class UnreachableError(NetworkError):
    code = "unreachable"


class FirstSyncBusyError(NetworkError):
    code = "first_sync_busy"


class ServerFaultError(NetworkError):
    code = "server_fault"


class NotOurServerError(NetworkError):
    code = "not_our_server"


class VersionMismatchError(NetworkError):
    code = "version_mismatch"


class TooMuchError(JorgeError):
    code = "too_much"


class SyncError(JorgeError):
    code = "sync"


class DeviceForkedError(SyncError):
    code = "device_forked"


class ResyncError(SyncError):
    code = "resync"


class SpeechError(JorgeError):
    code = "speech"


class AudioError(SpeechError):
    code = "audio"


class NoEngineError(SpeechError):
    code = "no_engine"


class NoModelError(SpeechError):
    code = "no_model"


class ModelDownloadError(SpeechError):
    code = "model_download"


class DeviceError(JorgeError):
    code = "device"


class NoLocationError(DeviceError):
    code = "no_location"


class NoMicrophoneError(DeviceError):
    code = "no_microphone"


class StartError(JorgeError):
    code = "start"


class SettingsError(StartError):
    code = "settings"


class PortTakenError(StartError):
    code = "port_taken"


class EngineError(StartError):
    code = "engine"
