"""`change-user` as it is typed: what is asked for, what is said, and what never stands in the command line."""

from __future__ import annotations

import pytest

from backend import main
from backend.deps import Deps
from backend.settings import Settings
from domain import errors
from tests.serving import Login, MakeUser

pytestmark = pytest.mark.anyio

PAT = "pat@brokerage.example"


async def run(settings: Settings, *words: str) -> None:
    options = main.parser().parse_args(["change-user", *words])
    await options.command(settings, options)


async def test_offices_role_and_password_are_changed_in_one_go(
    server_settings: Settings,
    make_user: MakeUser,
    login: Login,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    await make_user("agent", ("North",), email=PAT)
    await make_user("agent", ("South",))
    monkeypatch.setenv("JORGE_PASSWORD", "another long one")

    words = ["--role", "manager", "--add-location", "South", "East side", "--password"]
    await run(server_settings, PAT, *words, "--zone", "America/New_York")

    said = capsys.readouterr().out
    assert said == (
        f"Changed: the manager pat <{PAT}> sees East side, North, South. Every sign-in of theirs has ended.\n"
    )
    assert (await login(PAT, "another long one")).user["role"] == "manager"


async def test_somebody_who_leaves_is_disabled_and_may_come_back(
    server_settings: Settings, make_user: MakeUser, capsys: pytest.CaptureFixture[str]
) -> None:
    await make_user("agent", ("North",), email=PAT)

    await run(server_settings, PAT, "--disable")
    await run(server_settings, PAT, "--enable", "--locations", "north")

    disabled, enabled = capsys.readouterr().out.splitlines()
    assert "is disabled. Every sign-in of theirs has ended." in disabled
    assert "sees North." in enabled


async def test_password_is_taken_from_the_variable_only_where_a_new_one_was_asked_for(
    server_settings: Settings, deps: Deps, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_user("agent", email=PAT)
    monkeypatch.setenv("JORGE_PASSWORD", "another long one")

    with pytest.raises(errors.InputError, match="nothing to change"):
        await run(server_settings, PAT)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([PAT, "--disable", "--enable"], "not allowed with"),
        ([PAT, "--role", "boss"], "invalid choice"),
        ([PAT, "--password", "secret"], "unrecognized arguments"),
        (["--add-location", "South", PAT], "required: EMAIL"),
    ],
)
def test_words_that_make_no_sense_are_told(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main.parser().parse_args(["change-user", *words])

    assert says in capsys.readouterr().err
