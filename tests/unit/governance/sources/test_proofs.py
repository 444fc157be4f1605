"""Consents in numbers, preserved evidence and reviews of the log as registers: the rows of one tenant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Table, insert

from database_world import opened
from troth.audit.review.store import drawn, reviews
from troth.gateway.moderation.tables import evidence
from troth.governance.forms.reading import shipped
from troth.governance.looking import DAY_MS, Look
from troth.governance.sources.port import Source, as_record
from troth.governance.sources.proofs import Consents, LogReviews, PreservedEvidence
from troth.governance.standing import wrong
from troth.storage.database import Database
from troth.vault.consent import consents
from troth.vault.holds import holds
from troth.vault.rights.clocks import Calendar
from troth.vault.tables import objects

NOW, HOUR, HOME = 1_790_000_000_000, 3_600_000, Calendar()


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with opened("sqlite", tmp_path_factory.mktemp("proofs")) as one:
        yield one


def put(database: Database, table: Table, tenant: str, **row: Any) -> None:
    with database.write() as connection:
        connection.execute(insert(table), {"tenant": tenant, **row})


def read(form: str, source: Source, tenant: str) -> list[tuple[str, dict[str, Any], list[str]]]:
    rules, look = shipped()[form], Look(NOW, HOME)
    found = [as_record(rules, one) for one in source.kept(tenant, NOW, HOME)]
    return [(one.state, dict(one.raw), [each.what for each in wrong(rules, one, (), look)]) for one in found]


def test_consents_are_counted_and_a_use_after_the_end_is_seen(database: Database) -> None:
    told = {"purpose": "training", "notice": "v1", "method": "page", "granted_at": 1}
    put(database, consents, "ten_a", id="con_1", subject="usr_a", **told)
    put(database, consents, "ten_a", id="con_2", subject="usr_b", withdrawn_at=50, **told)
    put(database, consents, "ten_b", id="con_3", subject="usr_a", **told)
    for number, (consent, at) in enumerate((("con_1", 60), ("con_2", 40))):
        kept = {"id": f"obj_{number}", "subject": "usr_a", "data_class": "account", "jurisdiction": "eu", "unit": "u",
                "kind_index": b"k", "unit_destroyed": False, "version": 1, "created_at": at, "state": "live",
                "shared": False, "consent": consent}  # fmt: skip
        put(database, objects, "ten_a", **kept)
    counted = {"purpose": "training", "given": 2, "withdrawn": 1, "used_after": 0, "proofs": 2}
    assert read("consents", Consents(database), "ten_a") == [("counted", counted, [])]
    put(database, objects, "ten_a", **{**kept, "id": "obj_late", "consent": "con_2", "created_at": 51})
    put(database, consents, "ten_a", id="con_4", subject="usr_c", **{**told, "notice": ""})
    assert read("consents", Consents(database), "ten_a") == [
        ("counted", counted | {"given": 3, "used_after": 1}, ["condition-1", "condition-2"])
    ]


def test_evidence_is_held_and_reported_in_a_day(database: Database) -> None:
    hold = {"basis": "illegal-imagery", "approver": "svc_moderation", "placed_at": 1, "ends_at": NOW + 1}
    put(database, holds, "ten_a", id="hld_1", **hold)
    piece = {"object": "obj", "hold": "hld_1", "ends_at": NOW + 1, "preserved_at": NOW - 23 * HOUR}
    put(database, evidence, "ten_a", id="evd_1", case="c1", state="preserved", **piece)
    told = {"authority": "ncmec", "reference": "R1"}
    sent = {"preserved_at": NOW - 90 * HOUR, "reported_at": NOW - 80 * HOUR}
    put(database, evidence, "ten_a", id="evd_2", case="c2", state="reported", **piece | told | sent)
    found = read("preserved", PreservedEvidence(database), "ten_a")
    assert [(state, reasons) for state, _, reasons in found] == [("open", []), ("reported", [])]
    put(database, evidence, "ten_a", id="evd_3", case="c3", state="preserved", **piece | {"hold": "hld_gone"})
    put(database, evidence, "ten_a", id="evd_4", case="c4", state="preserved",
        **piece | {"preserved_at": NOW - 25 * HOUR})  # fmt: skip
    reasons = [one for _, _, one in read("preserved", PreservedEvidence(database), "ten_a") if one]
    assert sorted(reasons) == [["condition-1"], ["condition-2"]]
    assert read("preserved", PreservedEvidence(database), "ten_b") == []


def test_reviews_of_the_log_say_who_judged_what(database: Database) -> None:
    """Entries that the log does not keep any more have no time: the record says nothing of them."""
    row = {"first": 0, "last": 9, "size": 10, "root": "r", "seed": "s", "sample": 2, "weights": "w", "acts": 2,
           "state": "closed", "opened_by": "usr_a", "opened_at": NOW - 3 * DAY_MS, "closed_by": "usr_b",
           "closed_at": NOW}  # fmt: skip
    put(database, reviews, "ten_a", id="rev_1", **row)
    act = {"review": "rev_1", "weight": 1, "sampled": True, "operation": "role.assign", "request": "q", "acted_at": 1}
    put(database, drawn, "ten_a", position=1, actor="usr_a", verdict="fine", judged_by="usr_b", **act)
    state, values, reasons = read("log-reviews", LogReviews(database, 7), "ten_a")[0]
    assert (state, reasons) == ("closed", [])
    assert {name: values[name] for name in ("reviewer", "entries", "read_entries", "own")} == {
        "reviewer": "usr_b", "entries": 1, "read_entries": 1, "own": 0,
    }  # fmt: skip
    assert "range_from" not in values
    put(database, drawn, "ten_a", position=2, actor="usr_b", verdict="fine", judged_by="usr_b", **act)
    put(database, drawn, "ten_a", position=3, actor="usr_a", **act)
    assert read("log-reviews", LogReviews(database, 7), "ten_a")[0][2] == ["condition-1", "condition-2"]
