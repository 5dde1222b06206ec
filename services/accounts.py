"""Signing in on this device: by the server, or, for who did so here before, with no network."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets as randomness
import uuid
from dataclasses import dataclass, replace
from pathlib import Path

from domain import errors, ports, values
from services import account_book
from services.account_book import Account, Book, Session
from services.ports import SessionGrant, SignIn
from services.user import Role, User

SESSION_DAYS = 30
FREE_TRIES = 5
MAX_TRIES = 10
FIRST_WAIT_SECONDS = 30.0
_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 2**15, 8, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Who is in, where their store is, and the token that keeps this browser or device signed in.

    `grant` is there when the server answered; `offline_why` says why it did not.
    """

    user: User
    store_path: Path
    session_token: str
    grant: SessionGrant | None = None
    offline_why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """People on this device. One file for all; each person's store is a file of its own."""

    data: Path
    clock: ports.Clock
    sign_in: SignIn

    async def log_in(self, email: str, password: str) -> SignedIn:
        """Asks the server; without an answer, unlocks what is here already.

        Raises: InputError, WrongCredentialsError, TooManyTriesError, NetworkError (never signed in here before).
        """
        email = _checked(email, password)
        try:
            grant = await self.sign_in.login(email, password)
        except errors.NetworkError as fault:
            account = await self._unlock(email, password, fault)
            return self._entered(account, offline_why=fault.message)
        account = await self._remember(grant, email, password)
        return self._entered(account, grant=grant)

    def resume(self, session_token: str) -> SignedIn | None:
        """The person behind a token from an earlier sign-in; None = sign in again."""
        book = self._read()
        session = book.sessions.get(_hash(session_token))
        if session is None or session.expires_at <= self._now():
            return None
        account = book.accounts.get(session.user_id)
        if account is None:
            return None
        user = account.user
        return SignedIn(user=user, store_path=self.store_path(user), session_token=session_token)

    def log_out(self, session_token: str, *, unsent: int = 0, force: bool = False) -> None:
        """Ends this browser's or device's session. The store stays, and with it all that is unsent.

        Raises: RuleError while work is unsent, unless forced.
        """
        if unsent and not force:
            changes = "1 change is" if unsent == 1 else f"{unsent} changes are"
            raise errors.RuleError(
                f"{changes} not on the server yet.",
                where="log out",
                hint="Send now, or log out all the same: they stay on this device and are sent when you sign in again.",
            )
        self._write(self._read().without_session(_hash(session_token)))

    def is_in(self, user: User) -> bool:
        """Whether any window or device session of this person is left."""
        now = self._now()
        return any(s.user_id == user.id and s.expires_at > now for s in self._read().sessions.values())

    def known(self) -> tuple[User, ...]:
        """Who signed in here before, the latest first."""
        accounts = sorted(
            self._read().accounts.values(), key=lambda account: account.signed_in_at, reverse=True
        )
        return tuple(account.user for account in accounts)

    def store_path(self, user: User) -> Path:
        """A file of this person's own. Raises: InputError for an id that is none."""
        try:
            folder = str(uuid.UUID(user.id))
        except ValueError as fault:
            raise errors.InputError("This is no user id.", where="user id") from fault
        return self.data / "users" / folder / "store.db"

    def _entered(
        self, account: Account, *, grant: SessionGrant | None = None, offline_why: str = ""
    ) -> SignedIn:
        token = randomness.token_urlsafe(32)
        session = Session(user_id=account.user_id, expires_at=self._now() + SESSION_DAYS * 86400)
        self._write(self._read().with_session(_hash(token), session, now=self._now()))
        return SignedIn(
            user=account.user,
            store_path=self.store_path(account.user),
            session_token=token,
            grant=grant,
            offline_why=offline_why,
        )

    async def _remember(self, grant: SessionGrant, email: str, password: str) -> Account:
        salt = randomness.token_bytes(16)
        verifier = await asyncio.to_thread(_scrypt, password, salt)
        account = Account(
            user_id=grant.user_id,
            name=grant.name,
            email=email,
            role=Role(grant.role).value,
            location_ids=grant.location_ids,
            salt=salt.hex(),
            verifier=verifier.hex(),
            signed_in_at=values.time_text(self.clock.now()),
        )
        self._write(self._read().with_account(account))
        return account

    async def _unlock(self, email: str, password: str, fault: errors.NetworkError) -> Account:
        account = self._read().by_email(email)
        if account is None or not account.verifier:
            fault.hint = "The first sign-in on this device needs the server. " + fault.hint
            raise fault
        self._check_wait(account)
        given = await asyncio.to_thread(_scrypt, password, bytes.fromhex(account.salt))
        if hmac.compare_digest(given.hex(), account.verifier):
            account = replace(account, failures=0, locked_until=0.0)
            self._write(self._read().with_account(account))
            return account
        book = self._read()
        self._write(book.with_account(self._failed(book.by_email(email) or account)))
        raise errors.WrongCredentialsError(
            "E-mail or password is wrong.",
            where="sign in",
            hint="Checked on this device, for the server did not answer. A new password needs the network once.",
        )

    def _check_wait(self, account: Account) -> None:
        wait = account.locked_until - self._now()
        if wait > 0:
            raise errors.TooManyTriesError(
                "Too many wrong passwords.",
                where="sign in",
                hint=f"Try again in {round(wait)} seconds, or with a network.",
                retry_after=wait,
            )

    def _failed(self, account: Account) -> Account:
        """Five tries are free, then the wait doubles; after ten only the server can let them in."""
        failures = account.failures + 1
        if failures >= MAX_TRIES:
            return replace(account, failures=0, locked_until=0.0, salt="", verifier="")
        extra = failures - FREE_TRIES
        wait = FIRST_WAIT_SECONDS * 2**extra if extra >= 0 else 0.0
        return replace(account, failures=failures, locked_until=self._now() + wait)

    def _now(self) -> float:
        return self.clock.now().timestamp()

    def _read(self) -> Book:
        return account_book.read(self.data / "accounts.json")

    def _write(self, book: Book) -> None:
        account_book.write(self.data / "accounts.json", book)


def _checked(email: str, password: str) -> str:
    email = email.strip().casefold()
    if "@" not in email:
        raise errors.InputError(
            "This is no e-mail address.", where="email", hint="Give it as name@example.com."
        )
    if not password:
        raise errors.InputError("The password is missing.", where="password", hint="Type your password.")
    return email


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(
        password.encode(), salt=salt, n=_SCRYPT_N, r=_SCRYPT_R, p=_SCRYPT_P, maxmem=2**26, dklen=32
    )
