"""How one GoHighLevel account's words map to ours: kept in the source's `config`, under `gohighlevel`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.events.kinds import BasisPoints, Stage
from backend.services.gohighlevel import signature
from domain import errors

_Named = Annotated[str, Meta(min_length=1, max_length=100)]
Meeting = Literal["visit", "showing", "open_house", "call"]
Side = Literal["listing", "buyer", "both"]


class Pipeline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which side of the deal a pipeline is about, and what its monetary value means: the price, or the commission."""

    side: Side = "listing"
    value: Literal["price", "gross"] = "price"
    rate_bp: BasisPoints | None = None


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keys are GoHighLevel's ids; a stage may also be named by its name. `*` in `pipelines` is every other one.

    `public_key` (PEM) takes the place of HighLevel's own, should they change it.
    """

    locations: dict[_Named, UUID] = {}
    stages: dict[_Named, Stage] = {}
    pipelines: dict[_Named, Pipeline] = {}
    calendars: dict[_Named, Meeting] = {}
    agents: dict[_Named, UUID] = {}
    public_key: Annotated[str, Meta(max_length=4_000)] | None = None


class _Whole(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    gohighlevel: Config | None = None


def checked(config: Mapping[str, Any], allowed: Collection[str]) -> Mapping[str, Any]:
    """As it is stored. `allowed`: the locations it may lead to. Raises: InputError naming the field."""
    try:
        whole = msgspec.convert(dict(config), _Whole)
    except (msgspec.ValidationError, RecursionError) as fault:
        message, _, path = str(fault).partition(" - at `$")
        raise errors.InputError(
            f"The mapping is wrong: {message}.",
            where="config" + path.rstrip("`"),
            hint="docs/events.md has an example.",
        ) from fault
    if whole.gohighlevel is None:
        return {}
    if whole.gohighlevel.public_key is not None:
        signature.keys_of(whole.gohighlevel.public_key)
    for theirs, ours in whole.gohighlevel.locations.items():
        if str(ours) not in allowed:
            raise errors.InputError(
                "The mapping leads to a location that this source may not send for, or that does not exist.",
                where=f"config.gohighlevel.locations.{theirs}",
                hint="Give the source that location first.",
            )
    stored: Mapping[str, Any] = msgspec.to_builtins(whole)
    return stored


def of(config: Mapping[str, Any]) -> Config:
    """What `checked` stored."""
    return msgspec.convert(config, _Whole).gohighlevel or Config()
