"""Routes for signing in and out: /api/auth."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Response
from pydantic import BaseModel, Field

from backend.api.body import Body, Json, Text
from backend.api.deps import CurrentUser, FromPeer, Parts
from backend.services import auth
from backend.storage import users

router = APIRouter(prefix="/api/auth", tags=["auth"])


class LoginForm(BaseModel):
    """OAuth2's password form; its other fields (grant_type, scope, client_id) are let through unread."""

    username: str = Field(max_length=320)
    password: str = Field(max_length=1024)
    device_id: str = Field("", max_length=100, pattern=r"^[\w.:-]*$")


class RefreshBody(Body):
    refresh_token: Text
    device_id: Text = ""


@router.post("/login")
async def login(deps: Parts, peer: FromPeer, response: Response, form: Annotated[LoginForm, Form()]) -> Json:
    """Tokens for e-mail and password (OAuth2 password form, plus an optional `device_id`)."""
    response.headers["Cache-Control"] = "no-store"
    return _as_json(
        await auth.login(
            deps, email=form.username, password=form.password, device_id=form.device_id, peer=peer
        )
    )


@router.post("/refresh")
async def refresh(deps: Parts, peer: FromPeer, response: Response, body: RefreshBody) -> Json:
    """New tokens for a refresh token; repeat it with the same token if the answer got lost."""
    response.headers["Cache-Control"] = "no-store"
    return _as_json(
        await auth.refresh(deps, refresh_token=body.refresh_token, device_id=body.device_id, peer=peer)
    )


@router.post("/logout", status_code=204)
async def logout(deps: Parts, actor: CurrentUser) -> None:
    """End this sign-in."""
    await auth.logout(deps, actor)


@router.get("/me")
async def me(deps: Parts, actor: CurrentUser) -> Json:
    """Who I am and which locations I may see."""
    async with deps.pool.acquire() as connection:
        user = await users.by_id(connection, actor.id)
        assert user is not None  # the access token hangs on the row
        locations = await users.locations_of(connection, user)
    return {"user": _user_json(user, locations), "demo": user.demo, "device_id": actor.device_id}


def _as_json(signed_in: auth.SignedIn) -> Json:
    return {
        "access_token": signed_in.access_token,
        "refresh_token": signed_in.refresh_token,
        "token_type": "bearer",
        "expires_in": signed_in.expires_in,
        "device_id": signed_in.device_id,
        "user": _user_json(signed_in.user, signed_in.locations),
        "demo": signed_in.user.demo,
    }


def _user_json(user: users.User, locations: list[users.Location]) -> Json:
    return {
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "role": user.role.value,
        "locations": [
            {"id": place.id, "name": place.name, "state": place.state, "zone": place.zone}
            for place in locations
        ],
    }
