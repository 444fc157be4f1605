"""The promise that new uses of data are assessed before a release: the gate that would hold one back is tried."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from troth.governance.data_map.map import DataMap, Supplier, Table, digest
from troth.governance.data_map.reading import shipped as shipped_map
from troth.governance.forms.reading import shipped as shipped_forms
from troth.governance.gate import ASSESSED, PLANNED, GateFinding, Papers, gate
from troth.governance.looking import Look
from troth.governance.records import Record
from troth.governance.specimens import good
from troth.kernel.clock import epoch_ms
from troth.promises.check import Check, Facts, counted
from troth.promises.system import System

Gate = Callable[[DataMap, DataMap | None, Papers], Sequence[GateFinding]]
_ID = "rec_self_check"


def _changed() -> list[DataMap]:
    """The shipped map, each time with one more: category, automated decision, region, recipient, purpose, vendor; and
    with a table that moved to another purpose."""
    base = shipped_map()
    first, *others = base.activities
    news: list[dict[str, object]] = [
        {"categories": (*first.categories, "self-check")},
        {"automated": "self-check"},
        {"regions": (*first.regions, "self-check")},
        {"recipients": (*first.recipients, "self-check")},
        {"purpose": "self-check"},
    ]
    found = [replace(base, activities=(replace(first, **one), *others)) for one in news]  # type: ignore[arg-type]
    made_up = Supplier("self-check", "Made up", ("m",), ("us",), "zero")
    return [*found, replace(base, suppliers=(*base.suppliers, made_up)), _moved(base)]


def _moved(base: DataMap) -> DataMap:
    first, second, *others = base.activities
    name, table = next(iter(first.tables.items()))
    gives = replace(first, tables={each: held for each, held in first.tables.items() if each != name})
    takes = replace(second, tables={**second.tables, name: table})
    return replace(base, activities=(gives, takes, *others))


def _stored() -> list[DataMap]:
    """The shipped map with a table, and with a column, that it has not."""
    base = shipped_map()
    first, *others = base.activities
    made_up = {**first.tables, "self_check": Table(columns={"born": "plain"})}
    return [replace(base, activities=(replace(first, tables=made_up), *others))]


def _columned() -> list[DataMap]:
    base = shipped_map()
    first, *others = base.activities
    name, table = next(iter(first.tables.items()))
    wider = replace(table, columns={**table.columns, "self_check": "plain"})
    return [replace(base, activities=(replace(first, tables={**first.tables, name: wider}), *others))]


def _papers(system: System, of: DataMap, **changes: object) -> Papers:
    """The forms' own good examples as the registers: an assessment of the map, and a project that names it."""
    look = Look(epoch_ms(system.base.clock.now()))
    forms = {name: shipped_forms()[name] for name in (ASSESSED, PLANNED)}
    assessed = _with(good(forms[ASSESSED], look).records[0], {"map_digest": digest(of), **changes})
    base = replace(_with(assessed, {"map_digest": digest(shipped_map()), "approved_by": "p3"}), id=f"{_ID}_base")
    planned = _with(good(forms[PLANNED], look).records[0], {"assessment": _ID})
    return Papers(forms, (base, replace(assessed, id=_ID)), (planned,), look)


def _with(record: Record, values: dict[str, object]) -> Record:
    return replace(record, values={**record.values, **values})  # type: ignore[dict-item]


def _assessed(system: System, asked: Gate) -> Facts:
    """Every kind of news waits for an assessment of its digest by three people, and goes with one."""
    outcomes: list[bool] = []
    for new in _changed():
        covered = _papers(system, new)
        nobody = replace(covered, assessments=covered.assessments[:1])
        outcomes += [_held(asked(new, shipped_map(), nobody)), not asked(new, shipped_map(), covered)]
        own = _papers(system, new, approved_by="p1")
        unadvised = _papers(system, new, advice=None)
        outcomes += [_held(asked(new, shipped_map(), one)) for one in (own, unadvised)]
    return counted(outcomes)


def _planned(system: System, asked: Gate) -> Facts:
    """A new table, and a new purpose, wait for a running project that names the assessment."""
    outcomes: list[bool] = []
    for new in [*_stored(), _changed()[4]]:
        covered = _papers(system, new)
        elsewhere = (_with(covered.projects[0], {"assessment": "rec_other"}),)
        outcomes += [_held(asked(new, shipped_map(), replace(covered, projects=one))) for one in ((), elsewhere)]
        outcomes.append(not asked(new, shipped_map(), covered))
    return counted(outcomes)


def _written(system: System, asked: Gate) -> Facts:
    """A new column waits for an assessment that says why it is needed and what can be dropped."""
    outcomes: list[bool] = []
    for new in _columned():
        for missing in ("necessity", "dropped"):
            outcomes.append(_held(asked(new, shipped_map(), _papers(system, new, **{missing: None}))))
        outcomes.append(not asked(new, shipped_map(), _papers(system, new)))
    return counted(outcomes)


def _held(found: Sequence[GateFinding]) -> bool:
    return bool(found)


def _open(_new: DataMap, _approved: DataMap | None, _papers: Papers) -> Sequence[GateFinding]:
    """The known-bad gate: it stands open."""
    return ()


CHECKS = (
    Check(
        "gate-assessment",
        ("GOV-13",),
        "The data map of this version with one purpose, category, region, recipient, vendor or automated decision "
        "more, or with a table that moved to another purpose, must be held back by the gate until an assessment of "
        "that digest was written, advised on and approved by three people, and then go. Whether anybody asks the gate "
        "before a release is not looked at.",
        lambda system: _assessed(system, gate),
        lambda system: _assessed(system, _open),
        every=6 * 3600,
        population="attempts at a release",
        scope="the gate for new uses of data, on changed data maps",
    ),
    Check(
        "gate-project",
        ("GOV-14",),
        "A data map with a table or a purpose more must be held back until a running project, agreed to by somebody "
        "other than its lead, names the assessment. Whether the project was thought of first is not looked at.",
        lambda system: _planned(system, gate),
        lambda system: _planned(system, _open),
        every=6 * 3600,
        population="attempts at a release",
        scope="the gate for new tables and purposes, on changed maps",
    ),
    Check(
        "gate-fields",
        ("GOV-15",),
        "A data map with a column about people more must be held back until an approved assessment says why it is "
        "needed and what can be dropped. Fields that arrive without being declared are not looked at here.",
        lambda system: _written(system, gate),
        lambda system: _written(system, _open),
        every=6 * 3600,
        population="attempts at a release",
        scope="the gate for new columns, on a changed data map",
    ),
)
