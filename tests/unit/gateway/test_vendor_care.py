"""What lapses next, contact tests, papers as YAML, TLS of a real server, and who was exposed."""

from __future__ import annotations

import datetime
import ipaddress
import json
import socket
import ssl
import threading
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import insert, update

from gateway_world import DAY, Upstream, World, due_diligence, serving
from troth.gateway import exposure as exposure_module
from troth.gateway.exposure import Exposures
from troth.gateway.store import receipts
from troth.gateway.store import vendors as table
from troth.gateway.vendor_care import VendorCareOperations
from troth.gateway.vendors import filing
from troth.gateway.vendors.lapses import lapses
from troth.gateway.vendors.paper_file import LARGEST, exported, imported
from troth.gateway.vendors.papers import Certificate, Condition, SubProcessor, Tier
from troth.gateway.vendors.record import Observed, State, Waiver
from troth.gateway.vendors.router import Asked
from troth.gateway.vendors.tls_probe import probe
from troth.gateway.wire import vendors as wire
from troth.gateway.wire.chat import CompleteChat
from troth.kernel.errors import Denied, Invalid, NotFound, TrothError


@pytest.fixture
def care(world: World) -> VendorCareOperations:
    return VendorCareOperations(world.vendors, Exposures(world.database, world.vendors), world.clock)


def test_what_lapses_next_stands_first(world: World, care: VendorCareOperations) -> None:
    certificate = Certificate(name="iso27001", file="ab" * 32, starts=0, ends=world.now + 3 * DAY)
    waiver = Waiver(owner="cto", approver="ciso", ends=world.now + 5 * DAY)
    world.add_vendor("https://vendor.test/v1", certificates=(certificate,), tls_waiver=waiver,
                     sub_processors=(SubProcessor(name="hoster", region="eu", since=world.now + 2 * DAY),))  # fmt: skip
    found = care.lapses(world.call(), wire.ListVendors()).lapses
    assert [one.what for one in found] == ["sub-processor hoster begins", "certificate iso27001", "TLS exception",
                                           "review", "agreement", "contact test", "regular review"]  # fmt: skip
    assert {one.vendor for one in found} == {"acme"}
    assert [one.state for one in found] == ["soon"] * 3 + ["later"] * 4
    world.clock.forward(days=370)
    states = {one.what: one.state for one in care.lapses(world.call(), wire.ListVendors()).lapses}
    assert (states["review"], states["regular review"], states["contact test"]) == ("stopped", "overdue", "overdue")
    world.vendors.suspend("acme", "usr_one")
    assert care.lapses(world.call(), wire.ListVendors()).lapses == []


def test_conditions_lapse_too_and_met_ones_do_not(world: World) -> None:
    review = due_diligence(world.now).diligence
    assert review is not None
    conditions = tuple(Condition(question="training", what=name, due=world.now + DAY, met=name == "met")
                       for name in ("open", "met"))  # fmt: skip
    world.add_vendor("https://vendor.test/v1", diligence=review.model_copy(update={"conditions": conditions}))
    assert lapses(world.vendors.get("acme"))[0].what == "condition open"


def test_a_test_of_the_contact_is_kept_and_needs_no_fresh_approval(world: World, care: VendorCareOperations) -> None:
    world.add_vendor("https://vendor.test/v1")
    for answered in (True, False):
        care.contact(world.call(subject="usr_four"), wire.TestContact(vendor_id="acme", answered=answered))
    record = world.vendors.get("acme")
    assert record.state is State.APPROVED
    assert [(one.by, one.answered) for one in record.observed.contacts] == [("usr_four", True), ("usr_four", False)]
    assert record.observed.contact == record.observed.contacts[0]
    assert [one.what for one in record.observed.history] == ["added", "approved", "contact", "contact"]


def test_history_names_who_did_what_and_which_fields_changed(world: World) -> None:
    world.add_vendor("https://vendor.test/v1")
    world.vendors.amend("acme", due_diligence(world.now, name="Acme 2", raw_images=False), None, "usr_one")
    told = world.vendors.get("acme").observed.history
    assert [(one.by, one.what) for one in told] == [
        ("usr_one", "added"),
        ("usr_two", "approved"),
        ("usr_one", "amended"),
    ]
    assert told[-1].changed == ("announced_at", "name", "raw_images")
    assert told[-1].facts != told[0].facts
    observed = Observed()
    for _ in range(filing.MAX_HISTORY + 5):
        observed = filing.with_event(observed, told[0])
    assert len(observed.history) == filing.MAX_HISTORY


def test_a_row_of_before_loads_and_gets_nothing_until_its_papers_are_complete(world: World) -> None:
    old = due_diligence(world.now).model_dump(mode="json", exclude={"diligence", "contract", "certificates", "speech"})
    old["sub_processors"] = ["somebody"]
    with world.database.write() as connection:
        connection.execute(insert(table).values(
            id="old", state="approved", facts=json.dumps(old), requested_by="a", approved_by="b",
            credential=None, changed_at=1))  # fmt: skip
    record = world.vendors.get("old")
    assert record.facts.sub_processors[0].name == "somebody"
    assert (record.kind, record.observed.history) == ("openai-compatible", ())
    with pytest.raises(TrothError) as refusal:
        world.clearance._router.route(Asked("ten", "eu", "acme-chat", "chat", False, lambda: None))
    assert refusal.value.code == "agreement-clauses-missing"


def test_papers_go_out_and_come_back_the_same(world: World, care: VendorCareOperations) -> None:
    world.vendors.add("acme", due_diligence(world.now), "sk-secret", "usr_one")
    text = care.export(world.call(), wire.VendorById(vendor_id="acme")).content.decode()
    assert "sk-secret" not in text
    assert imported(text) == due_diligence(world.now)
    care.import_(world.call(subject="usr_five"), wire.PapersOf(vendor_id="acme", papers=text))
    assert (world.vendors.get("acme").requested_by, world.vendors.credential("acme")) == ("usr_five", "sk-secret")
    care.import_(world.call(), wire.PapersOf(vendor_id="fresh", papers=text, credential="sk-two"))
    assert (world.vendors.get("fresh").state, world.vendors.credential("fresh")) == (State.DRAFT, "sk-two")


BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"


@pytest.mark.parametrize(
    ("text", "word"),
    [("name: [", "not YAML"), ("- 1", "it"), (BOMB, "alias"), ("x: 1\n" * LARGEST, "long"), ("[" * 5000, ""),
     ("a: [" + "1, " * 40_000 + "]", "much"), ("name: jane.doe@leak-test.com\n", "base_url")],
    ids=["broken", "list", "alias", "long", "deep", "much", "fields"],
)  # fmt: skip
def test_bad_papers_are_refused_without_their_values(text: str, word: str) -> None:
    with pytest.raises(Invalid) as refusal:
        imported(text)
    assert refusal.value.code == "bad-papers"
    assert word in refusal.value.advice
    assert "leak-test" not in refusal.value.advice


def test_papers_of_what_is_built_in_are_not_taken(world: World) -> None:
    review = due_diligence(world.now).diligence
    assert review is not None
    built_in = due_diligence(world.now, diligence=review.model_copy(update={"tier": Tier.BUILT_IN}))
    with pytest.raises(Invalid) as refusal:
        world.vendors.add("acme", built_in, None, "usr_one")
    assert refusal.value.code == "tier-built-in"
    assert "conditions" not in exported(due_diligence(world.now))


def test_the_reviewer_is_somebody_else_too(world: World) -> None:
    world.vendors.add("acme", due_diligence(world.now), None, "usr_three")
    with pytest.raises(Denied) as refusal:
        world.vendors.approve("acme", "usr_two")
    assert refusal.value.code == "reviewer-is-requester"


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 that vouches for itself, with its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "vendor")])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path_factory.mktemp("tls") / "chain.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.mark.parametrize(
    ("most", "trusted", "found"),
    [(ssl.TLSVersion.TLSv1_3, True, "TLSv1.3"), (ssl.TLSVersion.TLSv1_2, True, "TLSv1.2"),
     (ssl.TLSVersion.TLSv1_3, False, "none")],
    ids=["1.3", "1.2", "stranger"],
)  # fmt: skip
def test_a_look_says_what_the_address_offers(chain: Path, most: ssl.TLSVersion, trusted: bool, found: str) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.maximum_version = most
    server.load_cert_chain(chain)
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]

    def greet() -> None:
        while True:
            try:
                plain, _ = listening.accept()
            except OSError:
                return
            try:
                server.wrap_socket(plain, server_side=True).close()
            except OSError:
                plain.close()

    def context() -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(chain)) if trusted else ssl.create_default_context()

    threading.Thread(target=greet, daemon=True).start()
    try:
        facts = due_diligence(1_800_000_000_000, f"https://127.0.0.1:{port}/v1")
        assert probe(facts, 5, context).model_dump() == {"at": 5, "version": found}
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()


def test_an_address_in_clear_has_no_tls_to_look_at() -> None:
    with pytest.raises(Invalid) as refusal:
        probe(due_diligence(DAY, "http://127.0.0.1:9/v1"), 5)
    assert refusal.value.code == "vendor-not-encrypted"


def test_another_address_forgets_what_the_old_one_offered(world: World) -> None:
    world.add_vendor("https://vendor.test/v1")
    seen = {"at": world.now, "version": "TLSv1.2"}
    world.vendors.probed("acme", filing.Observed.model_validate({"probe": seen}).probe, "usr_one")  # type: ignore[arg-type]
    world.vendors.amend("acme", due_diligence(world.now, name="Acme 2"), None, "usr_one")
    assert world.vendors.get("acme").observed.probe is not None
    world.vendors.amend("acme", due_diligence(world.now, "https://other.test/v1"), None, "usr_one")
    assert world.vendors.get("acme").observed.probe is None


def test_who_used_a_vendor_in_the_window(world: World, care: VendorCareOperations) -> None:
    async def go() -> list[str]:
        async with serving(Upstream()) as upstream:
            world.add_vendor(upstream.url)
            made = []
            for _ in range(3):
                call = world.call()
                body = {"model": "acme-chat", "messages": [{"role": "user", "content": "hello"}]}
                await world.chat.complete(call, CompleteChat.model_validate(body))
                world.close(call)
                made.append(call.request_id)
                world.clock.forward(seconds=10)
            return made

    first, second, third = world.run(go())
    since = world.now - 20_000
    found = care.exposure(world.call(), wire.ShowExposure(vendor_id="acme", since=since, until=world.now))
    assert [[one.request for one in tenant.requests] for tenant in found.tenants] == [[second, third]]
    assert (found.requests, found.more_from, found.tenants[0].requests[0].outcome) == (2, None, "answered")
    assert first not in found.model_dump_json()
    assert "hello" not in found.model_dump_json()
    empty = care.exposure(world.call(), wire.ShowExposure(vendor_id="acme", since=since, until=since + 1))
    assert [one.request for one in empty.tenants[0].requests] == [second]


def test_a_long_list_goes_on_where_it_stopped(
    world: World, care: VendorCareOperations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exposure_module, "MOST", 3)
    world.add_vendor("https://vendor.test/v1")
    with world.database.write() as connection:
        for n, at in enumerate((1, 2, 2, 3, 3, 4)):
            row = {"tenant": f"ten_{n % 2}", "request": f"req_{n}", "object": "o", "vendor": "acme", "model": "m",
                   "sent_at": at, "outcome": "answered", "objects": "[]"}  # fmt: skip
            connection.execute(insert(receipts).values(row))
    seen, start = list[str](), 0
    while True:
        page = care.exposure(world.call(), wire.ShowExposure(vendor_id="acme", since=start, until=9))
        seen += [one.request for tenant in page.tenants for one in tenant.requests]
        if page.more_from is None:
            break
        start = page.more_from
    assert sorted(seen) == [f"req_{n}" for n in range(6)]
    with world.database.write() as connection:
        connection.execute(update(receipts).values(sent_at=5))
    with pytest.raises(Invalid):
        care.exposure(world.call(), wire.ShowExposure(vendor_id="acme", since=0, until=9))


def test_a_window_that_ends_before_it_begins_and_a_vendor_that_is_none(
    world: World, care: VendorCareOperations
) -> None:
    with pytest.raises(Invalid):
        care.exposure(world.call(), wire.ShowExposure(vendor_id="local-studio", since=5, until=5))
    with pytest.raises(NotFound):
        care.exposure(world.call(), wire.ShowExposure(vendor_id="nobody", since=1, until=5))
