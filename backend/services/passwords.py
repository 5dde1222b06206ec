"""Password hashing: argon2id, two at a time, and as slow for unknown users as for known ones."""

from __future__ import annotations

import asyncio
import secrets

import argon2

from domain import errors

_MOST_WAITING = 32


class Passwords:
    """Hashes and checks passwords off the loop; a login flood waits in a short queue, then is turned away."""

    def __init__(self, *, at_once: int = 2) -> None:
        # OWASP profile: 19 MiB, 2 passes, 1 lane (about 50 ms of CPU).
        self._hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
        self._turn = asyncio.Semaphore(at_once)
        self._waiting = 0
        self._nobody: str | None = None

    async def hash(self, password: str) -> str:
        async with self._turn:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def fits(self, password: str, password_hash: str | None) -> bool:
        """Does the password fit? None (unknown user) costs the same and is always False. Raises: TooManyTriesError."""
        if self._waiting >= _MOST_WAITING:
            raise errors.TooManyTriesError(
                "Too many people are signing in at this moment.",
                where="login",
                hint="Try again.",
                retry_after=5,
            )
        self._waiting += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(self._check, password, password_hash)
        finally:
            self._waiting -= 1

    def outdated(self, password_hash: str) -> bool:
        """True when the stored hash was made with other costs than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    def _check(self, password: str, password_hash: str | None) -> bool:
        known = password_hash is not None
        if self._nobody is None:
            self._nobody = self._hasher.hash(secrets.token_hex(16))
        try:
            return self._hasher.verify(password_hash or self._nobody, password) and known
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False
