"""Looking at events that could not be stored, and sending them again once what was wrong is put right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from backend.events import STREAMS, Event, reading
from backend.services import events, sources
from backend.services.gohighlevel import payload, receiving
from backend.stream import dead, ingest
from backend.stream.dead import Letter
from domain import errors

if TYPE_CHECKING:
    from backend.deps import Deps

MOST_A_PAGE = 200
MOST_AT_ONCE = 1_000
_MOST_LOOKED_AT = 20_000
_WAIT = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which letters: by ids, or all that fit the rest."""

    ids: Sequence[str] = ()
    reason: str = ""
    stream: str = ""

    def fits(self, letter: Letter) -> bool:
        return self.reason in ("", letter.reason) and self.stream in ("", letter.stream)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    letters: Sequence[Letter]
    next: str | None
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """`failed`: how many lie there still, by their reason now. `more`: there are more such letters than one call takes."""

    sent: int
    stored: bool
    failed: Mapping[str, int]
    more: bool


async def page(deps: Deps, choice: Choice, *, before: str, limit: int) -> Page:
    """The newest first; `next` leads on from there."""
    found: list[Letter] = []
    looked, last = 0, ""
    async for letter in dead.newest_first(deps.valkey, before=before):
        if len(found) == limit or looked == _MOST_LOOKED_AT:
            break
        looked, last = looked + 1, letter.id
        if choice.fits(letter):
            found.append(letter)
    else:
        last = ""
    return Page(letters=found, next=last or None, counts=await dead.counts(deps.valkey))


async def replay(deps: Deps, choice: Choice) -> Replayed:
    """Through all checks again, as of now; those that fail again stay, with their new reason. Raises: BacklogError."""
    letters, more = await _chosen(deps, choice)
    failed: list[Letter] = []
    ready: dict[int | None, list[tuple[Letter, Sequence[Event]]]] = {}
    for letter in letters:
        again = await _events_in(deps, letter)
        if isinstance(again, Letter):
            failed.append(again)
        else:
            ready.setdefault(letter.source, []).append((letter, again))
    stored = True
    for source_key, some in ready.items():
        sent = await ingest.send(
            deps, [event for _, made in some for event in made], source_key=source_key, wait=_WAIT
        )
        stored = stored and sent.stored
        refused = {one.event.event_id: one for one in sent.refused}
        for letter, made in some:
            said = next((refused[event.event_id] for event in made if event.event_id in refused), None)
            if said:
                failed.append(replace(letter, reason=said.reason, message=said.message))
    await _settle(deps, letters, failed)
    return Replayed(
        sent=len(letters) - len(failed),
        stored=stored,
        failed=Counter(letter.reason for letter in failed),
        more=more,
    )


async def remove(deps: Deps, choice: Choice) -> int:
    """For good. How many were there."""
    letters, more = await _chosen(deps, choice)
    gone = await dead.remove(deps.valkey, [letter.id for letter in letters])
    while more:
        letters, more = await _chosen(deps, choice)
        gone += await dead.remove(deps.valkey, [letter.id for letter in letters])
    return gone


async def _chosen(deps: Deps, choice: Choice) -> tuple[Sequence[Letter], bool]:
    """The oldest last, as they lie; and whether there are more."""
    if choice.ids:
        return await dead.get(deps.valkey, choice.ids), False
    found: list[Letter] = []
    async for letter in dead.newest_first(deps.valkey):
        if choice.fits(letter):
            if len(found) == MOST_AT_ONCE:
                return found, True
            found.append(letter)
    return found, False


async def _events_in(deps: Deps, letter: Letter) -> Sequence[Event] | Letter:
    """What it holds, or the letter with what is wrong with it now."""
    if letter.cut:
        return letter
    if letter.stream == receiving.STREAM:
        return await _webhook_in(deps, letter)
    event = reading.one(letter.payload)
    now = deps.clock.now()
    if not isinstance(event, reading.Fault):
        first = events.oldest(now, deps.settings.bi_retention_months)
        fault = reading.fault_of(event, oldest=first, newest=now + events.AHEAD) or _misplaced(event, letter)
        if fault is None:
            return [event]
        event = fault
    return replace(letter, reason=event.code, message=f"{event.where}: {event.message}".lstrip(": "))


def _misplaced(event: Event, letter: Letter) -> reading.Fault | None:
    kind = STREAMS.get(letter.stream)
    if kind is None or isinstance(event, kind):
        return None
    return reading.Fault(code="schema", message="The event belongs into another stream.", where="stream")


async def _webhook_in(deps: Deps, letter: Letter) -> Sequence[Event] | Letter:
    source = await sources.of_key_number(deps, letter.source) if letter.source is not None else None
    if source is None or source.revoked_at is not None:
        return replace(letter, reason="revoked", message="Its source was revoked.")
    try:
        return await receiving.mapped(deps, source, payload.again(letter.payload))
    except (errors.InputError, errors.AccessError) as fault:
        return replace(letter, reason=fault.code, message=str(fault))


async def _settle(deps: Deps, letters: Sequence[Letter], failed: Sequence[Letter]) -> None:
    """Sent ones go; failed ones stay, and are written anew only where their reason changed."""
    before = {letter.id: letter.reason for letter in letters}
    stay = {letter.id for letter in failed}
    await dead.remove(deps.valkey, [letter.id for letter in letters if letter.id not in stay])
    await dead.replace(deps.valkey, [letter for letter in failed if before[letter.id] != letter.reason])
