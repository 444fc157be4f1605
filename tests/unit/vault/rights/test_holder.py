"""Rights as a holder: what it shows it forgets, nothing else, and the record without a person stays."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from rights_world import OFFICER, RightsWorld, asker
from troth.kernel.personal import Holder, TenantHolder
from troth.vault.export import Exporter
from troth.vault.rights import store
from troth.vault.rights.clocks import Kind
from troth.vault.rights.requests import State
from vault_world import ANN, BOB, OTHER, TENANT

PEOPLE = [(TENANT, ANN), (TENANT, BOB), (OTHER, ANN), (OTHER, BOB)]
MAILS = {ANN: "ann@example.org", BOB: "bob@example.org"}
ACTS = st.lists(
    st.tuples(
        st.sampled_from(range(len(PEOPLE))),
        st.sampled_from(("request", "opt-out", "objection", "statement", "mail", "consent", "object", "line")),
    ),
    max_size=10,
)


def act(rights: RightsWorld, whose: tuple[str, str], what: str) -> None:
    """Something that leaves a trace of a person in one of the stores."""
    tenant, subject = whose
    by = asker(subject, tenant)
    {
        "request": lambda: rights.file(Kind.ACCESS, by=by, text="All of it"),
        "opt-out": lambda: rights.file(Kind.OPT_OUT, by=by),
        "objection": lambda: rights.file(Kind.OBJECTION, by=by, purpose="analytics"),
        "statement": lambda: rights.statements.add(tenant, subject, "account", "It was not me", request="req_own"),
        "mail": lambda: tenant == TENANT and rights.mail(MAILS[subject]),
        "consent": lambda: rights.vault.consents.grant(tenant, subject, "vendor-retention", notice="v1"),
        "object": lambda: rights.vault.keep(tenant=tenant, subject=subject),
        "line": lambda: rights.vault.notebook.lines.setdefault(whose, []).append("likes tea"),
    }[what]()


def shown(rights: RightsWorld, holders: Sequence[Holder], whose: tuple[str, str]) -> set[tuple[str, str]]:
    """What the archive of a person lists, by holder; every object comes with its file."""
    content, count = Exporter(holders, rights.vault.holder, rights.clock).export(*whose)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = [name for name in archive.namelist() if name.startswith("data/")]
        listed = [one for name in names for one in json.loads(archive.read(name))]
        files = {name.removeprefix("files/").partition(".")[0] for name in archive.namelist() if "files/" in name}
        manifest = json.loads(archive.read("manifest.json"))
        assert {one["path"] for one in manifest["files"]} == set(archive.namelist()) - {"manifest.json"}
    assert files == {one["identifier"] for one in listed if one["kind"] == "object"}
    assert count == len(listed)
    return {(one["holder"], one["identifier"]) for one in listed}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ACTS, st.sampled_from(PEOPLE))
def test_export_and_erasure_know_the_same_and_nothing_of_others(
    rights: RightsWorld, acts: list[tuple[int, str]], leaving: tuple[str, str]
) -> None:
    """Generated populations: everything found of who leaves is forgotten, everything of the others stays."""
    holders: list[Holder] = [rights.vault.holder, rights.vault.notebook, rights.holder]
    for number, what in acts:
        act(rights, PEOPLE[number], what)
    rights.clock.forward(seconds=1)
    before = {whose: shown(rights, holders, whose) for whose in PEOPLE}
    forgotten = {(holder.name, one) for holder in holders for one in holder.forget(*leaving).identifiers}
    assert forgotten == before[leaving]
    after = {whose: shown(rights, holders, whose) for whose in PEOPLE}
    assert after == before | {leaving: set()}
    for whose in PEOPLE:  # the next population begins anew
        for holder in holders:
            holder.forget(*whose)
            assert holder.forget(*whose).identifiers == ()


def test_no_row_of_rights_names_who_was_forgotten(rights: RightsWorld) -> None:
    for what in ("request", "objection", "statement", "mail"):
        act(rights, (TENANT, ANN), what)
    rights.handling.take(OFFICER, next(one.id for one in rights.register.listed(TENANT, ANN) if one.open))
    rights.holder.forget(TENANT, ANN)
    with rights.vault.database.read() as connection:
        for table in (store.requests, store.statements, store.notices):
            rows = [tuple(row) for row in connection.execute(select(table))]
            assert ANN not in repr(rows)
        kept = connection.execute(select(store.requests)).mappings().all()
    assert len(kept) == 3
    assert all(row["body"] is None and row["mark"] is None and row["sender"] is None for row in kept)


def test_an_erasure_answers_the_request_for_it_and_ends_the_others(rights: RightsWorld) -> None:
    wish, other = rights.file(Kind.ERASURE), rights.file(Kind.ACCESS)
    closed = rights.file(Kind.RECTIFICATION)
    rights.handling.refuse(OFFICER, closed.id, "not-covered", "")
    rights.holder.forget(TENANT, ANN)
    states = {one.id: (one.state, one.subject) for one in rights.handling.queue(TENANT)}
    assert states == {
        wish.id: (State.ANSWERED, None),
        other.id: (State.WITHDRAWN, None),
        closed.id: (State.REFUSED, None),
    }


def test_an_officer_who_is_forgotten_leaves_the_requests_of_others(rights: RightsWorld) -> None:
    made = rights.file()
    rights.handling.take(OFFICER, made.id)
    assert rights.holder.forget(TENANT, OFFICER.actor).identifiers == ()
    found = rights.register.own(TENANT, ANN, made.id)
    assert (found.request.officer, found.request.state) == (None, State.IN_PROGRESS)


def test_a_client_who_leaves_leaves_nothing_of_people_and_strangers(rights: RightsWorld) -> None:
    act(rights, (TENANT, ANN), "statement")
    act(rights, (TENANT, BOB), "objection")
    act(rights, (OTHER, ANN), "request")
    stranger = rights.mail()
    assert isinstance(rights.holder, TenantHolder)
    assert rights.holder.people(TENANT) == sorted((ANN, BOB))
    for person in rights.holder.people(TENANT):
        rights.holder.forget(TENANT, person)
    assert rights.holder.close(TENANT).identifiers == (stranger.id,)
    assert rights.holder.close(TENANT).identifiers == ()
    assert rights.holder.people(TENANT) == []
    with rights.vault.database.read() as connection:
        rows = connection.execute(select(store.requests).where(store.requests.c.tenant == TENANT)).mappings().all()
    assert all(row["body"] is None and row["sender"] is None and row["closed_at"] for row in rows)
    assert rights.outgoing.waiting() == []
    assert rights.holder.people(OTHER) == [ANN]


def test_holdings_show_texts_and_clocks(rights: RightsWorld) -> None:
    made = rights.file(text="All of it")
    rights.handling.take(OFFICER, made.id)
    rights.handling.answer(OFFICER, made.id, "Here it is.")
    (holding,) = rights.holder.holdings(TENANT, ANN)
    assert holding.content["text"] == "All of it"
    assert holding.content["answer"] == "Here it is."
    assert holding.content["due"] == "2026-12-22"
