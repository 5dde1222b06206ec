"""What a store wrote itself isn't sent back to it: to it alone, not to its copies, which bear the same device id."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from domain import wire
from tests.backend.sync.conftest import MakeDevice, Stamp
from tests.backend.sync.devices import Device, new_lead
from tests.serving import Login, MakeUser

pytestmark = pytest.mark.anyio

Twins = Callable[[], Awaitable[tuple[Device, Device]]]


@pytest.fixture
def twins(make_user: MakeUser, make_device: MakeDevice, login: Login, stamp: Stamp) -> Twins:
    """One device that has read all there is, and a copy of its store, which runs with an access token of its own."""

    async def make() -> tuple[Device, Device]:
        email = (await make_user("agent", ("Rancho Cucamonga",))).email
        one = await make_device(email=email)
        await stamp()
        await one.pull()
        other = replace(one, headers=(await login(email)).headers, rows=dict(one.rows))
        return one, other

    return make


async def test_a_store_is_not_told_what_it_wrote_itself(twins: Twins, stamp: Stamp) -> None:
    phone, _ = await twins()
    await new_lead(phone)
    await stamp()

    assert (await phone.page()).blocks == ()


async def test_the_copy_of_a_store_is_told_what_its_original_wrote(twins: Twins, stamp: Stamp) -> None:
    phone, copy = await twins()
    lead = await new_lead(phone)
    await stamp()
    await copy.pull()
    assert lead in copy.ids("leads")

    await phone.push(phone.mutation("patch", "leads", lead, {"name": "Ann"}, base_ver=1))
    await phone.push(phone.mutation("delete", "leads", lead, base_ver=2))
    await stamp()
    await copy.pull()
    assert lead not in copy.ids("leads")


async def test_an_edit_on_ones_own_edit_is_no_conflict_with_another_access_token(
    twins: Twins, stamp: Stamp
) -> None:
    phone, after_renewal = await twins()
    lead = await new_lead(phone)
    first = phone.mutation("patch", "leads", lead, {"name": "Ann"}, base_ver=1, base={"name": "Ana Ruiz"})
    second = phone.mutation("patch", "leads", lead, {"name": "Anna"}, base_ver=1, base={"name": "Ann"})
    await phone.push(first)

    (result,) = await after_renewal.push(second)
    await stamp()
    await phone.pull()

    assert result.status is wire.Status.APPLIED
    assert phone.ids("conflicts") == set()
