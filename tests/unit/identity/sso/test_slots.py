"""A slow provider keeps the places of its own connection and tenant, and nobody else's."""

from __future__ import annotations

import asyncio

from troth.identity.sso.slots import FOR_ALL, FOR_CONNECTION, FOR_TENANT, Slots


async def _stuck(slots: Slots, askers: list[tuple[str, str]], then: tuple[str, str]) -> tuple[int, bool]:
    """How many of the askers got a place that they never give back, and whether `then` gets one beside them."""
    inside, end = 0, asyncio.Event()

    async def hold(tenant: str, connection: str) -> None:
        nonlocal inside
        async with slots.held(tenant, connection):
            inside += 1
            await end.wait()

    waiting = [asyncio.create_task(hold(*one)) for one in askers]
    for _ in range(4):  # each asker goes as far as it can
        await asyncio.sleep(0)
    entered = asyncio.create_task(hold(*then))
    before = inside
    for _ in range(4):
        await asyncio.sleep(0)
    came = inside > before
    end.set()
    await asyncio.gather(*waiting, entered)
    return before, came


def test_one_connection_has_few_places_and_leaves_the_others_theirs() -> None:
    slots = Slots()
    for _ in range(2):  # and gives them back, in another loop too
        many = [("ten_1", "sso_1")] * 50
        assert asyncio.run(_stuck(slots, many, ("ten_1", "sso_2"))) == (FOR_CONNECTION, True)
        assert asyncio.run(_stuck(slots, many, ("ten_1", "sso_1"))) == (FOR_CONNECTION, False)


def test_one_tenant_has_some_and_leaves_the_others_theirs() -> None:
    many = [("ten_1", f"sso_{number}") for number in range(50)]
    assert asyncio.run(_stuck(Slots(), many, ("ten_2", "sso_x"))) == (FOR_TENANT, True)
    assert asyncio.run(_stuck(Slots(), many, ("ten_1", "sso_x"))) == (FOR_TENANT, False)


def test_all_together_have_a_limit() -> None:
    many = [(f"ten_{number}", f"sso_{number}") for number in range(FOR_ALL * 2)]
    assert asyncio.run(_stuck(Slots(), many, ("ten_x", "sso_x"))) == (FOR_ALL, False)
