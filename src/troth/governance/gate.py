"""The gate of a release: what is new in the data map was assessed and approved first (GOV-13..15; GDPR 25, 35). Pure.

New is every purpose, category, group of people, recipient, vendor, region, transfer, automated decision, store, table
and column that the approved map has not, or has with another meaning: a word that is explained otherwise is new too.
So is a table or store that now serves another purpose, on another basis, goes to somebody else, is kept for longer or
lost a safeguard.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from troth.governance.data_map.linting import tokens
from troth.governance.data_map.map import Activity, DataMap, digest
from troth.governance.forms.form import Form
from troth.governance.looking import Look
from troth.governance.records import Record
from troth.governance.standing import wrong

Kind = Literal[
    "purpose", "category", "subject", "vendor", "region", "automation", "store", "field", "use",
    "baseline", "assessment",
]  # fmt: skip
ASSESSED: Final = "dpia"
PLANNED: Final = "projects"
_FOUNDING: Final = frozenset({"purpose", "store"})  # what a project must exist for before it begins (GOV-14)
_NONE: Final = "none"
_SERVED: Final = frozenset({"purpose", "basis", "recipient", "region", "transfer", "automated", "safeguard"})
_SAFE: Final = "safeguard:"
Use = Mapping[str, int]  # what a place serves, as kind:token; of a term how many days, 0 for everything else


@dataclass(frozen=True, slots=True)
class New:
    """One thing that the approved map has not: its kind, and where it stands, such as `answers:prompts`."""

    kind: Kind
    what: str


@dataclass(frozen=True, slots=True)
class GateFinding:
    """Why the release waits. `says` what is to be done; `record`: the assessment or project that does not count."""

    code: str
    kind: Kind
    what: str
    says: str
    record: str | None = None


@dataclass(frozen=True, slots=True)
class Papers:
    """The registers of assessments and projects with their forms, and from where they are looked at."""

    forms: Mapping[str, Form]
    assessments: Sequence[Record]
    projects: Sequence[Record]
    look: Look


def additions(new: DataMap, approved: DataMap | None) -> tuple[New, ...]:
    """What is new, by kind and name. Without an approved map everything is."""
    before = {} if approved is None else _elements(approved)
    found = [one for one, meant in _elements(new).items() if before.get(one) != meant]
    return tuple(sorted([*found, *_moved(new, approved)], key=_place))


def gate(new: DataMap, approved: DataMap | None, papers: Papers) -> tuple[GateFinding, ...]:
    """Why a release with the map `new` may not go out after one with `approved`; nothing: it may.

    An assessment counts when it covers exactly the digest of the map, is approved, and is in order as its register
    judges: written, advised on and approved by three people, with the advice, what can be dropped, and the necessity.
    So must be the one of the approved map: a baseline that nobody approved is none. New purposes, stores and tables
    need a running project, in order, that names the assessment.
    """
    found = additions(new, approved)
    baseline = () if approved is None else tuple(_uncovered(approved, papers, "baseline"))
    if not found:
        return baseline
    missing = tuple(_uncovered(new, papers, "assessment"))
    if missing:
        says = "write, advise on and approve an assessment of this map before the release."
        return (*baseline, *missing, *(GateFinding("not-assessed", one.kind, one.what, says) for one in found))
    return (*baseline, *_unplanned(found, new, papers))


def covering(of: DataMap, papers: Papers) -> Iterator[Record]:
    """The assessments of exactly this map that count."""
    for one in papers.assessments:
        if one.values.get("map_digest") == digest(of) and not _why_not(one, papers):
            yield one


def _uncovered(of: DataMap, papers: Papers, kind: Kind) -> Iterator[GateFinding]:
    if any(covering(of, papers)):
        return
    close = [one for one in papers.assessments if one.values.get("map_digest") == digest(of)]
    if not close:
        yield GateFinding(f"{kind}-missing", kind, digest(of), "no assessment covers a map of this digest.")
    for one in close:
        says = f"it does not count: {', '.join(_why_not(one, papers))}."
        yield GateFinding(f"{kind}-not-approved", kind, digest(of), says, one.id)


def _why_not(record: Record, papers: Papers) -> list[str]:
    """Why an assessment does not count, as tokens; an empty list: it does."""
    found = [] if record.state == "approved" else [f"state {record.state}"]
    named = {one: record.values.get(one) for one in ("author", "advised_by", "approved_by")}
    found += [f"no {name}" for name, value in named.items() if value is None]
    if len({value for value in named.values() if value is not None}) < sum(one is not None for one in named.values()):
        found.append("one person did what takes three")
    found += [f"no {name}" for name in ("advice", "necessity", "dropped") if not record.values.get(name)]
    return found or [one.what for one in wrong(papers.forms[ASSESSED], record, (), papers.look)]


def _unplanned(found: Sequence[New], new: DataMap, papers: Papers) -> Iterator[GateFinding]:
    founding = [one for one in found if one.kind in _FOUNDING]
    assessed = {one.id for one in covering(new, papers)}
    form = papers.forms[PLANNED]
    for one in papers.projects:
        running = one.state == "running" and one.values.get("personal_data") is True
        if running and one.values.get("assessment") in assessed and not any(wrong(form, one, (), papers.look)):
            return
    says = "name the assessment in a running project, which somebody other than its lead agreed to."
    yield from (GateFinding("no-project", one.kind, one.what, says) for one in founding)


def _elements(of: DataMap) -> dict[New, str]:
    """Everything that a person would want to know of, with what it means."""
    found = {one: meant for activity in of.activities for one, meant in _activity(activity, of)}
    for store in of.personal_stores:
        found[New("store", store)] = _stored(of, store)
    for name in of.tables:
        found[New("store", f"table {name}")] = ""
    found |= {New("field", name): held for name, held in of.columns()}
    found |= {New("field", name): f"stays: {why}" for name, why in of.staying().items()}
    for one in of.suppliers:
        found[New("vendor", one.id)] = f"{one.name} {one.retention} {one.retention_days}"
        found |= {New("region", f"{one.id}:{region}"): "" for region in one.regions}
        found |= {New("vendor", f"{one.id}:{sub}"): "" for sub in one.sub_processors}
    return found


def _moved(new: DataMap, approved: DataMap | None) -> Iterator[New]:
    """Tables and stores of before that now serve what they did not, or lost a safeguard. Less use is no news."""
    before, lost = ({}, set[str]()) if approved is None else (_uses(approved), set(_unguarded(new, approved)))
    for place, use in _uses(new).items():
        was = before.get(place, use)
        more = any(was.get(what, -1) < days for what, days in use.items() if not what.startswith(_SAFE))
        if more or place in lost or any(what not in use for what in was if what.startswith(_SAFE)):
            yield New("use", place)


def _unguarded(new: DataMap, approved: DataMap) -> Iterator[str]:
    """Places that more activities of a purpose now use without a safeguard that one of them had there.

    Who else keeps it there does not matter; neither does how activities are called, which nobody approves.
    """
    before, after = _guards(approved), _guards(new)
    for (place, purpose, token), had in before.items():
        all_before, all_after = before[place, purpose, ""], after[place, purpose, ""]
        if all_after - after[place, purpose, token] > all_before - had:
            yield place


def _guards(of: DataMap) -> Counter[tuple[str, str, str]]:
    """How many activities of a purpose use a place with a safeguard; with the empty one, how many there are."""
    return Counter(
        (place, one.purpose, token)
        for one in of.activities
        for place in (*(f"table {name}" for name in one.tables), *one.stores)
        for token in ("", *one.safeguards)
    )


def _uses(of: DataMap) -> Mapping[str, Use]:
    """What each table and store serves. One that several activities use serves all of them."""
    found: dict[str, dict[str, int]] = {}
    for one in of.activities:
        use = {f"{kind}:{token}": 0 for kind, token in tokens(one) if kind in _SERVED and token != _NONE}
        use |= {f"after:{term.after}": term.days or 0 for term in one.retention} | {f"role:{one.role}": 0}
        for place in (*(f"table {name}" for name in one.tables), *one.stores):
            mine = found.setdefault(place, {})
            mine |= {what: max(days, mine.get(what, 0)) for what, days in use.items()}
    return found


def _activity(one: Activity, of: DataMap) -> Iterator[tuple[New, str]]:
    yield New("purpose", f"{one.purpose}:{one.basis}"), _said(of, "purpose", one.purpose)
    lists: dict[Kind, tuple[str, tuple[str, ...]]] = {
        "category": ("category", one.categories),
        "subject": ("subject", one.subjects),
        "vendor": ("recipient", one.recipients),
        "region": ("region", one.regions),
    }
    for kind, (words, named) in lists.items():
        for token in named:
            yield New(kind, f"{one.purpose}:{token}"), _said(of, words, token)
    if one.transfers != _NONE:
        yield New("region", f"{one.purpose}:{one.transfers}"), _said(of, "transfer", one.transfers)
    if one.automated != _NONE:
        yield New("automation", f"{one.purpose}:{one.automated}"), _said(of, "automated", one.automated)


def _stored(of: DataMap, name: str) -> str:
    return f"{of.stores[name].title} {of.stores[name].erased}" if name in of.stores else ""


def _said(of: DataMap, kind: str, token: str) -> str:
    return of.words.get(kind, {}).get(token, "")


def _place(one: New) -> tuple[str, str]:
    return one.kind, one.what
