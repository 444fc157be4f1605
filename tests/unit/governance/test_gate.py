"""The gate of a release: each kind of news waits for an assessment of exactly this map, by three people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from register_forms import look, record
from troth.governance.data_map.map import DataMap, Retention, Supplier, Table, digest
from troth.governance.data_map.reading import shipped as shipped_map
from troth.governance.forms.reading import shipped
from troth.governance.gate import New, Papers, additions, gate
from troth.governance.records import Record

FORMS = {name: shipped()[name] for name in ("dpia", "projects")}
LOOK = look("2026-11-23T12:00")
BASE = shipped_map()
DIGEST_OF_NOTHING = "00" * 32


def with_activity(**changes: Any) -> DataMap:
    first, *others = BASE.activities
    return replace(BASE, activities=(replace(first, **changes), *others))


FIRST = BASE.activities[0]
USERS = FIRST.tables["users"]
CHANGES: dict[str, tuple[DataMap, New]] = {
    "category": (with_activity(categories=(*FIRST.categories, "prompts")), New("category", "accounts:prompts")),
    "subject": (with_activity(subjects=(*FIRST.subjects, "writers")), New("subject", "accounts:writers")),
    "recipient": (with_activity(recipients=(*FIRST.recipients, "suppliers")), New("vendor", "accounts:suppliers")),
    "region": (with_activity(regions=(*FIRST.regions, "supplier")), New("region", "accounts:supplier")),
    "transfer": (with_activity(transfers="supplier-terms"), New("region", "accounts:supplier-terms")),
    "automation": (with_activity(automated="filter"), New("automation", "accounts:filter")),
    "basis": (with_activity(basis="consent"), New("purpose", "accounts:consent")),
    "column": (
        with_activity(tables={**FIRST.tables, "users": Table(columns={**USERS.columns, "born": "plain"})}),
        New("field", "users.born"),
    ),
    "vendor": (
        replace(BASE, suppliers=(Supplier("acme", "Acme", ("m",), ("us",), "zero"),)),
        New("vendor", "acme"),
    ),
    "meaning": (
        replace(BASE, words={**BASE.words, "purpose": {**BASE.words["purpose"], "accounts": "to sell what you write"}}),
        New("purpose", "accounts:contract"),
    ),
}  # fmt: skip


SECOND = BASE.activities[1]
DEVICES = {name: table for name, table in FIRST.tables.items() if name != "users"}


def moved_table() -> DataMap:
    """The table of accounts now serves sign-in: no purpose, table or column is new."""
    first = replace(FIRST, tables=DEVICES)
    second = replace(SECOND, tables={**SECOND.tables, "users": USERS})
    return replace(BASE, activities=(first, second, *BASE.activities[2:]))


def moved_store() -> DataMap:
    last = BASE.activities[-1]
    return replace(BASE, activities=(replace(FIRST, stores=last.stores), *BASE.activities[1:]))


longer = tuple(replace(one, days=(one.days or 0) + 1) for one in FIRST.retention)
CHANGES |= {
    "table that moves": (moved_table(), New("use", "table users")),
    "store of one more": (moved_store(), New("use", BASE.activities[-1].stores[0])),
    "other basis": (with_activity(basis="consent"), New("use", "table users")),
    "longer": (with_activity(retention=longer), New("use", "table users")),
    "a safeguard less": (with_activity(safeguards=FIRST.safeguards[:1]), New("use", "table users")),
    "role": (with_activity(role="processor"), New("use", "table users")),
    "column that stays": (
        with_activity(tables={**FIRST.tables, "users": replace(USERS, columns={}, stays={"id": "a proof"})}),
        New("field", "users.id"),
    ),
    "erased otherwise": (
        replace(BASE, stores={**BASE.stores, "objects": replace(BASE.stores["objects"], erased="never")}),
        New("store", "objects"),
    ),
}


def sharing(*safeguards: tuple[str, ...]) -> DataMap:
    """Activities of one store, the first of one purpose and the others of another, each with these safeguards."""
    uses = [replace(FIRST if place == 0 else SECOND, id=f"use-{place}", title=f"Use {place}", stores=("objects",),
                    tables={}, safeguards=some)
            for place, some in enumerate(safeguards)]  # fmt: skip
    return replace(BASE, activities=(*uses, *BASE.activities[2:]))


BOTH, ONE = ("sealed", "signed"), ("sealed",)


@pytest.mark.parametrize(
    ("before", "after", "news"),
    [
        (sharing(BOTH, BOTH), sharing(ONE, BOTH), True),
        (sharing(BOTH, BOTH), sharing(BOTH, ONE), True),
        (sharing(BOTH, BOTH, ONE), sharing(BOTH, ONE, ONE), True),
        (sharing(BOTH, BOTH, ONE), sharing(BOTH, BOTH), False),
        (sharing(BOTH, ONE), sharing(BOTH, BOTH), False),
        (sharing(BOTH, BOTH), sharing(BOTH, BOTH), False),
        (sharing(BOTH, BOTH), sharing(BOTH), False),
    ],
    ids=["first", "second", "of one purpose", "one less", "one more safeguard", "same", "a use ends"],
)
def test_a_safeguard_that_one_activity_of_a_store_lost_is_news(before: DataMap, after: DataMap, news: bool) -> None:
    assert (New("use", "objects") in additions(after, before)) is news


def assessment(of: DataMap, **changes: Any) -> Record:
    good = {
        "name": "A change", "author": "usr_a", "advised_by": "usr_dpo", "approved_by": "usr_o",
        "map_digest": digest(of), "purposes": "As the map says", "necessity": "The order", "dropped": "Ages",
        "risks": "Few", "measures": "Sealing", "residual": "low", "advice": "Go on", "authority": "not-needed",
        "approved_on": "2026-11-01", "review_by": "2027-06-01", "id": "rec_dpia",
    }  # fmt: skip
    return record(FORMS["dpia"], changes.pop("state", "approved"), **(good | changes))


def papers(*assessments: Record, projects: tuple[Record, ...] = ()) -> Papers:
    return Papers(FORMS, assessments, projects, LOOK)


def project(**changes: Any) -> Record:
    good = {
        "name": "New", "lead": "usr_a", "personal_data": True, "data": "Ages, dropped", "assessment": "rec_dpia",
        "touches": ["C"], "threats": "A leak", "agreed_by": "usr_o", "id": "rec_project",
        "opened": "2026-10-01T00:00",
    }  # fmt: skip
    did = {"start": "2026-11-02T00:00"}
    return record(FORMS["projects"], changes.pop("state", "running"), did=did, **(good | changes))


@pytest.mark.parametrize("change", CHANGES)
def test_each_kind_of_news_waits_for_an_assessment_of_this_map(change: str) -> None:
    new, what = CHANGES[change]
    assert what in additions(new, BASE)
    baseline = assessment(BASE, id="rec_base")
    found = gate(new, BASE, papers(baseline))
    assert {(one.code, one.kind) for one in found} >= {
        ("assessment-missing", "assessment"),
        ("not-assessed", what.kind),
    }
    covered = papers(baseline, assessment(new), projects=(project(),))
    assert gate(new, BASE, covered) == ()


def test_a_map_that_lost_something_or_keeps_it_shorter_needs_no_assessment() -> None:
    shorter = (Retention("account-closed", 1),)
    smaller = with_activity(categories=FIRST.categories[:1], recipients=FIRST.recipients[:1], retention=shorter)
    assert gate(smaller, BASE, papers(assessment(BASE))) == ()
    safer = with_activity(safeguards=(*FIRST.safeguards, "signed"))
    assert gate(safer, BASE, papers(assessment(BASE))) == ()
    assert gate(BASE, BASE, papers(assessment(BASE))) == ()


NEW = CHANGES["category"][0]
NOT_COUNTING: dict[str, Callable[[], Record]] = {
    "of another map": lambda: assessment(NEW, map_digest=DIGEST_OF_NOTHING),
    "a draft": lambda: assessment(NEW, state="draft"),
    "in review": lambda: assessment(NEW, state="in-review"),
    "refused": lambda: assessment(NEW, state="refused"),
    "approved by its author": lambda: assessment(NEW, approved_by="usr_a"),
    "advised by its author": lambda: assessment(NEW, advised_by="usr_a"),
    "advised by its approver": lambda: assessment(NEW, advised_by="usr_o"),
    "no advice": lambda: assessment(NEW, advice=None),
    "nobody advised": lambda: assessment(NEW, advised_by=None),
    "no author": lambda: assessment(NEW, author=None),
    "nobody approved": lambda: assessment(NEW, approved_by=None),
    "no necessity": lambda: assessment(NEW, necessity=None),
    "nothing of what can be dropped": lambda: assessment(NEW, dropped=None),
    "a high risk and no authority": lambda: assessment(NEW, residual="high"),
    "review overdue": lambda: assessment(NEW, review_by="2026-11-20"),
    "no review": lambda: assessment(NEW, review_by=None),
}


@pytest.mark.parametrize("why", NOT_COUNTING)
def test_an_assessment_that_is_not_in_order_covers_nothing(why: str) -> None:
    found = gate(NEW, BASE, papers(assessment(BASE, id="rec_base"), NOT_COUNTING[why](), projects=(project(),)))
    assert New("category", "accounts:prompts") in {New(one.kind, one.what) for one in found}


def test_the_map_of_before_counts_only_when_it_was_approved() -> None:
    """Who gives the new map as that of before is not let through."""
    assert [one.code for one in gate(NEW, NEW, papers())] == ["baseline-missing"]
    assert [one.code for one in gate(NEW, NEW, papers(assessment(NEW, approved_by="usr_a")))] == [
        "baseline-not-approved"
    ]


STORED = with_activity(tables={**FIRST.tables, "diaries": Table(columns={"text": "plain"})})
NO_PROJECT: dict[str, tuple[Record, ...]] = {
    "none": (),
    "proposed": (project(state="proposed"),),
    "of another assessment": (project(assessment="rec_other"),),
    "agreed by its lead": (project(agreed_by="usr_a"),),
    "no word on the data": (project(data=None),),
    "without personal data, it says": (project(personal_data=False),),
    "no threats": (project(threats=None),),
}


@pytest.mark.parametrize("why", NO_PROJECT)
def test_a_new_store_waits_for_a_running_project(why: str) -> None:
    both = (assessment(BASE, id="rec_base"), assessment(STORED))
    found = gate(STORED, BASE, papers(*both, projects=NO_PROJECT[why]))
    assert [(one.code, one.what) for one in found] == [("no-project", "table diaries")]
    assert gate(STORED, BASE, papers(*both, projects=(project(),))) == ()


def test_a_new_purpose_waits_for_a_project_and_a_new_category_does_not() -> None:
    new = CHANGES["basis"][0]
    base = assessment(BASE, id="rec_base")
    assert {one.code for one in gate(new, BASE, papers(base, assessment(new)))} == {"no-project"}
    assert gate(NEW, BASE, papers(base, assessment(NEW))) == ()


def test_without_a_map_of_before_everything_is_new() -> None:
    found = gate(BASE, None, papers())
    assert {one.kind for one in found} >= {"purpose", "category", "region", "store", "field", "automation"}
    assert gate(BASE, None, papers(assessment(BASE), projects=(project(),))) == ()
