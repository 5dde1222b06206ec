"""Signing in, with the server and without."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from domain import errors
from services import accounts
from services.user import Role, User
from tests import fakes

pytestmark = pytest.mark.anyio

ANN = "00000000-0000-7000-8000-000000000001"
BO = "00000000-0000-7000-8000-000000000002"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    user_id: str
    name: str
    email: str
    role: str = "agent"
    location_ids: tuple[str, ...] = (BO,)


class Server:
    """Knows two people; may be away."""

    def __init__(self) -> None:
        self.away = False
        self.passwords = {"ann@x.example": "right", "bo@x.example": "other"}

    async def login(self, email: str, password: str) -> Grant:
        if self.away:
            raise errors.UnreachableError("The server does not answer.", hint="Check the network.")
        if self.passwords.get(email) != password:
            raise errors.WrongCredentialsError("E-mail or password is wrong.")
        return Grant(user_id=ANN if email.startswith("ann") else BO, name=email[:3], email=email)


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def clock() -> fakes.FakeClock:
    return fakes.FakeClock()


@pytest.fixture
def desk(tmp_path: Path, server: Server, clock: fakes.FakeClock) -> accounts.Accounts:
    return accounts.Accounts(data=tmp_path, clock=clock, sign_in=server)


async def test_each_person_has_a_store_file_of_their_own(desk: accounts.Accounts) -> None:
    ann = await desk.log_in(" Ann@X.example ", "right")
    bo = await desk.log_in("bo@x.example", "other")

    assert ann.store_path != bo.store_path
    assert ann.store_path == desk.data / "users" / ANN / "store.db"
    assert ann.grant is not None
    assert [user.id for user in desk.known()] == [ANN, BO]


async def test_who_was_here_before_unlocks_without_a_network(desk: accounts.Accounts, server: Server) -> None:
    await desk.log_in("ann@x.example", "right")
    server.away = True

    inside = await desk.log_in("ann@x.example", "right")

    assert (inside.user.id, inside.grant) == (ANN, None)
    assert "does not answer" in inside.offline_why


async def test_the_first_sign_in_needs_the_server_and_says_so(
    desk: accounts.Accounts, server: Server
) -> None:
    server.away = True

    with pytest.raises(errors.UnreachableError, match="first sign-in on this device needs the server"):
        await desk.log_in("ann@x.example", "right")


async def test_a_wrong_password_is_wrong_with_and_without_network(
    desk: accounts.Accounts, server: Server
) -> None:
    await desk.log_in("ann@x.example", "right")

    for server.away in (False, True):
        with pytest.raises(errors.WrongCredentialsError):
            await desk.log_in("ann@x.example", "wrong")


async def test_guessing_offline_soon_has_to_wait(
    desk: accounts.Accounts, server: Server, clock: fakes.FakeClock
) -> None:
    await desk.log_in("ann@x.example", "right")
    server.away = True
    for _ in range(accounts.FREE_TRIES):
        with pytest.raises(errors.WrongCredentialsError):
            await desk.log_in("ann@x.example", "wrong")

    with pytest.raises(errors.TooManyTriesError) as refusal:
        await desk.log_in("ann@x.example", "right")

    assert refusal.value.retry_after == pytest.approx(30)
    clock.advance(31)
    assert (await desk.log_in("ann@x.example", "right")).user.id == ANN


async def test_a_reload_stays_signed_in_until_logging_out(
    desk: accounts.Accounts, clock: fakes.FakeClock
) -> None:
    inside = await desk.log_in("ann@x.example", "right")

    again = desk.resume(inside.session_token)
    assert again is not None
    assert again.user == inside.user
    assert desk.resume("made up") is None
    desk.log_out(inside.session_token)
    assert desk.resume(inside.session_token) is None


async def test_a_session_ends_after_thirty_days(desk: accounts.Accounts, clock: fakes.FakeClock) -> None:
    inside = await desk.log_in("ann@x.example", "right")

    clock.advance(31 * 86400)

    assert desk.resume(inside.session_token) is None


async def test_logging_out_is_held_back_while_work_is_unsent(desk: accounts.Accounts) -> None:
    inside = await desk.log_in("ann@x.example", "right")

    with pytest.raises(errors.RuleError, match="3 changes are not on the server yet"):
        desk.log_out(inside.session_token, unsent=3)
    desk.log_out(inside.session_token, unsent=3, force=True)

    assert desk.resume(inside.session_token) is None


async def test_neither_password_nor_token_is_written_down(desk: accounts.Accounts) -> None:
    inside = await desk.log_in("ann@x.example", "right")

    book = (desk.data / "accounts.json").read_text()
    assert '"right"' not in book
    assert inside.session_token not in book
    assert (desk.data / "accounts.json").stat().st_mode & 0o077 == 0


async def test_a_damaged_file_is_set_aside_and_people_sign_in_again(desk: accounts.Accounts) -> None:
    await desk.log_in("ann@x.example", "right")
    (desk.data / "accounts.json").write_text('{"accounts": 3')

    assert (await desk.log_in("ann@x.example", "right")).user.id == ANN
    assert (desk.data / "accounts.damaged").exists()


@pytest.mark.parametrize(("email", "password"), [("", "x"), ("ann", "x"), ("ann@x.example", "")])
async def test_half_filled_forms_are_refused_by_field(
    desk: accounts.Accounts, email: str, password: str
) -> None:
    with pytest.raises(errors.InputError) as refusal:
        await desk.log_in(email, password)

    assert refusal.value.where in ("email", "password")


async def test_after_ten_wrong_guesses_only_the_server_lets_in(
    desk: accounts.Accounts, server: Server, clock: fakes.FakeClock
) -> None:
    await desk.log_in("ann@x.example", "right")
    server.away = True
    for _ in range(accounts.MAX_TRIES):
        clock.advance(3600)
        with pytest.raises(errors.WrongCredentialsError):
            await desk.log_in("ann@x.example", "wrong")

    with pytest.raises(errors.UnreachableError):
        await desk.log_in("ann@x.example", "right")
    server.away = False
    assert (await desk.log_in("ann@x.example", "right")).grant is not None


async def test_a_folder_that_cannot_be_written_is_said(
    tmp_path: Path, server: Server, clock: fakes.FakeClock
) -> None:
    (tmp_path / "file").write_text("in the way")
    desk = accounts.Accounts(data=tmp_path / "file", clock=clock, sign_in=server)

    with pytest.raises(errors.StoreError, match="data folder"):
        await desk.log_in("ann@x.example", "right")


def test_an_id_that_is_none_makes_no_path(desk: accounts.Accounts) -> None:
    user = User(id="../../etc", name="x", email="x", role=Role.AGENT)

    with pytest.raises(errors.InputError):
        desk.store_path(user)
