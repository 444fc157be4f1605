"""Promises about walls between clients: two synthetic people, and what one can do with the other's ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from sqlalchemy import delete, insert, select

from troth.audit.review import store
from troth.audit.review.store import OPEN, Review
from troth.gateway.videos import store as videos
from troth.gateway.videos.orders import ORDER, VIDEO, Order
from troth.governance.moves import By
from troth.identity.governing.store import campaigns
from troth.kernel.caller import Caller, anonymous
from troth.kernel.dispatch import Decision, Dispatcher
from troth.kernel.errors import IntegrityError, NotFound, Unauthenticated, Unavailable
from troth.kernel.ids import new_id
from troth.kernel.operation import Binary, Group, Operation
from troth.kernel.record import Change, Entry
from troth.keys.domains import Domain
from troth.keys.tree import KeyTree, UnitKey
from troth.promises.check import Check, Facts, counted
from troth.promises.checks.sealing import KINDS
from troth.promises.probe import Probe, probe, refused
from troth.promises.system import System
from troth.storage.blobs import LocalBlobs
from troth.vault import framing
from troth.vault.consent import TRAINING
from troth.vault.messages import CertificateNamed, ErasureNamed, Nothing, ObjectList
from troth.vault.objects import facts_of
from troth.vault.store import LIVE, row_of
from troth.vault.store import objects as object_table

# Parameters that name a place in what is one's own, not a thing.
_PLACES = frozenset({"index", "path", "check", "form", "paper", "sequence"})
_THEIRS = frozenset({Group.OWN_DATA, Group.OWN_RIGHTS, Group.OWN_KEYS, Group.AUDIT, Group.ROOM})


def _belongings(owner: Probe) -> dict[str, Any]:
    """One of everything that a route can name, and the parameter by which it is named."""
    upload, reply = owner.keep(kind="upload"), _chat(owner)
    consent = owner.system.vault.consents.grant(owner.tenant, owner.subject, TRAINING, notice="self-check-1")
    erasure = owner.erase(object_id=owner.keep().id)
    kept = _asked(owner, "response.create", {"model": "troth-echo-1", "input": "Say hello.", "store": True})
    return {
        "object_id": upload.id,
        "file_id": upload.id,
        "request_id": reply.id,
        "response_id": kept.id,
        "consent_id": consent.id,
        "erasure_id": erasure.id,
        "certificate_id": erasure.certificate,
        "review_id": _review(owner),
        "room_id": _room(owner),
        "check": "tenants-apart",
        "form": "lessons",
        "paper": "oscal",
        "sequence": 1,
        "index": 0,
        "path": "checkpoint",
    }


def _review(owner: Probe) -> str:
    """A review of the owner's tenant; one is enough for ever."""
    reviews, log = owner.system.reviewing.reviews, owner.tenant
    with reviews.database.write() as connection:
        known = store.all_of(connection, log)
        if not known:
            bare: dict[str, Any] = dict.fromkeys(("first", "last", "size", "sample", "acts"), 0)
            bare |= dict.fromkeys(("root", "seed", "weights"), "")
            made = Review(**bare, id=new_id("rev"), tenant=log, state=OPEN, opened_by=owner.subject, opened_at=0)
            store.add(connection, made, ())
            known = [made]
    return known[0].id


def _room(owner: Probe) -> str:
    """An auditor's room of the owner's tenant; one is enough for ever."""
    registers = owner.system.governance.registers
    known = registers.records(owner.tenant, "rooms")
    if not known:
        day = owner.system.base.clock.now().date().isoformat()
        by = By(owner.tenant, owner.subject, owner.subject, frozenset({"owner"}), new_id("req"))
        wish: dict[str, Any] = {"name": "Self-check", "auditor": owner.subject, "of_promises": ["EDG-05"]}
        wish |= {"of_registers": ["lessons"]} | dict.fromkeys(("period_from", "period_to", "until"), day)
        known = [registers.open(by, "rooms", wish)]
    return known[0].id


@contextmanager
def _named_things(owner: Probe) -> Iterator[dict[str, str]]:
    """What is a row alone, for the length of a look."""
    with _campaign(owner) as campaign, _video(owner) as video:
        yield {"campaign_id": campaign, "video_id": video}


@contextmanager
def _campaign(owner: Probe) -> Iterator[str]:
    """A review of the access in the owner's tenant, for the length of a look."""
    row = {"id": new_id("acr"), "tenant": owner.tenant, "state": "closed", "opened_by": owner.subject, "digest": ""}
    database = owner.system.base.database
    with database.write() as connection:
        connection.execute(insert(campaigns), row | dict.fromkeys(("opened_at", "due_at", "closed_at", "grants"), 0))
    try:
        yield row["id"]
    finally:
        with database.write() as connection:
            connection.execute(delete(campaigns).where(campaigns.c.id == row["id"]))


@contextmanager
def _video(owner: Probe) -> Iterator[str]:
    """A finished video of the owner's, for the length of a look."""
    order = Order("Say hello.", {}, "720x1280", "4", "eu")
    kept, made = owner.keep(order.encoded(), kind=ORDER), owner.keep(kind=VIDEO)
    ids, shape = (new_id("vid"), owner.tenant, new_id("req"), kept.id), ("local-studio", "troth-film-1")
    job = videos.Job(*ids, *shape, videos.DONE, None, 100, 1, None, made.id, created_at=0, ended_at=1)
    database = owner.system.base.database
    with database.write() as connection:
        videos.add(connection, job)
    try:
        yield job.id
    finally:
        with database.write() as connection:
            videos.remove(connection, job.id)


def _chat(owner: Probe) -> Any:
    message = {"role": "user", "content": "Say hello."}
    return _asked(owner, "chat.complete", {"model": "troth-echo-1", "messages": [message]})


def _asked(owner: Probe, name: str, wanted: dict[str, Any]) -> Any:
    return owner.run(name, owner.system.dispatcher.registry[name].declaration.request.model_validate(wanted))


def _crossings(system: System, robber: Callable[[Probe, Probe], Caller]) -> Facts:
    """Every reading route, called with the owner's ids where it names something; then: was each attempt recorded?

    Raises `KeyError` for a route whose parameter this check does not know: it must then be taught.
    """
    with probe(system) as owner, probe(system, neighbour=True) as other, _named_things(owner) as named:
        things = _belongings(owner) | named
        caller, outcomes = robber(owner, other), list[bool]()
        other.keep()
        system.base.sequencer.flush()
        attempts = {new_id("req"): one for one in system.dispatcher.registry if _reads(one)}
        for request_id, operation in attempts.items():
            members = _named(operation, things)
            given = _answer(system, caller, operation, members, request_id)
            away = _is_document(given) if set(members) - _PLACES else _carries(given, owner.tenant)
            outcomes.append(given is None or not (away or _mentions(given, things)))
        system.base.sequencer.flush()
        log = caller.tenant or "operator"
        outcomes += [len(system.base.prover.locate(log, request_id)) == 2 for request_id in attempts]
    return counted(outcomes)


def _reads(operation: Operation) -> bool:
    route, group = operation.declaration.route, operation.declaration.group
    return route is not None and route.method == "GET" and group in _THEIRS


def _named(operation: Operation, things: Mapping[str, Any]) -> dict[str, Any]:
    path = operation.declaration.route.path if operation.declaration.route else ""
    names = [part.partition("}")[0].partition(":")[0] for part in path.split("{")[1:]]
    return {name: things[name] for name in names}


def _answer(
    system: System, caller: Caller, operation: Operation, members: Mapping[str, Any], request_id: str
) -> object | None:
    """What came back; None for "there is no such thing", which is what another tenant's must be."""
    request = operation.declaration.request.model_validate(dict(members))
    try:
        answer: object = system.dispatcher.run(operation.name, caller, request, request_id)
    except NotFound:
        return None
    return answer


def _mentions(answer: object, things: Mapping[str, Any]) -> bool:
    text = answer.model_dump_json() if isinstance(answer, BaseModel) else ""
    return any(thing in text for name, thing in things.items() if isinstance(thing, str) and name not in _PLACES)


def _is_document(answer: object) -> bool:
    return not isinstance(answer, BaseModel)


def _carries(answer: object, tenant: str) -> bool:
    """True for a document of that tenant, such as its log's checkpoint."""
    return isinstance(answer, Binary) and tenant.encode() in answer.content


Lister = Callable[[Probe], set[str]]


def _own_list(system: System, listed: Lister) -> Facts:
    """Two people of one tenant: each list against the index, and nobody's list without an identity."""
    with probe(system) as one, probe(system) as two:
        for person, count in ((one, 3), (two, 2)):
            for _ in range(count):
                person.keep()
        outcomes = [listed(person) == _indexed(system, person) for person in (one, two)]
        outcomes += [not listed(one) & _indexed(system, two), not listed(two) & _indexed(system, one)]
        outcomes += _colleague_sees_no_erasure(one, two)
        nobody = anonymous(one.caller().connection)
        asked = refused(lambda: system.dispatcher.run("object.list", nobody, ObjectList()), Unauthenticated)
    return counted([*outcomes, asked])


def _colleague_sees_no_erasure(one: Probe, two: Probe) -> list[bool]:
    done = one.erase(object_id=one.keep().id)
    shown, document = ErasureNamed(erasure_id=done.id), CertificateNamed(certificate_id=done.certificate or "")
    return [
        one.run("erasure.show", shown).state == "done",
        refused(lambda: two.run("erasure.show", shown), NotFound),
        refused(lambda: two.run("certificate.show", document), NotFound),
    ]


def _by_operation(person: Probe) -> set[str]:
    return {shown.id for shown in person.run("object.list", ObjectList()).objects}


def _indexed(system: System, person: Probe) -> set[str]:
    mine = select(object_table.c.id).where(
        object_table.c.tenant == person.tenant,
        object_table.c.subject == person.subject,
        object_table.c.state == LIVE,
    )
    with system.base.database.read() as connection:
        return set(connection.execute(mine).scalars())


def _whole_tenant(person: Probe) -> set[str]:
    """The known-bad list: it asks for the tenant and forgets the person."""
    query = select(object_table.c.id).where(object_table.c.tenant == person.tenant, object_table.c.state == LIVE)
    with person.system.base.database.read() as connection:
        return set(connection.execute(query).scalars())


@dataclass(frozen=True)
class Down:
    """Recorder, decider and key root that cannot be reached."""

    domain: str = "local"
    assurance: str = "A0"

    def _away(self, *_: object) -> Any:
        raise Unavailable("A self-check plays an outage.")

    record = record_within = submit = decide = create = seal = open = destroy = present = _away

    async def keep(self, entry: Entry, changes: Sequence[Change] = ()) -> None:  # noqa: ARG002 - a recorder's shape
        """Away too."""
        self._away()


@dataclass(frozen=True)
class Careless:
    """The known-bad recorder and decider: nothing is written, everything is allowed."""

    def record(self, entry: Entry, changes: Sequence[Change] = ()) -> None:
        """Lose it."""

    def record_within(self, connection: Any, entry: Entry) -> None:
        """Lose it."""

    def submit(self, entry: Entry, changes: Sequence[Change] = ()) -> Future[None]:  # noqa: ARG002 - a recorder's shape
        """Lose it, and say that it is kept."""
        kept: Future[None] = Future()
        kept.set_result(None)
        return kept

    async def keep(self, entry: Entry, changes: Sequence[Change] = ()) -> None:
        """Lose it."""

    def decide(self, caller: Caller, operation: Operation) -> Decision:  # noqa: ARG002 - the shape of a decider
        return Decision(allowed=True)


def _blast(system: System, steal: Callable[[Probe, Probe], Probe], failing: Down | Careless) -> Facts:
    """What a stolen key and row open of another tenant, and what still runs while a component is away."""
    with probe(system) as robbed, probe(system, neighbour=True) as other:
        outcomes = []
        for kind, data_class in KINDS:
            loot, wanted = (person.keep(kind=kind, data_class=data_class).id for person in (robbed, other))
            thief = steal(robbed, other)
            outcomes += _opens_none(thief, loot if thief is robbed else wanted, other.sealed(wanted))
        outcomes += _outages(other, failing)
    return counted(outcomes)


def _opens_none(thief: Probe, loot: str, sealed: bytes) -> list[bool]:
    row = thief.row(loot)
    key, header = thief.system.base.tree.key(bytes.fromhex(row["unit"])), framing.read_header(sealed)
    posing = UnitKey(header.unit, header.generation, key.key)
    claims = (header.facts, facts_of(row_of(row)))
    return [refused(lambda facts=facts: framing.open(sealed, facts, posing), IntegrityError) for facts in claims]  # type: ignore[misc]


def _outages(person: Probe, failing: Down | Careless) -> list[bool]:
    system, wanted = person.system, Nothing()
    base = system.base
    recorder = Dispatcher(system.dispatcher.registry, system.decider, failing, base.clock, base.journal)
    decider = Dispatcher(system.dispatcher.registry, failing, base.outbox, base.clock, base.journal)
    key = bytes.fromhex(person.row(person.keep().id)["unit"])
    keys = _without_root(system, failing) if isinstance(failing, Down) else base.tree
    return [
        refused(lambda: person.run("consent.list", wanted, recorder), Unavailable),
        refused(lambda: person.run("consent.list", wanted, decider), Unavailable),
        refused(lambda: keys.key(key), Unavailable),
    ]


def _without_root(system: System, away: Any) -> KeyTree:
    """The key tree of this installation, as it is while its root cannot be reached."""
    data = system.base.settings.data
    domain = Domain(away, LocalBlobs(data.folder / "key-pages"))
    return KeyTree(system.base.database, [domain], system.base.clock, jurisdiction=data.jurisdiction)


CHECKS = (
    Check(
        "tenants-apart",
        ("EDG-05",),
        "A synthetic owner of one tenant calls every reading route of data, rights, keys, rooms and logs with the ids "
        "of another tenant's person: nothing may come back but 'there is no such thing', and every attempt must stand "
        "in the log. Routes of administrators and officers, and separation below the application, are not looked at.",
        lambda system: _crossings(system, lambda _, other: other.caller("owner")),
        lambda system: _crossings(system, lambda owner, _: owner.caller("owner")),
        every=6 * 3600,
        scope="reading routes, across two synthetic tenants",
        population="answers of routes, and their entries in the log",
    ),
    Check(
        "own-data-only",
        ("RGT-01",),
        "Two synthetic people of one tenant list their objects: each list must equal the index of that person, share "
        "nothing with the other's, and be refused to a stranger; one must not see the other's erasure or certificate. "
        "The portal shows the same; its pages are not looked at.",
        lambda system: _own_list(system, _by_operation),
        lambda system: _own_list(system, _whole_tenant),
        every=6 * 3600,
        scope="lists and papers of two synthetic people of one tenant",
        population="lists, and looks at what is somebody else's",
    ),
    Check(
        "one-failure-opens-nothing",
        ("EDG-04",),
        "With one tenant's keys and rows in hand nothing of another tenant may open; with the record, the policy or "
        "the keys away, calls must be refused. A second person for root actions is not asked yet, and not looked at.",
        lambda system: _blast(system, lambda robbed, _: robbed, Down()),
        lambda system: _blast(system, lambda _, other: other, Careless()),
        every=6 * 3600,
        scope="objects of two synthetic tenants, with parts away",
        population="attempts with stolen keys, or without a component",
    ),
)
