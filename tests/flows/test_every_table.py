"""Export and erasure, column by column and store by store: the data map says what goes and what stays, this proves it.

A person does everything that leaves a trace, as a person and as an officer. Every text column of every table is then
searched for their id, and every store for what they said. A column that begins to hold one, a table of tenants that
stays empty here, and a store of the map that nobody looks into fail the test: a new one cannot be forgotten.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, String, insert, select

from house import House, Person, house
from oauth_world import Program, service
from troth.governance.data_map.places import unplaced
from troth.governance.data_map.reading import shipped
from troth.identity.certificates.issuing import fresh_key
from troth.identity.certificates.requesting import request_by
from troth.identity.privacy import PrivacySettings
from troth.identity.provisioned import people as provisioned
from troth.identity.scim.reading import PROFILE
from troth.identity.sso.admission import Asking, Word
from troth.identity.sso.subjects import Subject
from troth.kernel.caller import Connection
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Gone
from troth.kernel.scope import SYSTEM, within
from troth.promises.account import found_in
from troth.storage.database import metadata
from troth.storage.isolation import RULES
from troth.vault import ledger
from troth.vault.objects import BLOBS, KeepRequest
from troth.vault.rights.intake import Message
from troth.vault.store import objects

MAP = shipped()
# Columns of the map that hold a person's opaque id, alone or within a text, and that go with them.
IDS = {name for name, held in MAP.columns() if held == "id"}
# Where their opaque id stays, which then resolves to nobody, and why.
STAYS = MAP.staying()
# Ids of the map that are none of a person: of a row that goes with them.
OTHERS = set(
    """certified_sessions.session certified_sessions.device vault_edge.parent vault_edge.child vault_print.object
    receipts.object video_jobs.object video_jobs.made vault_request_closing.request vault_request_notice.request
    moderation_evidence.case moderation_evidence.object usage_row.key usage_row.request
    register_item.member vendors.requested_by vendors.approved_by erasure.subject
    key_replacement.subject""".split()
    # vendors: operators alone, in a record that must be whole; the last two: only while the work runs
)
# What nobody comes to in an ordinary installation; `_beyond` writes such rows as they would stand there.
BEYOND = set(
    """key_suspension.subject key_replacement.actor key_replacement.approver
    moderation_evidence.reported_by moderation_evidence.asked_by moderation_takedown.proposed_by
    moderation_takedown.approved_by tenant_departure.pinned_by tenant_departure.agreed_by
    paper_version.proposed_by paper_version.approved_by
    statement_version.proposed_by statement_version.approved_by installation.house_proposed_by""".split()
)
# Tables of tenants that hold no row here, and why that hides nothing about people.
EMPTY = {
    "calendar_reminder": "which stages of what is due were told, by record",
    "calendar_webhook": "addresses of servers, sealed; none without a wish",
    "certified_services": "keys of service accounts; by service",
    "certified_sessions": "which session belongs to which device, by the ids of both; written by mTLS alone",
    "audit_witnessed": "checkpoints that witnesses vouch for; none without a policy",
    "budget_alert": "which percentages were told; by budget",
    "erasure_certificate": "documents without ids; written once an erasure is through",
    "key_replacement": "operators' work; the person's id goes when it ends",
    "key_suspension": "scopes of keys; a restriction that stands",
    "moderation_evidence": "what is kept under a legal hold; by case, and by who reported it",
    "outbox": "on its way to audit_entries",
    "receipts": "where a receipt lies, by request",
    "redaction_policy": "a tenant's settings, without people",
    "scrub_finding": "objects whose bytes were found changed; by object",
    "tenant_arrival": "a move from elsewhere",
    "tenant_departure": "a move to elsewhere; operators only",
    "usage_day": "sums of days, of models and vendors",
    "video_jobs": "where the order of a video lies, by request",
}
# How the person's copy lists it: kinds by holder, as the map says.
EXPORTED: dict[str, set[str]] = {}
for _holder, _, _kind in (said.partition("/") for table in MAP.tables.values() for said in table.shown_as):
    EXPORTED.setdefault(_holder, set()).add(_kind)
# Stores that stand elsewhere than in this house, or hold nothing at rest, and the test that proves what the map says.
ELSEWHERE = {
    "film-room": "tests/unit/gateway/test_videos.py::test_who_is_erased_has_no_job_left",
    "backups": "tests/attacks/test_vault_erased.py::test_old_database_and_blobs_with_todays_roots_open_nothing_erased",
    "mirror": "tests/flows/test_log_mirror.py::test_the_second_region_has_every_log_and_refills_when_it_is_new",
    "mail-desk": "tests/flows/test_nothing_in_clear.py::test_no_needle_is_in_any_file",
    "valkey": "tests/unit/gateway/limits/test_limiter.py::test_a_store_learns_no_id",
    "journal": "tests/flows/test_nothing_in_clear.py::test_no_needle_is_in_any_file",
}
# Stores of this house, in which the person's words are looked for before and after, in the folders that the map names.
HERE = {"database", "objects", "keys", "log", "guard"}


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as built:
        yield built


def naming(home: House, person: str) -> set[str]:
    """The columns, as table.column, in which a person's id stands, alone or within a text."""
    found = set()
    with within(SYSTEM), home.system.base.database.read() as connection:
        for table in metadata.sorted_tables:
            for column in (one for one in table.columns if isinstance(one.type, String)):
                if connection.execute(select(column).where(column.contains(person)).limit(1)).first() is not None:
                    found.add(f"{table.name}.{column.name}")
    return found


def unplanted(home: House) -> set[str]:
    """Tables whose rows are somebody's and that have none."""
    with within(SYSTEM), home.system.base.database.read() as connection:
        return {
            table.name
            for table in metadata.sorted_tables
            if ("tenant" in table.columns or table.name in RULES)
            and connection.execute(select(table).limit(1)).first() is None
        }


def exported(home: House, person: Person) -> dict[str, set[str]]:
    """What the person's copy lists: kinds by holder."""
    kinds: dict[str, set[str]] = {}
    with zipfile.ZipFile(io.BytesIO(home.call("POST", "/v1/export", person.headers).content)) as archive:
        for name in archive.namelist():
            for one in json.loads(archive.read(name)) if name.startswith("data/") else []:
                kinds.setdefault(one["holder"], set()).add(one["kind"])
    return kinds


def test_every_column_that_names_a_person_goes_or_is_said_to_stay(alone: House) -> None:
    owner = alone.tenant("every")
    bob = alone.member(owner, "bob@every.example.org", "owner")
    cal = alone.member(owner, "cal@every.example.org")
    _with_access(alone, bob, owner, cal)
    _as_a_person(alone, bob, owner, cal)
    _as_an_officer(alone, bob, cal, owner)
    _in_registers(alone, bob, owner)
    for policy in ({"deny": ["acme"]}, {}):  # the second is looser, and waits
        alone.ok("PUT", "/v1/routing-policy", bob.headers, policy=policy, reason="rule")
    for who, of, target in ((owner, "user", bob.id), (bob, "tenant", None)):
        body = {"of": of, "target": target, "reason": "rule"}
        alone.ok("PUT", "/v1/budgets", who.headers, **body, amount="5.00", at_end="stop")
        alone.ok("PUT", "/v1/limits", who.headers, **body, limits={"money-per-day": "5.00"})
    assert naming(alone, bob.id) == (IDS | STAYS.keys()) - OTHERS - BEYOND
    assert unplanted(alone) <= EMPTY.keys()
    assert exported(alone, bob) == EXPORTED
    kept = _in_stores(alone, bob)
    _beyond(alone, bob)
    assert naming(alone, bob.id) == (IDS | STAYS.keys()) - OTHERS
    assert alone.ok("POST", "/v1/erasures", owner.headers, subject=bob.id)["state"] == "done"
    assert naming(alone, bob.id) <= STAYS.keys()
    _gone_from_stores(alone, bob, kept)
    with within(SYSTEM):
        holders = alone.system.vault.holders
        assert [one for holder in holders for one in holder.holdings(bob.tenant, bob.id)] == []


def test_every_store_of_the_map_is_looked_into_here_or_by_a_test_that_exists() -> None:
    assert HERE | ELSEWHERE.keys() == MAP.personal_stores
    root = Path(__file__).parents[2]
    for node in ELSEWHERE.values():
        file, _, name = node.partition("::")
        assert f"\ndef {name}(" in (root / file).read_text(), node


@dataclass(frozen=True)
class _Kept:
    """What stands in stores of a person: names of blobs, and a value that is sealed under their key."""

    blobs: set[str]
    sealed: bytes


def _in_stores(home: House, bob: Person) -> _Kept:
    """Everything is there, nothing in clear, and nothing lies where the map names no store."""
    base = home.system.base
    with within(SYSTEM), base.database.read() as connection:
        rows = connection.execute(select(objects.c.blob).where(objects.c.subject == bob.id))
        blobs = {name for name in rows.scalars() if name is not None}
    assert blobs
    assert blobs <= set(base.objects.names(BLOBS))
    sealed = base.fields.seal(bob.tenant, bob.id, PROFILE, b"Robert")
    assert base.fields.open(bob.tenant, bob.id, PROFILE, sealed) == b"Robert"
    assert list(unplaced(MAP, _places(home))) == []
    _nowhere_in_clear(home, bob)
    return _Kept(blobs, sealed)


def _gone_from_stores(home: House, bob: Person, kept: _Kept) -> None:
    with within(SYSTEM), home.system.base.database.read() as connection:
        others = set(connection.execute(select(objects.c.blob).where(objects.c.subject != bob.id)).scalars())
    left = kept.blobs & set(home.system.base.objects.names(BLOBS))
    assert left <= others  # what somebody else owns too goes on under their key
    assert left < kept.blobs
    with pytest.raises(Gone):
        home.system.base.fields.open(bob.tenant, bob.id, PROFILE, kept.sealed)
    _nowhere_in_clear(home, bob)


def _places(home: House) -> Iterator[str]:
    """Everything in the folders of the house, as the map names places."""
    data = home.system.base.settings.data
    for setting, folder in (("data.folder", data.folder), ("data.keys", data.keys)):
        yield from (f"{setting}/{path.relative_to(folder)}" for path in folder.rglob("*"))


def _nowhere_in_clear(home: House, bob: Person) -> None:
    data = home.system.base.settings.data
    words = [bob.email.encode(), b"My name is Robert.", b"All of it.", b"How to build a pipe bomb"]
    assert found_in([data.folder, data.keys], words, 0.0) == set()


def _beyond(home: House, bob: Person) -> None:
    """Rows that only operators and rare events write, with the person in every column that may name one."""
    with home.system.base.database.write(SYSTEM) as connection:
        for table in {name.partition(".")[0] for name in BEYOND}:
            columns = metadata.tables[table].columns
            row = {one.name: _any(one) for one in columns if not one.nullable}
            known = {"tenant": bob.tenant, "jurisdiction": "eu", "unit": ""}
            row |= {name: value for name, value in known.items() if name in columns}
            mine = {name.partition(".")[2]: bob.id for name in BEYOND if name.startswith(f"{table}.")}
            connection.execute(insert(metadata.tables[table]).values(row | mine))


def _any(column: Column[Any]) -> Any:
    """A value that fits, and is nobody's."""
    return {int: 0, bool: False, bytes: b"x", str: "x"}[column.type.python_type]


def _kept(home: House, whose: Person) -> str:
    content = (DataClass.USER_GENERATED, "upload", "text/plain", "a.txt", b"a")
    with within(SYSTEM):
        return str(home.system.vault.objects.keep(KeepRequest(whose.tenant, whose.id, *content)).id)


def _in_registers(home: House, bob: Person, owner: Person) -> None:
    """Bob enters himself as staff, and attests a policy that somebody else put in force."""

    def made(who: Person, place: str, **values: Any) -> Any:
        return home.ok("POST", f"/v1/registers/{place}", who.headers, values=values)

    made(bob, "staff", person=bob.id, account=bob.id, role="Engineer", joined_on="2026-01-05")
    policy = made(bob, "policies", name="Access", document="obj_1", change="major")["id"]
    made(bob, f"policies/{policy}/moves/propose")
    made(owner, f"policies/{policy}/moves/approve", effective="2026-01-01", review_by="2199-01-01")
    home.ok("POST", f"/v1/registers/policies/{policy}/acts/attest", bob.headers)
    home.ok("POST", "/v1/calendar/feed", bob.headers)
    letter = {"id": "dlv_a", "tenant": bob.tenant, "channel": "mail", "target": bob.id, "kind": "due", "body": "{}"}
    times = {"state": "waiting", "tries": 0, "put_at": 0, "next_at": 1 << 60}
    with home.system.base.database.write(SYSTEM) as connection:  # no relay is set up here
        connection.execute(insert(metadata.tables["calendar_delivery"]).values(letter | times))


def _as_a_person(home: House, bob: Person, owner: Person, cal: Person) -> None:
    def post(path: str, who: Person = bob, **body: Any) -> Any:
        return home.ok("POST", path, who.headers, **body)

    _through_a_provider(home, bob, owner)
    post("/v1/devices", name="laptop", request=request_by(fresh_key()))
    home.passkey(bob)
    _with_programs(home, bob)
    home.picture(bob)  # a key, a receipt, an output that derives from its prompt
    post(f"/v1/objects/{_kept(home, bob)}/owners", person=owner.email)
    post(f"/v1/objects/{_kept(home, cal)}/shown", cal, person=bob.email)
    post("/v1/consents", purpose="training", notice="2026-11")
    post("/v1/requests", kind="erasure", text="All of it.")
    post("/v1/requests", kind="objection", purpose="analytics")
    post("/v1/statements", about="account", text="My name is Robert.")
    post("/v1/processing/restriction", reason="accuracy-contested")
    home.ok("DELETE", "/v1/processing/restriction", bob.headers)
    with within(SYSTEM):
        PrivacySettings(home.system.base.database).change(bob.id, "analytics", "aggregate")
        message = Message(sender=bob.email, title="My data", text="All of it.", raw=b"a mail")
        home.system.vault.rights.intake.receive(bob.tenant, message)


def _with_access(home: House, bob: Person, owner: Person, cal: Person) -> None:
    """Bob asks, is trusted and reviewed, and decides about the access of Cal."""
    why, ok = "the month end needs it", home.ok
    ok("POST", f"/v1/users/{bob.id}/roles", owner.headers, role="member", reason=why)
    ok("POST", "/v1/elevations", bob.headers, role="security-analyst", reason=why)
    ok("POST", "/v1/emergency/people", owner.headers, user_id=bob.id, role="admin", reason=why)
    ok("POST", "/v1/custom-roles", bob.headers, name="reader", groups=["audit"])
    asked = ok("POST", "/v1/elevations", cal.headers, role="auditor", reason=why)
    ok("POST", f"/v1/elevations/{asked['id']}/approval", bob.headers, reason="checked")
    ok("POST", "/v1/emergency/people", bob.headers, user_id=cal.id, role="admin", reason=why)
    home.passkey(cal)
    used = ok("POST", "/v1/emergency/uses", cal.headers, reason=why)
    ok("DELETE", f"/v1/elevations/{used['id']}", bob.headers)
    ok("POST", f"/v1/emergency/uses/{used['id']}/review", bob.headers, verdict="justified", reason="checked")
    ok("POST", f"/v1/users/{cal.id}/roles", bob.headers, role="security-analyst", reason=why)
    review = ok("POST", "/v1/access-reviews", bob.headers)
    here = f"/v1/access-reviews/{review['review']['id']}"
    for one in review["grants"]:
        whose = owner if one["mine"] else bob
        ok("POST", f"{here}/grants/{one['user']}/{one['role']}", whose.headers, verdict="keep", reason="checked")
    ok("POST", f"{here}/closing", bob.headers)


def _with_programs(home: House, bob: Person) -> None:
    """A command line that is signed in, a device that waits for its answer, and a service account with a token."""
    program = Program(home)
    program.signed_in(bob)
    home.ok("POST", "/v1/device-codes/deny", bob.headers, user_code=program.begin()["user_code"])
    service(home, bob).access()


def _through_a_provider(home: House, bob: Person, owner: Person) -> None:
    """An attempt that goes on, a link, and the session that it opened."""
    wish = {"issuer": "https://idp.example.org", "client_id": "troth", "domains": ["every.example.org"]}
    made = home.ok("POST", "/v1/sso/connections", owner.headers, name="Directory", **wish)
    link = {"connection_id": made["id"], "user_id": bob.id, "subject": "bob"}
    home.ok("POST", "/v1/sso/links", bob.headers, **link)
    party = home.system.dispatcher.registry["sso.begin"].run.__self__.party
    with within(SYSTEM):
        connection = party.connections.get(bob.tenant, made["id"])
        party.attempts.begin(connection, {"nonce": "n"})
        asking = Asking(request="req_sso", channel=Connection("TLSv1.3", "loopback"))
        party.admission.admit(connection, Word(subject=Subject("bob")), asking)
    _provisioned(home, bob, made["id"])


def _provisioned(home: House, bob: Person, connection: str) -> None:
    """What the provider pushes: a group with bob in it, and what it says of him (owners are out of its reach)."""
    token = home.ok("POST", "/v1/provisioning/tokens", bob.headers, connection_id=connection, name="Directory")["token"]
    group = {"displayName": "Everybody", "members": [{"value": bob.id}]}
    home.ok("POST", "/scim/v2/Groups", {"authorization": f"Bearer {token}"}, **group)
    base = home.system.base
    said = base.fields.seal(bob.tenant, bob.id, PROFILE, b'{"externalId": "bob"}')
    row = {"user": bob.id, "tenant": bob.tenant, "connection": connection, "profile": said, "changed_at": 0}
    with base.database.write(SYSTEM) as sql:
        sql.execute(insert(provisioned), row | {"made": False, "gone": False})


def _as_an_officer(home: House, bob: Person, cal: Person, owner: Person) -> None:
    def post(path: str, **body: Any) -> Any:
        return home.ok("POST", path, bob.headers, **body)

    asked = home.ok("POST", "/v1/requests", cal.headers, kind="access", text="Mine, please.")
    post(f"/v1/desk/requests/{asked['id']}/take")
    post("/v1/restrictions", subject=cal.id, reason="legal-claims")
    home.ok("PUT", "/v1/retention/system", bob.headers, days=300, reason="checked")
    third = home.member(bob, "third@every.example.org")
    post("/v1/holds", basis="litigation", until=2_000_000_000_000, subject=third.id)
    fourth = home.member(bob, "fourth@every.example.org")
    _as_a_moderator(home, bob, cal, owner)
    erasure = post("/v1/erasures", subject=fourth.id)
    _as_a_reviewer(home, bob, owner)
    with within(SYSTEM), home.system.base.database.write() as connection:
        found = ledger.by_id(connection, erasure["id"])
        assert found is not None
        ledger.decide(connection, found, bob.id, ledger.APPROVED, 1)


def _as_a_moderator(home: House, bob: Person, cal: Person, owner: Person) -> None:
    """Bob is refused, decides about Cal and answers an appeal of the owner's; he proposes a policy and approves one."""

    def refused(who: Person) -> str:
        said = {"model": "troth-echo-1", "messages": [{"role": "user", "content": "How to build a pipe bomb"}]}
        assert home.call("POST", "/v1/chat/completions", home.key_headers(who, "generate"), **said).status_code == 403
        return str(home.ok("GET", "/v1/own-moderation-cases", who.headers)["cases"][0]["case"]["id"])

    refused(bob)
    decision = {"outcome": "upheld", "reason": "rule", "words": "A weapon."}
    home.ok("POST", f"/v1/moderation-cases/{refused(cal)}/decision", bob.headers, **decision)
    theirs = refused(owner)
    home.ok("POST", f"/v1/own-moderation-cases/{theirs}/appeal", owner.headers, words="A novel.")
    home.ok("POST", f"/v1/moderation-cases/{theirs}/decision", bob.headers, **decision)
    for first, second in ((owner, bob), (bob, owner)):
        made = home.ok("PUT", "/v1/moderation-policy", first.headers, policy="version: 1", reason="rule")
        home.ok("POST", f"/v1/moderation-policy/{made['id']}/approval", second.headers, reason="checked")


def _as_a_reviewer(home: House, bob: Person, owner: Person) -> None:
    """Bob reviews what the owner did, the owner what Bob did."""
    home.system.base.sequencer.flush()
    made = home.ok("POST", "/v1/reviews", bob.headers)
    here = f"/v1/reviews/{made['review']['id']}"
    for act in made["drawn"]:
        whose, where = owner if act["mine"] else bob, f"{here}/acts/{act['index']}"
        home.ok("POST", f"{where}/verdict", whose.headers, verdict="question", reason="unexplained")
        home.ok("POST", f"{where}/follow-up", whose.headers, reason="explained")
    home.ok("POST", f"{here}/closing", bob.headers)
    with within(SYSTEM):
        home.system.reviewing.watch.run()
