"""The synced tables, declared once: fields, types, merge units and policies, and who may write them.

The device's SQLite, the server's PostgreSQL, the wire and the merge all read this; a test on each side
compares its SQL with it. A field's *unit* is what merges as one (price + date, stage + reason, the address).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Type(StrEnum):
    """A field's type on the wire (JSON) / in SQLite / in PostgreSQL."""

    TEXT = "text"  # string / TEXT / text
    ID = "id"  # UUID as text / TEXT / uuid
    INT = "int"  # integer / INTEGER / bigint
    REAL = "real"  # number / REAL / double precision
    BOOL = "bool"  # true, false / INTEGER 0, 1 / boolean
    TIME = "time"  # "2026-11-22T16:00:00.123Z" / TEXT / timestamptz
    DATE = "date"  # "2026-11-22" / TEXT / date
    JSON = "json"  # any / TEXT / jsonb


class Policy(StrEnum):
    """What happens when two people changed the same unit (domain.md, Conflicts)."""

    NEWEST = "newest"  # the later edit wins; both are recorded
    DERIVED = "derived"  # worked out by our rules from other fields: the later one wins, and nobody is asked
    UNION = "union"  # lists: additions and removals of both sides
    TEXT = "text"  # prose: both changes in one text, or both texts one under the other
    MANUAL = "manual"  # money and stage: the server's stays until a person chooses
    GUARDED = "guarded"  # states with rules of their own (domain/guards.py)
    STICKY = "sticky"  # true wins for ever (opt-out)
    FIXED = "fixed"  # set when the row is made, never again


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    name: str
    type: Type
    unit: str
    policy: Policy
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One synced table. `location_id` is the scope of each row; `writers` are the roles that may push."""

    name: str
    fields: tuple[Field, ...]
    writers: frozenset[str] = frozenset()
    append_only: bool = False
    by_name: dict[str, Field] = field(init=False, repr=False, compare=False)
    columns: tuple[str, ...] = field(init=False, repr=False, compare=False)
    """Field names in order, without the id."""
    _units: dict[str, tuple[str, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {f.name: f for f in self.fields})
        object.__setattr__(self, "columns", tuple(f.name for f in self.fields))
        units = {one.unit: tuple(f.name for f in self.fields if f.unit == one.unit) for one in self.fields}
        object.__setattr__(self, "_units", units)

    def unit_fields(self, unit: str) -> tuple[str, ...]:
        return self._units[unit]


def _fields(spec: str, *, policy: Policy = Policy.NEWEST, unit: str = "") -> tuple[Field, ...]:
    """`name:type` words; a trailing `!` means required."""
    made = []
    for word in spec.split():
        name, _, kind = word.rstrip("!").partition(":")
        made.append(
            Field(
                name=name,
                type=Type(kind or "text"),
                unit=unit or name,
                policy=policy,
                required=word.endswith("!"),
            )
        )
    return tuple(made)


_FIELD_STAFF = frozenset({"agent", "manager", "admin"})
_MANAGERS = frozenset({"manager", "admin"})
_ROW = _fields("location_id:id! created_at:time!", policy=Policy.FIXED)

# In the order a note goes through them; the one further on wins.
NOTE_STATES = ("waiting", "failed", "no_speech", "transcribed", "saved")
CONFLICT_STATUSES = ("open", "settled", "resolved")
RESOLUTIONS = ("kept", "restored", "merge", "keep_both")

LEADS = Table(
    name="leads",
    writers=_FIELD_STAFF,
    fields=(
        *_fields("location_id:id!"),  # managers may move a lead to another location, and its rows with it
        *_fields("created_at:time!", policy=Policy.FIXED),
        *_fields("agent_id:id kind:text! name:text! phone email"),
        *_fields("address city state zip lat:real lon:real", unit="address"),
        *_fields("stage:text! stage_reason", unit="stage", policy=Policy.MANUAL),
        *_fields("source motivation timeline_days:int condition financing area"),
        *_fields("price_cents:int price_on:date", unit="price", policy=Policy.MANUAL),
        *_fields("answers:json"),
        *_fields("answer_quality:real frs:real pcs:real score:real temperature", policy=Policy.DERIVED),
        *_fields("tags:json", policy=Policy.UNION),
        *_fields("opted_out:bool opted_out_at:time opted_out_words", unit="opt_out", policy=Policy.STICKY),
        *_fields("consent_text:bool consent_call:bool consent_words consent_at:time", unit="consent"),
        *_fields("last_inbound_at:time last_touch_at:time answer_due_at:time", policy=Policy.DERIVED),
        *_fields("external_id", policy=Policy.FIXED),
    ),
)
INTERACTIONS = Table(
    name="interactions",
    writers=_FIELD_STAFF,
    append_only=True,
    fields=(
        *_ROW,
        *_fields(
            "lead_id:id! agent_id:id bot_id kind:text! direction channel occurred_at:time! body outcome seconds:int",
            policy=Policy.FIXED,
        ),
    ),
)
TASKS = Table(
    name="tasks",
    writers=_FIELD_STAFF,
    fields=(
        *_ROW,
        *_fields("lead_id:id agent_id:id title:text! kind:text! due_at:time"),
        *_fields("done_at:time", policy=Policy.GUARDED),
        *_fields("text", policy=Policy.TEXT),
    ),
)
NOTES = Table(
    name="notes",
    writers=_FIELD_STAFF,
    fields=(
        *_ROW,
        *_fields(
            "agent_id:id! audio_sha256 audio_bytes:int audio_seconds:real audio_type", policy=Policy.FIXED
        ),
        *_fields("lead_id:id"),
        *_fields("state:text!", policy=Policy.GUARDED),
        *_fields("engine proposals:json error", policy=Policy.DERIVED),
        *_fields("text transcript", policy=Policy.TEXT),
    ),
)
PROPERTIES = Table(
    name="properties",
    writers=_FIELD_STAFF,
    fields=(
        *_ROW,
        *_fields("lead_id:id status:text! source"),
        *_fields("address city state zip lat:real lon:real", unit="address"),
        *_fields("price_cents:int price_on:date", unit="price", policy=Policy.MANUAL),
        *_fields(
            "beds:real baths:real sqft:int lot_sqft:int floors:real year_built:int year_renovated:int"
            " condition:int grade:int waterfront:bool view:int"
        ),
        *_fields("external_id", policy=Policy.FIXED),
    ),
)
DEALS = Table(
    name="deals",
    writers=_MANAGERS,
    fields=(
        *_ROW,
        *_fields("lead_id:id agent_id:id property_id:id source"),
        *_fields("stage:text! stage_reason", unit="stage", policy=Policy.MANUAL),
        *_fields(
            "side_held:text! who_pays price_cents:int listing_rate_bp:int buyer_rate_bp:int"
            " gross_cents:int net_cents:int",
            unit="money",
            policy=Policy.MANUAL,
        ),
        *_fields("expected_close_on:date closed_on:date"),
    ),
)
PEOPLE = Table(name="people", fields=(*_ROW, *_fields("user_id:id! name:text! role:text!")))
LOCATIONS = Table(name="locations", fields=(*_ROW, *_fields("name:text! state zone lat:real lon:real")))
CONFLICTS = Table(
    name="conflicts",
    writers=_FIELD_STAFF,
    fields=(
        *_ROW,
        *_fields(
            "tbl:text! row_id:id! lead_id:id unit:text! policy:text! base:json winner:json loser:json"
            " winner_by:id winner_at:time loser_by:id loser_at:time",
            policy=Policy.FIXED,
        ),
        *_fields(
            "status:text! resolution resolved_by:id resolved_at:time",
            unit="resolution",
            policy=Policy.GUARDED,
        ),
    ),
)

# In the order a device loads them: parents first, so that a list is useful as early as possible.
ALL = (LOCATIONS, PEOPLE, LEADS, TASKS, NOTES, CONFLICTS, DEALS, INTERACTIONS, PROPERTIES)
BY_NAME = {table.name: table for table in ALL}
