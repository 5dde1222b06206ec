"""Who signed in on this device before: one small file beside the stores, replaced in one step."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from domain import errors
from services.user import Role, User

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A person known here. `verifier` is a scrypt hash, empty = only the server can check the password."""

    user_id: str
    name: str
    email: str
    role: str
    location_ids: tuple[str, ...]
    salt: str = ""
    verifier: str = ""
    failures: int = 0
    locked_until: float = 0.0
    signed_in_at: str = ""

    @property
    def user(self) -> User:
        return User(
            id=self.user_id,
            name=self.name,
            email=self.email,
            role=Role(self.role),
            location_ids=self.location_ids,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A browser or device that stays signed in; only the hash of its token is kept."""

    user_id: str
    expires_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """Accounts by user id, sessions by the hash of their token."""

    accounts: Mapping[str, Account] = field(default_factory=dict)
    sessions: Mapping[str, Session] = field(default_factory=dict)

    def by_email(self, email: str) -> Account | None:
        return next((account for account in self.accounts.values() if account.email == email), None)

    def with_account(self, account: Account) -> Book:
        return replace(self, accounts={**self.accounts, account.user_id: account})

    def with_session(self, token_hash: str, session: Session, *, now: float) -> Book:
        """Sessions that are over go."""
        kept = {key: old for key, old in self.sessions.items() if old.expires_at > now}
        return replace(self, sessions={**kept, token_hash: session})

    def without_session(self, token_hash: str) -> Book:
        kept = {key: old for key, old in self.sessions.items() if key != token_hash}
        return replace(self, sessions=kept)


def read(path: Path) -> Book:
    """The book; a damaged file is set aside: people sign in with the server again, their stores stay."""
    try:
        return _parsed(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return Book()
    except OSError as fault:
        raise _unusable(path) from fault
    except (ValueError, TypeError, KeyError, AttributeError):
        logger.warning("accounts.damaged file=%s", path.name)
        _set_aside(path)
        return Book()


def write(path: Path, book: Book) -> None:
    """Raises: StoreError."""
    body = {
        "accounts": {key: asdict(account) for key, account in book.accounts.items()},
        "sessions": {key: asdict(session) for key, session in book.sessions.items()},
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = path.with_suffix(".new")
        new.unlink(missing_ok=True)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(body, file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as fault:
        raise _unusable(path) from fault


def _parsed(body: Mapping[str, Any]) -> Book:
    return Book(
        accounts={key: _account(value) for key, value in body["accounts"].items()},
        sessions={key: Session(**value) for key, value in body["sessions"].items()},
    )


def _account(value: Mapping[str, Any]) -> Account:
    account = Account(**{**value, "location_ids": tuple(value["location_ids"])})
    Role(account.role)
    return account


def _set_aside(path: Path) -> None:
    try:
        path.replace(path.with_suffix(".damaged"))
    except OSError as fault:
        raise _unusable(path) from fault


def _unusable(path: Path) -> errors.StoreError:
    return errors.StoreError(
        "The list of people who signed in here can't be used.",
        where=str(path),
        hint="Check that the app may read and write its data folder and that the disk is not full.",
    )
