"""Export and erasure, column by column and without a list of tables: whatever names a person goes, or is said to stay.

A person does everything that leaves a trace, as a person and as an officer. Every text column of every table is then
searched for their id. A column that begins to hold one, and a table of tenants that stays empty here, fail the test:
a new one cannot be forgotten.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import String, insert, select

from house import House, Person, house
from oauth_world import Program, service
from troth.identity.certificates.issuing import fresh_key
from troth.identity.certificates.requesting import request_by
from troth.identity.privacy import PrivacySettings
from troth.identity.provisioned import people as provisioned
from troth.identity.scim.reading import PROFILE
from troth.identity.sso.admission import Asking, Word
from troth.identity.sso.subjects import Subject
from troth.kernel.caller import Connection
from troth.kernel.data_class import DataClass
from troth.kernel.scope import SYSTEM, within
from troth.storage.database import metadata
from troth.storage.isolation import RULES
from troth.vault import ledger
from troth.vault.objects import KeepRequest
from troth.vault.rights.intake import Message

GOES = set(
    """access_items.user api_keys.user audit_details.subject break_glass.user certified_devices.user elevations.user
    known_devices.user oauth_device_codes.user oauth_refresh_tokens.user service_accounts.owner
    moderation_case.subject passkeys.user privacy_settings.owner recovery_codes.user
    register_event.subject register_item.account register_record.account
    role_grants.user sessions.user sso_links.user sso_sessions.user totp.user users.id vault_concern.subject
    vault_consent.subject vault_object.subject vault_objection.subject vault_request.officer vault_request.subject
    scim_members.user scim_people.user vault_restriction.subject vault_rule_change.actor
    usage_row.subject vault_statement.subject budget.person budget.target own_limit.person own_limit.target
    budget.set_by own_limit.set_by routing_policy.set_by routing_policy.wished_by""".split()
)
# Where the opaque id stays, which then resolves to nobody, and why.
STAYS = {
    "audit_entries.actor": "the log of what was done is never rewritten",
    "audit_entries.subject": "the same: whom an entry is about",
    "key_scope.subject": "the mark that the person's keys are destroyed; a restore replays it",
    "unit.subject": "the same, key by key",
    "erasure.actor": "which officer asked to erase somebody else: the certificate's evidence",
    "erasure_decision.actor": "which officer approved or called off: dual control must stay provable",
    "vault_hold.approver": "who answers for a legal hold (promise DEL-07)",
    "vault_restriction.by_officer": "which officer restricted somebody else; only an officer lifts it",
    "scim_tokens.created_by": "who let a provider in",
    "register_event.actor": "who made an entry of a register, as the log has it",
    "role_grants.granted_by": "who gave somebody else a role",
    "access_campaigns.opened_by": "who reviewed the access of others (promise ACC-07)",
    "access_campaigns.closed_by": "the same",
    "access_items.granted_by": "who had given a role that was reviewed",
    "access_items.decided_by": "who kept or removed somebody else's role",
    "break_glass.designated_by": "who let somebody else take a role in an emergency",
    "custom_roles.changed_by": "which owner said what a role permits",
    "elevations.decided_by": "who gave somebody else a role for some hours",
    "elevations.ended_by": "who ended it",
    "elevations.reviewed_by": "who judged somebody else's emergency",
    "admin_review.opened_by": "who reviewed what administrators did, as the log has it (promise AUD-02)",
    "admin_review.closed_by": "the same",
    "admin_review_act.actor": "whose act was reviewed, as the log has it",
    "admin_review_act.judged_by": "who judged an act",
    "admin_review_act.followed_by": "who cleared it up",
    "moderation_case.decided_by": "who decided about somebody else's case",
    "moderation_case.answered_by": "who answered an appeal",
    "moderation_policy.proposed_by": "who proposed what the tenant's policy is",
    "moderation_policy.approved_by": "who put it in force",
}
# Tables of tenants that hold no row here, and why that hides nothing about people.
EMPTY = {
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
EXPORTED = {
    "audit": {"log-detail"},
    "identity": {
        "access-review",
        "account",
        "api-key",
        "provisioned",
        "break-glass",
        "device",
        "elevation",
        "passkey",
        "role-reason",
        "service-account",
        "session",
        "sign-on-link",
    },
    "moderation": {"moderation-case"},
    "registers": {"register-act", "register-entry", "register-record"},
    "rights": {"objection", "request", "statement"},
    "usage": {"budget", "limit", "usage"},
    "vault": {"consent", "object", "restriction", "retention-change", "shows-me"},
}


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
    assert naming(alone, bob.id) == GOES | STAYS.keys()
    assert unplanted(alone) <= EMPTY.keys()
    assert exported(alone, bob) == EXPORTED
    assert alone.ok("POST", "/v1/erasures", owner.headers, subject=bob.id)["state"] == "done"
    assert naming(alone, bob.id) <= STAYS.keys()
    with within(SYSTEM):
        holders = alone.system.vault.holders
        assert [one for holder in holders for one in holder.holdings(bob.tenant, bob.id)] == []


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
