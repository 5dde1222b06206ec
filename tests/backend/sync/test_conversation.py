"""The protocol's promises, asked of each implementation of `domain.wire.Conversation` alike.

Another implementation (a model of the server, a proxy) is added to IMPLEMENTATIONS: a function that makes a `House`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from backend.deps import Deps
from backend.services.auth import Peer, actor_of
from backend.services.conversation import InPlace
from backend.storage import feed
from backend.stream import sequencer
from domain import digests, errors, ids, wire
from sync import client, login, remote, session
from tests import fakes
from tests.backend.sync.devices import T0
from tests.serving import PASSWORD, LiveServer, MakeUser

pytestmark = pytest.mark.anyio


@dataclass(slots=True, kw_only=True)
class Person:
    """Somebody who was granted `location`, on a device of their own."""

    talk: wire.Conversation
    location: str
    device_id: str = field(default_factory=ids.new_id)
    mid: int = 0

    def mutation(
        self, row_id: str, patch: dict[str, Any], *, op: str = "put", base_ver: int = 0
    ) -> wire.Mutation:
        self.mid += 1
        return wire.Mutation(
            mid=self.mid,
            group="",
            table="leads",
            row_id=row_id,
            op=wire.Op(op),
            patch=patch,
            base_ver=base_ver,
            base={},
            edit_ms=1_795_363_200_000,
            seen_server_ms=0,
        )

    def new_lead(self, row_id: str, **values: Any) -> wire.Mutation:
        whole = {
            "location_id": self.location,
            "created_at": T0,
            "kind": "seller",
            "name": "Ana",
            "stage": "new",
        }
        return self.mutation(row_id, {**whole, **values})

    async def push(self, *mutations: wire.Mutation) -> list[wire.Result]:
        asked = wire.Push(device_id=self.device_id, epoch="1", mutations=mutations)
        return list((await self.talk.push(asked)).results)

    async def pull(self, cursor: str = "", **more: Any) -> wire.Page:
        return await self.talk.pull(wire.PullAsk(cursor=cursor, **more))

    async def leads(self, cursor: str = "", **more: Any) -> tuple[dict[str, Any], str]:
        """Names by id of all pages from `cursor` on, and the last cursor."""
        found: dict[str, Any] = {}
        while True:
            page = await self.pull(cursor, **more)
            for block in page.blocks:
                if block.table == "leads":
                    place = list(block.columns).index("name")
                    found |= {row[0]: row[place] for row in block.rows}
            cursor = page.cursor
            if not page.more:
                return found, cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What a test arranges: `person(location)` signs somebody in, `number()` numbers what was committed."""

    person: Callable[[str], Awaitable[Person]]
    number: Callable[[], Awaitable[object]]


def in_place(deps: Deps, make_user: MakeUser, live: LiveServer, stack: AsyncExitStack) -> House:
    line = over_http(deps, make_user, live, stack)

    async def person(location: str) -> Person:
        signed = await line.person(location)
        assert isinstance(signed.talk, remote.Remote)
        token = signed.talk.line.tokens.access_token() or ""
        actor = await actor_of(deps, token, Peer(address="", on_this_machine=True))
        return dataclasses.replace(signed, talk=InPlace(deps=deps, actor=actor))

    return House(person=person, number=line.number)


def over_http(deps: Deps, make_user: MakeUser, live: LiveServer, stack: AsyncExitStack) -> House:
    async def person(location: str) -> Person:
        email = (await make_user("agent", (location,))).email
        http = await stack.enter_async_context(client.open_http(live.url))
        grant = await login.Login(http=http).login(email, PASSWORD)
        tokens = session.Session(fakes.FakeSecrets(), deps.clock, grant.user_id)
        await tokens.accept(grant)
        return Person(talk=remote.Remote(client.Client(http, tokens)), location=grant.location_ids[0])

    async def number() -> None:
        """The live server's own sequencer may be at it: then until it is through."""
        async with deps.pool.acquire() as connection:
            while await feed.oldest_unstamped(connection) is not None:
                await sequencer.once(deps.pool, deps.hub)

    return House(person=person, number=number)


IMPLEMENTATIONS = {"in place": in_place, "over HTTP": over_http}


@pytest.fixture(params=IMPLEMENTATIONS)
async def house(
    request: pytest.FixtureRequest, deps: Deps, make_user: MakeUser, live_server: LiveServer
) -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        yield IMPLEMENTATIONS[request.param](deps, make_user, live_server, stack)


async def test_what_one_pushes_the_other_pulls(house: House) -> None:
    ann, bob = await house.person("A"), await house.person("A")
    lead = ids.new_id()

    (result,) = await ann.push(ann.new_lead(lead))
    await house.number()

    assert (result.status, result.ver) == (wire.Status.APPLIED, 1)
    assert (await bob.leads())[0] == {lead: "Ana"}


async def test_a_repeated_push_changes_nothing_and_says_so(house: House) -> None:
    ann = await house.person("A")
    mutation = ann.new_lead(ids.new_id())

    answers = [await ann.push(mutation) for _ in range(2)]

    assert [one.status for (one,) in answers] == [wire.Status.APPLIED, wire.Status.DUPLICATE]


async def test_another_change_under_the_same_number_is_a_fork(house: House) -> None:
    ann = await house.person("A")
    mutation = ann.new_lead(ids.new_id())
    await ann.push(mutation)

    with pytest.raises(errors.DeviceForkedError):
        await ann.push(dataclasses.replace(mutation, row_id=ids.new_id()))


async def test_what_cannot_be_applied_is_parked_with_its_reason(house: House) -> None:
    ann = await house.person("A")

    results = await ann.push(
        ann.mutation(ids.new_id(), {"name": "x"}, op="patch"), ann.new_lead(ids.new_id())
    )

    assert [(one.status.value, one.code) for one in results] == [("parked", "not_found"), ("applied", "")]


async def test_a_cursor_goes_on_where_it_was_and_leaves_out_what_its_own_store_wrote(house: House) -> None:
    ann, bob = await house.person("A"), await house.person("A")
    _, cursor = await ann.leads()
    mine, theirs = ids.new_id(), ids.new_id()
    await ann.push(ann.new_lead(mine))
    await bob.push(bob.new_lead(theirs))
    await house.number()

    assert set((await ann.leads(cursor))[0]) == {mine, theirs}
    assert set((await ann.leads(cursor, device_id=ann.device_id))[0]) == {theirs}


async def test_the_first_page_names_locations_and_incarnation_and_the_next_only_what_changed(
    house: House,
) -> None:
    ann = await house.person("A")

    first = await ann.pull()
    _, cursor = await ann.leads()
    idle = await ann.pull(cursor)

    assert (list(first.scopes or ()), bool(first.incarnation)) == ([ann.location], True)
    assert (idle.scopes, idle.incarnation, idle.more, list(idle.blocks)) == (None, "", False, [])


@pytest.mark.parametrize("cursor", ["nonsense", "feed.e30", "AAAA"])
async def test_a_cursor_that_leads_nowhere_means_start_over(house: House, cursor: str) -> None:
    ann = await house.person("A")

    with pytest.raises(errors.ResyncError):
        await ann.pull(cursor)


async def test_from_now_on_brings_nothing_but_a_cursor_and_what_changes_after_it(house: House) -> None:
    ann, bob = await house.person("A"), await house.person("A")
    await bob.push(bob.new_lead(ids.new_id()))
    await house.number()

    page = await ann.pull(wire.FROM_NOW)
    later = ids.new_id()
    await bob.push(bob.new_lead(later))
    await house.number()

    assert (list(page.blocks), page.more, bool(page.incarnation)) == ([], False, True)
    assert set((await ann.leads(page.cursor))[0]) == {later}


async def test_sums_are_what_a_replica_works_out_from_its_rows(house: House) -> None:
    ann = await house.person("A")
    leads = [ids.new_id() for _ in range(5)]
    await ann.push(*(ann.new_lead(lead) for lead in leads))
    expected = (5, digests.text(digests.total(digests.row_hash(lead, 1) for lead in leads)))

    said = await ann.talk.digests(wire.DigestAsk())
    ranged = await ann.talk.digests(wire.DigestAsk(scope=ann.location, table="leads"))

    assert said.sums[ann.location]["leads"] == expected
    assert sum(number for number, _ in ranged.ranges) == 5
    assert len(ranged.ranges) == digests.RANGES


async def test_the_rows_of_a_range_are_all_rows_there(house: House) -> None:
    ann = await house.person("A")
    leads = [ids.new_id() for _ in range(5)]
    await ann.push(*(ann.new_lead(lead) for lead in leads))
    wanted = sorted({digests.range_of(lead) for lead in leads[:2]})

    found = await ann.talk.rows(wire.RowsAsk(scope=ann.location, table="leads", ranges=wanted))

    assert {row[0] for row in found.block.rows} == {
        lead for lead in leads if digests.range_of(lead) in wanted
    }
    assert (await ann.talk.rows(wire.RowsAsk(scope=ann.location, table="leads", ranges=[]))).block.rows == []


async def test_another_location_is_refused_whatever_is_asked(house: House) -> None:
    ann, stranger = await house.person("A"), await house.person("B")
    asked: list[Callable[[], Awaitable[object]]] = [
        lambda: stranger.pull(scope=ann.location),
        lambda: stranger.talk.digests(wire.DigestAsk(scope=ann.location)),
        lambda: stranger.talk.digests(wire.DigestAsk(scope=ann.location, table="leads", content=True)),
        lambda: stranger.talk.rows(wire.RowsAsk(scope=ann.location, table="leads", ranges=[0])),
    ]

    for ask in asked:
        with pytest.raises(errors.ForbiddenError):
            await ask()
    assert ann.location not in (await stranger.talk.digests(wire.DigestAsk())).sums
