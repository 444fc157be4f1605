"""Two persons, complete answers, sealed credentials."""

from __future__ import annotations

from typing import Any

import pytest

from gateway_world import DAY, SEALED_PREFIX, Upstream, World, due_diligence, serving
from troth.gateway.vendors.record import Retention, State, Waiver
from troth.gateway.wire.chat import CompleteChat
from troth.gateway.wire.vendors import AddVendor, DecideVendor
from troth.kernel.errors import Conflict, Denied, NotFound, TrothError, Unavailable
from troth.kernel.reasons import Why


def test_a_draft_is_not_sent_anything_and_approval_needs_a_second_person(world: World) -> None:
    call = world.call(subject="usr_one")
    record = world.vendor_operations.add(
        call, AddVendor(vendor_id="acme", facts=due_diligence(world.now), credential="sk-secret")
    )
    assert record.state is State.DRAFT
    wish = DecideVendor(vendor_id="acme", reason=Why.CHECKED)
    with pytest.raises(Denied) as refusal:
        world.vendor_operations.approve(call, wish)
    assert refusal.value.code == "same-person"
    approved = world.vendor_operations.approve(world.call(subject="usr_two"), wish)
    assert (approved.state, approved.approved_by) == (State.APPROVED, "usr_two")
    assert world.vendors.get("acme") == approved.model_copy(update={"changed_at": world.now})


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({"review": None}, "review"),
        ({"agreement": None}, "agreement"),
        ({"agreement_ends": None}, "agreement_ends"),
        ({"retention": None}, "retention"),
        ({"moderation": None}, "moderation"),
        ({"jurisdictions": ()}, "jurisdictions"),
        ({"regions": ()}, "regions"),
        ({"base_url": "http://vendor.test/v1"}, "https"),
    ],
)
def test_missing_answers_are_named(world: World, facts: dict[str, Any], word: str) -> None:
    world.vendors.add("acme", due_diligence(world.now, **facts), None, "usr_one")
    with pytest.raises(Conflict) as refusal:
        world.vendors.approve("acme", "usr_two")
    assert refusal.value.code == "review-incomplete"
    assert word in refusal.value.advice


@pytest.mark.parametrize("days", [-1, 0, 400])
def test_a_review_lasts_a_year_at_most(world: World, days: int) -> None:
    world.vendors.add("acme", due_diligence(world.now, review_expires=world.now + days * DAY), None, "usr_one")
    with pytest.raises(Conflict) as refusal:
        world.vendors.approve("acme", "usr_two")
    assert refusal.value.code == "review-expired"


def test_credentials_are_sealed_and_stay_with_their_address(world: World) -> None:
    world.vendors.add("acme", due_diligence(world.now), "sk-secret", "usr_one")
    assert world.vendors.credential("acme") == "sk-secret"
    disk = world.bytes_on_disk()
    assert b"sk-secret" not in disk
    assert SEALED_PREFIX in disk
    world.vendors.amend("acme", due_diligence(world.now, name="Acme 2"), None, "usr_one")
    assert world.vendors.credential("acme") == "sk-secret"
    world.vendors.amend("acme", due_diligence(world.now, "https://elsewhere.test/v1"), None, "usr_one")
    assert world.vendors.credential("acme") is None


def test_amending_takes_the_approval_back(world: World) -> None:
    world.add_vendor("https://vendor.test/v1")
    record = world.vendors.amend("acme", due_diligence(world.now), None, "usr_two")
    assert record.state is State.DRAFT
    with pytest.raises(Denied):
        world.vendors.approve("acme", "usr_two")


def test_ids_are_taken_once_and_the_studio_is_not_ours_to_change(world: World) -> None:
    facts = due_diligence(world.now)
    world.vendors.add("acme", facts, None, "usr_one")
    for taken in ("acme", "local-studio"):
        with pytest.raises(Conflict):
            world.vendors.add(taken, facts, None, "usr_one")
    with pytest.raises(Conflict):
        world.vendors.suspend("local-studio", "usr_one")
    with pytest.raises(NotFound):
        world.vendors.get("nobody")


def chat(model: str = "acme-chat") -> CompleteChat:
    return CompleteChat.model_validate({"model": model, "messages": [{"role": "user", "content": "hello"}]})


def test_suspension_and_lapse_stop_the_next_call(world: World) -> None:
    async def go() -> list[str]:
        codes = []
        async with serving(Upstream()) as upstream:
            world.add_vendor(upstream.url)
            await world.chat.complete(world.call(), chat())
            sent = len(upstream.requests)
            world.clock.forward(days=179, hours=23, minutes=59, seconds=59)
            await world.chat.complete(world.call(), chat())
            world.clock.forward(seconds=1)
            codes.append(await refused(world))
            world.vendors.suspend("acme", "usr_one")
            codes.append(await refused(world))
            assert len(upstream.requests) == sent + 1
        return codes

    assert world.run(go()) == ["review-expired", "vendor-not-approved"]


async def refused(world: World) -> str:
    with pytest.raises(TrothError) as refusal:
        await world.chat.complete(world.call(), chat())
    return refusal.value.code


def test_retention_needs_the_persons_consent(world: World) -> None:
    async def go() -> Upstream:
        async with serving(Upstream()) as upstream:
            world.add_vendor(upstream.url, retention=Retention.DAYS, retention_days=30)
            assert await refused(world) == "retention-needs-consent"
            assert upstream.received == b""
            world.consents.given["vendor-retention"] = "con_1"
            call = world.call()
            await world.chat.complete(call, chat())
            receipt = world.receipt(call)
            assert (receipt.consent, receipt.retention, receipt.retention_days) == ("con_1", "days", 30)
            return upstream

    assert len(world.run(go()).requests) == 1


def test_another_vendor_steps_in_when_the_first_may_not(world: World) -> None:
    async def go() -> str:
        async with serving(Upstream()) as upstream:
            world.add_vendor(upstream.url, vendor="acme", jurisdictions=("us",), regions=("us",))
            world.add_vendor(upstream.url, vendor="bravo")
            call = world.call()
            await world.chat.complete(call, chat())
            return world.receipt(call).vendor

    assert world.run(go()) == "bravo"


def test_plain_http_needs_the_setting(world: World) -> None:
    world.ports._plain_loopback = False
    world.add_vendor("http://127.0.0.1:9/v1")
    with pytest.raises(Unavailable) as refusal:
        world.ports.port(world.vendors.get("acme"), world.now)
    assert refusal.value.code == "vendor-not-encrypted"


def test_adapters_are_kept_until_the_record_changes(world: World) -> None:
    waiver = Waiver(owner="cto", approver="ciso", ends=world.now + DAY)
    world.add_vendor("https://vendor.test/v1", tls_waiver=waiver)
    record = world.vendors.get("acme")
    first = world.ports.port(record, world.now)
    assert world.ports.port(record, world.now) is first
    assert world.ports.port(record, world.now + 2 * DAY) is not first  # the waiver ended: TLS 1.3 again
