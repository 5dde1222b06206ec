"""The server's commands for people: create-user and change-user."""

from __future__ import annotations

import argparse
import getpass
import os

from backend import deps, settings
from backend.actor import Role
from backend.services import user_changes, users
from domain import errors

_ROLES = [role.value for role in Role]


def takes_new(parser: argparse.ArgumentParser) -> None:
    """create-user."""
    parser.description = "Make a user. The password is asked for, or taken from JORGE_PASSWORD."
    parser.set_defaults(command=_create)
    parser.add_argument("--email", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--role", required=True, choices=_ROLES)
    parser.add_argument(
        "--location", action="append", default=[], help="office they may see; may be repeated"
    )
    _takes_new_offices(parser)


def takes_change(parser: argparse.ArgumentParser) -> None:
    """change-user."""
    parser.usage = (
        "python -m backend change-user EMAIL [--disable | --enable] [--role ROLE] [--password]\n"
        "         [--locations OFFICE … | --add-location OFFICE … --remove-location OFFICE …]\n"
        "         [--zone ZONE] [--state STATE]"
    )
    parser.description = (
        "Change a user; it counts at once. A new password is asked for, or taken from JORGE_PASSWORD."
    )
    parser.set_defaults(command=_change)
    parser.add_argument("email", metavar="EMAIL")
    turn = parser.add_mutually_exclusive_group()
    turn.add_argument(
        "--disable", dest="disabled", action="store_true", default=None, help="out, on every device"
    )
    turn.add_argument("--enable", dest="disabled", action="store_false", help="may sign in again")
    parser.add_argument("--role", choices=_ROLES)
    for name, about in (
        ("locations", "offices they may see, and no others"),
        ("add-location", "offices they may see too"),
        ("remove-location", "offices they may see no more"),
    ):
        parser.add_argument(f"--{name}", action="extend", nargs="+", metavar="OFFICE", help=about)
    parser.add_argument("--password", action="store_true", help="a new one; ends every sign-in")
    _takes_new_offices(parser)


def _takes_new_offices(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--zone", help="makes the office if it is new; such as America/Los_Angeles")
    parser.add_argument("--state", default="", help="its state, such as CA")


async def _create(chosen: settings.Settings, options: argparse.Namespace) -> None:
    password = _password(f"Password for {options.email}: ")
    async with deps.open_deps(chosen) as opened:
        made = await users.create(
            opened,
            email=options.email,
            name=options.name,
            role=Role(options.role),
            password=password,
            locations=options.location,
            zone=options.zone or "",
            state=options.state,
        )
    print(f"Made the {made.role} {made.name} <{made.email}>.")


async def _change(chosen: settings.Settings, options: argparse.Namespace) -> None:
    wanted = user_changes.Change(
        disabled=options.disabled,
        role=Role(options.role) if options.role else None,
        locations=options.locations,
        added=options.add_location or (),
        removed=options.remove_location or (),
        zone=options.zone or "",
        state=options.state,
        password=_password(f"New password for {options.email}: ") if options.password else None,
    )
    async with deps.open_deps(chosen) as opened:
        changed = await user_changes.change(opened, options.email, wanted)
    print(_told(changed))


def _told(changed: user_changes.Changed) -> str:
    user, sees = changed.user, ", ".join(place.name for place in changed.locations) or "no office"
    ends = " Every sign-in of theirs has ended." if changed.signed_out else ""
    state = "is disabled" if user.disabled else f"sees {sees}"
    return f"Changed: the {user.role} {user.name} <{user.email}> {state}.{ends}"


def _password(prompt: str) -> str:
    """From JORGE_PASSWORD, else as it is typed. Raises: InputError where nobody can type."""
    if given := os.environ.get("JORGE_PASSWORD"):
        return given
    try:
        return getpass.getpass(prompt)
    except EOFError as fault:
        raise errors.InputError(
            "No password was given, and nobody is there to type one.",
            where="password",
            hint="Put it into the variable JORGE_PASSWORD.",
        ) from fault
