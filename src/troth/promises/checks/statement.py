"""Promises about what people are told: plain, true, and with a record of processing that leaves nothing out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from troth.governance.data_map.map import DataMap, Supplier
from troth.governance.data_map.places import unmapped
from troth.governance.statement.article30 import REQUIRED, rows
from troth.governance.statement.facts import Fact, mapped, observed
from troth.governance.statement.generate import Section, Sentence, Statement, said, statement
from troth.governance.statement.publishing import in_force, reworded
from troth.governance.statement.readability import LIMIT
from troth.kernel.clock import epoch_ms
from troth.promises.approvals import STATEMENT, taken_back
from troth.promises.check import Check, Facts, counted
from troth.promises.system import ALONE, NEIGHBOUR, PROBE_TENANT, System
from troth.storage.database import metadata

_LOOK_BACK = 30 * 86_400_000  # ms
_NOTHING = Facts(population=0, tested=0, broken=0, configured=False)
_STRANGER = Supplier("unheard-of", "Unheard Of", ("unheard-of",), ("elsewhere",), "days", 90)
_HARD = Section("hard", "Hard", (Sentence("Intermediaries operationalise multilateral responsibilities.", ("x",)),))


def readable(told: Statement, accepted: Collection[str]) -> Facts:
    """Each section: at or below the grade, or accepted by name."""
    return counted([one.grade <= LIMIT or one.id in accepted for one in told.sections])


def true(told: Statement, current: DataMap, seen: Collection[Fact]) -> Facts:
    """Each fact that is said or mapped: both; each section in these words. Each vendor and model of a receipt: said."""
    says, maps = said(told), mapped(current)
    outcomes = [fact in says and fact in maps for fact in sorted(says | maps)]
    outcomes += [False] * len(reworded(told, statement(current)))
    return counted(outcomes + [fact in says for fact in seen])


def recorded(current: DataMap, seen: Collection[Fact]) -> Facts:
    """Each cell that Art. 30 asks for, each table, each store, and each vendor and model of a receipt."""
    columns = {table.name: [column.name for column in table.columns] for table in metadata.tables.values()}
    wrong, maps = list(unmapped(current, columns)), mapped(current)
    outcomes = [bool(row[name]) for row in rows(current) for name in sorted(REQUIRED)]
    outcomes += [False] * len(wrong) + [True] * (len(columns) - len(wrong))
    outcomes += [name in current.personal_stores or name in current.exempt.stores for name in current.stores]
    return counted(outcomes + [fact in maps for fact in seen])


def _readable(system: System) -> Facts:
    statements = system.governance.statements
    head = statements.in_force()
    return _NOTHING if head is None else readable(statements.opened(head), head.accepted.split())


def _too_hard(system: System) -> Facts:
    told = system.governance.statements.draft()
    return readable(replace(told, sections=(*told.sections, _HARD)), ())


def _true(system: System) -> Facts:
    statements = system.governance.statements
    heads = statements.heads()
    stands = {f"statement-{one.number}": one.digest for one in heads if one.approved_at is not None}
    if taken_back(system.base.reader, STATEMENT, stands):
        return counted([False])
    if (head := in_force(heads)) is None:
        return _NOTHING
    seen = _seen(system, since=head.approved_at or 0)
    return true(statements.opened(head), statements.current(), seen)


def _untrue(system: System) -> Facts:
    """What would be said now, after a vendor that nobody mapped was sent something; and with a word put in. Both must
    be seen, so the better of the two is given."""
    current = system.governance.statements.current()
    told = statement(current)
    first, *others = told.sections
    edited = replace(
        told, sections=(replace(first, sentences=(_softer(first.sentences[0]), *first.sentences[1:])), *others)
    )
    stranger = replace(current, suppliers=(*current.suppliers, _STRANGER))
    return min((true(told, stranger, ()), true(edited, current, ())), key=lambda facts: facts.broken)


def _softer(one: Sentence) -> Sentence:
    return replace(one, text=f"It may be that {one.text[:1].lower()}{one.text[1:]}")


def _recorded(system: System) -> Facts:
    return recorded(system.governance.statements.current(), _seen(system))


def _unrecorded(system: System) -> Facts:
    current = system.governance.statements.current()
    return recorded(replace(current, activities=current.activities[1:]), ())


def _seen(system: System, since: int = 0) -> frozenset[Fact]:
    """Of the last 30 days, or since the statement was approved; those of self-checks do not count."""
    made_up = {PROBE_TENANT, NEIGHBOUR, ALONE}
    besides = [one.id for one in system.identity.tenants.list() if one.name in made_up]
    now = epoch_ms(system.base.clock.now())
    return observed(system.base.database, max(since, now - _LOOK_BACK), besides)


CHECKS = (
    Check(
        id="statement-readable",
        promises=("RGT-04",),
        looks_at="Each section of the privacy statement in force: its Flesch-Kincaid grade is 8 at most, or the"
        " operator who proposed it accepted that section by name. The formula counts words and syllables of English;"
        " whether somebody understands the text it does not know.",
        observe=_readable,
        sabotage=_too_hard,
        population="sections of the statement in force",
        scope="the privacy statement in force",
    ),
    Check(
        id="statement-true",
        promises=("RGT-05",),
        looks_at="The privacy statement in force against the data map with the vendors and days of this installation:"
        " every fact that one says the other says, and each section in the words of today's map. Vendors and models in"
        " receipts since it was approved (30 days at most) are named in it. The log says that it was the last to be"
        " approved. That the map's own words are right is for people to judge.",
        observe=_true,
        sabotage=_untrue,
        population="facts said, mapped or seen in receipts",
        scope="statement in force, data map, and newest receipts",
    ),
    Check(
        id="processing-recorded",
        promises=("GOV-10",),
        looks_at="The record of processing (GDPR Art. 30) of this installation: every cell that the law asks for is"
        " filled, every table and store is in the data map or exempt with a reason, and every vendor and model in the"
        " receipts of 30 days is in it.",
        observe=_recorded,
        sabotage=_unrecorded,
        population="cells, tables, stores, and vendors with models in receipts",
        scope="data map, all tables and stores, and newest receipts",
    ),
)
