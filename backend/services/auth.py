"""Signing in, staying signed in and signing out: opaque tokens, rotated per device, reuse found out.

A refresh token is used once. Using it gives a child; a phone that lost the answer in a tunnel may come back with
the parent as long as nobody used the child: the child is taken back and a new one given. Anything else that
comes back twice is a stolen copy, and the whole sign-in ends.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from backend.actor import Actor
from backend.storage import pool, sessions, users
from domain import errors, ids

if TYPE_CHECKING:
    from backend.deps import Deps

logger = logging.getLogger(__name__)

Held = Mapping[bytes, sessions.Access]
"""What is known of access tokens, by their hash."""

_SIGN_IN_AGAIN = "Sign in again; what you recorded on this device is kept."


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Where a request comes from; `on_this_machine` only when client and server both are on loopback."""

    address: str
    on_this_machine: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """What a device gets: its tokens, and who it works for."""

    access_token: str
    refresh_token: str
    expires_in: int
    user: users.User
    locations: list[users.Location]
    device_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    access: str
    refresh: str


async def login(deps: Deps, *, email: str, password: str, device_id: str, peer: Peer) -> SignedIn:
    """Raises: WrongCredentialsError, TooManyTriesError, ForbiddenError (a demo user from elsewhere)."""
    email = email.strip()
    async with deps.throttle.turn(email, peer.address):
        user = await _known(deps, email)
        if not await deps.passwords.fits(password, user.password_hash if user else None) or user is None:
            deps.throttle.failed(email, peer.address)
            logger.info("auth.login_refused")
            raise _wrong_credentials()
    _refuse_demo_elsewhere(demo=user.demo, peer=peer)
    deps.throttle.succeeded(email, peer.address)
    return await _opened(deps, user, device_id or ids.new_id(), peer)


async def refresh(deps: Deps, *, refresh_token: str, device_id: str, peer: Peer) -> SignedIn:
    """New tokens for old. Raises: TokenExpiredError when the device must sign in again."""
    now = deps.clock.now()
    async with pool.transaction(deps.pool) as connection:
        held = await sessions.locked_refresh(connection, hash_of(refresh_token))
        user = await users.by_id(connection, held.session.user_id) if held else None
        if held is None or user is None or _is_over(held, user, now):
            pair = None
        elif await _is_copy(connection, held, device_id, now):
            await sessions.revoke(connection, held.session.id, why="reuse", now=now)
            logger.warning("auth.reuse", extra={"session": held.session.id})
            pair = None
        else:
            _refuse_demo_elsewhere(demo=user.demo, peer=peer)
            await sessions.mark_used(connection, held.hash, now)
            pair = await _issue(deps, connection, held.session, parent=held.hash)
        locations = await users.locations_of(connection, user) if user else []
    if pair is None or held is None or user is None:
        raise errors.TokenExpiredError("This sign-in has ended.", where="refresh_token", hint=_SIGN_IN_AGAIN)
    return _signed_in(deps, pair, user, locations, held.session.device_id)


async def logout(deps: Deps, actor: Actor) -> None:
    """End this sign-in; other devices stay signed in."""
    async with pool.transaction(deps.pool) as connection:
        await sessions.revoke(connection, actor.session_id, why="logout", now=deps.clock.now())


async def actor_of(deps: Deps, access_token: str, peer: Peer) -> Actor:
    """Who holds this access token. Raises: TokenExpiredError, ForbiddenError."""
    return await actor_behind(deps, hash_of(access_token), peer)


async def actor_behind(deps: Deps, token_hash: bytes, peer: Peer) -> Actor:
    """Who holds the access token with this hash, which is enough to ask again later. Raises: as `actor_of`."""
    return admitted(deps, (await held(deps, [token_hash])).get(token_hash), peer)


async def held(deps: Deps, token_hashes: Collection[bytes]) -> Held:
    """What is known of these access tokens, of those that are known."""
    async with deps.pool.acquire() as connection:
        return await sessions.find_accesses(connection, token_hashes)


def admitted(deps: Deps, access: sessions.Access | None, peer: Peer) -> Actor:
    """Who holds it, if it is good at this moment. Raises: as `actor_of`."""
    if access is None or access.ended or access.expires_at <= deps.clock.now():
        raise errors.TokenExpiredError(
            "The access token is unknown or has expired.",
            where="Authorization",
            hint="Get a new one with POST /api/auth/refresh.",
        )
    _refuse_demo_elsewhere(demo=access.actor.demo, peer=peer)
    return access.actor


async def _known(deps: Deps, email: str) -> users.User | None:
    if not email.isprintable():
        return None
    async with deps.pool.acquire() as connection:
        user = await users.by_email(connection, email)
    return user if user and not user.disabled else None


def _wrong_credentials() -> errors.WrongCredentialsError:
    return errors.WrongCredentialsError(
        "E-mail or password is wrong.", where="login", hint="Check both, then try again."
    )


async def _opened(deps: Deps, user: users.User, device_id: str, peer: Peer) -> SignedIn:
    now = deps.clock.now()
    session = sessions.Session(
        id=ids.new_id(),
        user_id=user.id,
        device_id=device_id,
        created_at=now,
        expires_at=now + timedelta(days=deps.settings.session_days),
    )
    async with pool.transaction(deps.pool) as connection:
        if not await users.still_fits(connection, user):  # changed while the password was looked at
            raise _wrong_credentials()
        await sessions.revoke_user(connection, user.id, why="signed in anew", now=now, device_id=device_id)
        await sessions.add(connection, session)
        pair = await _issue(deps, connection, session, parent=None)
        locations = await users.locations_of(connection, user)
    logger.info("auth.login", extra={"user": user.id, "demo": user.demo})
    return _signed_in(deps, pair, user, locations, device_id)


async def _issue(
    deps: Deps, connection: pool.Connection, session: sessions.Session, *, parent: bytes | None
) -> _Pair:
    now = deps.clock.now()
    pair = _Pair(access=secrets.token_urlsafe(32), refresh=secrets.token_urlsafe(32))
    until = min(session.expires_at, now + timedelta(days=deps.settings.refresh_token_days))
    await sessions.add_refresh(
        connection, hash_of(pair.refresh), session, parent=parent, now=now, expires_at=until
    )
    await sessions.add_access(
        connection,
        hash_of(pair.access),
        refresh_hash=hash_of(pair.refresh),
        session_id=session.id,
        expires_at=now + timedelta(seconds=deps.settings.access_token_seconds),
    )
    return pair


def _is_over(held: sessions.Refresh, user: users.User, now: datetime) -> bool:
    return held.revoked or user.disabled or min(held.expires_at, held.session.expires_at) <= now


async def _is_copy(
    connection: pool.Connection, held: sessions.Refresh, device_id: str, now: datetime
) -> bool:
    """Has somebody else this token too? A used one may come back only while its child is unused."""
    if held.dropped or (device_id and device_id != held.session.device_id):
        return True
    return held.used and not await sessions.drop_unused_child(connection, held.hash, now)


def _refuse_demo_elsewhere(*, demo: bool, peer: Peer) -> None:
    if demo and not peer.on_this_machine:
        raise errors.ForbiddenError(
            "Demo users work on this machine only.",
            where="login",
            hint="Use http://127.0.0.1, or make a real user with `python -m backend create-user`.",
        )


def _signed_in(
    deps: Deps, pair: _Pair, user: users.User, locations: list[users.Location], device_id: str
) -> SignedIn:
    return SignedIn(
        access_token=pair.access,
        refresh_token=pair.refresh,
        expires_in=deps.settings.access_token_seconds,
        user=user,
        locations=locations,
        device_id=device_id,
    )


def hash_of(token: str) -> bytes:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).digest()
