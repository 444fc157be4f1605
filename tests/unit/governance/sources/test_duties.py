"""Access reviews, holds, rights requests and appeals as registers: the rows of one tenant, judged by their forms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Table, delete, insert

from database_world import opened
from troth.gateway.moderation.tables import cases
from troth.governance.forms.reading import shipped
from troth.governance.looking import DAY_MS, Look
from troth.governance.records import Record
from troth.governance.sources import duties
from troth.governance.sources.duties import AccessReviews, Appeals, LegalHolds, RightsRequests
from troth.governance.sources.port import Source, as_record
from troth.governance.standing import Reason, wrong
from troth.identity.governing.store import campaigns, items
from troth.identity.store import tenants, users
from troth.storage.database import Database
from troth.vault.holds import holds
from troth.vault.rights import store as rights
from troth.vault.rights.clocks import Calendar

NOW = 1_790_000_000_000
HOME = Calendar()
TABLES = (cases, campaigns, items, holds, rights.requests, rights.notices)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    person = {"tenant": "ten_a", "email": b"e", "display_name": b"n", "password": b"p", "password_at": 0}
    person |= {"password_issued": False, "active": True, "created_at": 0}
    with opened("sqlite", tmp_path_factory.mktemp("duties")) as database:
        with database.write() as connection:
            connection.execute(insert(tenants), {"id": "ten_a", "name": "A", "jurisdiction": "eu", "created_at": 0})
            for name in ("usr_a", "usr_b", "usr_c"):
                connection.execute(insert(users), {"id": name, "email_index": name.encode(), **person})
        yield database


@pytest.fixture
def database(kept: Database) -> Database:
    with kept.write() as connection:
        for table in TABLES:
            connection.execute(delete(table))
    return kept


def put(database: Database, table: Table, **row: Any) -> None:
    with database.write() as connection:
        connection.execute(insert(table), {"tenant": "ten_a", **row})


def read(form: str, source: Source, tenant: str = "ten_a") -> list[tuple[Record, list[Reason]]]:
    rules, look = shipped()[form], Look(NOW, HOME)
    found = [as_record(rules, one) for one in source.kept(tenant, NOW, HOME)]
    return [(one, list(wrong(rules, one, (), look))) for one in found]


def test_a_hold_is_in_force_until_its_end(database: Database) -> None:
    base = {"basis": "litigation", "approver": "usr_a", "placed_at": NOW - DAY_MS}
    put(database, holds, id="hld_a", ends_at=NOW + DAY_MS, subject_digest="a" * 64, **base)
    put(database, holds, id="hld_b", ends_at=NOW - 1, subject_digest="a" * 64, **base)
    found = read("holds", LegalHolds(database))
    assert {one.id: (one.state, reasons) for one, reasons in found} == {
        "hld_a": ("in-force", []),
        "hld_b": ("lifted", []),
    }
    assert read("holds", LegalHolds(database), "ten_b") == []


def test_a_request_that_was_answered_late_is_seen(database: Database) -> None:
    base = {
        "subject": "usr_a",
        "kind": "access",
        "law": "gdpr",
        "channel": "portal",
        "level": 2,
        "escalated": 0,
        "own_key": False,
    }
    put(database, rights.requests, id="req_a", state="received", received_at=NOW - 5 * DAY_MS, **base)
    put(database, rights.requests, id="req_b", state="answered", received_at=NOW - 60 * DAY_MS,
        closed_at=NOW - 5 * DAY_MS, **base)  # fmt: skip
    put(database, rights.requests, id="req_c", state="received", received_at=NOW - 60 * DAY_MS,
        extended_at=NOW - 40 * DAY_MS, **base)  # fmt: skip
    told = {one.id: {each.what for each in reasons} for one, reasons in read("requests", RightsRequests(database))}
    assert told == {"req_a": set(), "req_b": {"condition-2"}, "req_c": {"condition-1"}}
    put(database, rights.notices, request="req_c", kind="extension", automatic=True, created_at=NOW, sent_at=NOW,
        attempts=1)  # fmt: skip
    assert not any(reasons for one, reasons in read("requests", RightsRequests(database)) if one.id == "req_c")


def test_a_review_in_which_somebody_judged_themselves_or_nobody_judged_is_seen(database: Database) -> None:
    base = {"opened_by": "usr_r", "opened_at": NOW - 20 * DAY_MS, "due_at": NOW, "digest": "a" * 64}
    put(database, campaigns, id="acr_a", state="closed", grants=1, closed_by="usr_r", closed_at=NOW, **base)
    grant = {"campaign": "acr_a", "user": "usr_a", "granted_by": "usr_r", "granted_at": 1, "expires_at": NOW}
    put(database, items, role="admin", verdict="remove", decided_by="usr_r", outcome="removed", **grant)
    ((record, reasons),) = read("access-reviews", AccessReviews(database))
    assert (record.values["judged"], record.values["revoked"], record.values["ended"]) == (1, 1, 1)
    assert reasons == []
    put(database, items, role="owner", outcome="last-owner", **{**grant, "user": "usr_b"})
    put(
        database, items, role="member", verdict="keep", decided_by="usr_c", outcome="kept", **{**grant, "user": "usr_c"}
    )
    ((_, reasons),) = read("access-reviews", AccessReviews(database))
    assert {one.what for one in reasons} == {"condition-1", "condition-2"}


def test_an_appeal_is_answered_by_somebody_else_in_time(database: Database) -> None:
    base = {"request": "req_a", "side": "input", "medium": "text", "category": "violence", "score": 900,
            "action": "refuse", "policy": "p", "opened_at": NOW - 60 * DAY_MS}  # fmt: skip
    put(database, cases, id="cas_n", state="decided", decided_by="usr_a", **base)
    put(database, cases, id="cas_a", state="closed", decided_by="usr_a", answered_by="usr_b",
        appealed_at=NOW - 20 * DAY_MS, answered_at=NOW, **base)  # fmt: skip
    put(database, cases, id="cas_b", state="appealed", appealed_at=NOW - 40 * DAY_MS, **base)
    told = {one.id: {each.what for each in reasons} for one, reasons in read("appeals", Appeals(database))}
    assert told == {"cas_a": set(), "cas_b": {"due-answer"}}


def test_what_is_open_is_never_left_out(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more rows than a register shows, those that were dealt with are."""
    monkeypatch.setattr(duties, "_MOST", 1)
    base = {"opened_by": "usr_r", "opened_at": NOW - 20 * DAY_MS, "due_at": NOW, "digest": "a" * 64, "grants": 0}
    put(database, campaigns, id="acr_a", state="closed", closed_by="usr_r", closed_at=NOW, **base)
    put(database, campaigns, id="acr_b", state="open", **base)
    assert [one.id for one, _ in read("access-reviews", AccessReviews(database))] == ["acr_b"]
