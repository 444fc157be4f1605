"""What contradicts within a data map: words that are not said, what stands twice, and what Art. 13 asks for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from troth.governance.data_map.map import Activity, DataMap

_LISTS = {
    "subjects": "subject",
    "categories": "category",
    "recipients": "recipient",
    "regions": "region",
    "safeguards": "safeguard",
}
_ONE = {"purpose": "purpose", "basis": "basis", "automated": "automated", "transfers": "transfer"}
KINDS = frozenset({*_LISTS.values(), *_ONE.values(), "retention"})


@dataclass(frozen=True, slots=True)
class Wrong:
    """One finding: the place in the map, and what is to be done."""

    where: str
    says: str


def lint(found: DataMap) -> list[Wrong]:
    """All that is wrong; an empty list is a map that can be used."""
    return [*_words(found), *_twice(found), *_stores(found), *(one for a in found.activities for one in _activity(a))]


def _words(found: DataMap) -> Iterator[Wrong]:
    for kind in sorted(KINDS ^ set(found.words)):
        yield Wrong(f"words.{kind}", "it is missing" if kind in KINDS else "no activity has such a member; remove it")
    used: dict[str, set[str]] = {kind: set() for kind in KINDS}
    for one in found.activities:
        for kind, token in tokens(one):
            used[kind].add(token)
            if token not in found.words.get(kind, {}):
                yield Wrong(f"{one.id}.{kind}", f"say '{token}' in plain words under words.{kind}")
    for kind in KINDS & set(found.words):
        said = list(found.words[kind].values())
        for twice in [text for text, times in Counter(said).items() if times > 1]:
            yield Wrong(f"words.{kind}", f"two of them say '{twice}', so nobody can tell them apart")


def tokens(of: Activity) -> Iterator[tuple[str, str]]:
    """Every word that an activity uses, as (kind, token)."""
    for name, kind in _LISTS.items():
        yield from ((kind, token) for token in getattr(of, name))
    for name, kind in _ONE.items():
        yield kind, getattr(of, name)
    yield from (("retention", one.after) for one in of.retention)


def _twice(found: DataMap) -> Iterator[Wrong]:
    places = {
        "activities": [one.id for one in found.activities],
        "titles": [one.title for one in found.activities],
        "tables": [name for one in found.activities for name in one.tables] + list(found.exempt.tables),
        "suppliers": [one.id for one in found.suppliers],
    }
    for place, names in places.items():
        for name in [name for name, times in Counter(names).items() if times > 1]:
            yield Wrong(f"{place}.{name}", "it stands twice; one row says it all")


def _stores(found: DataMap) -> Iterator[Wrong]:
    known, used = set(found.stores), found.personal_stores
    for name in sorted((used | set(found.exempt.stores)) - known):
        yield Wrong(f"stores.{name}", "say under stores what it is, where it lies and how it is erased")
    for name in sorted(known - used - set(found.exempt.stores)):
        yield Wrong(f"stores.{name}", "name it in the activity that it serves, or under exempt.stores with why")
    for name in sorted(used & set(found.exempt.stores)):
        yield Wrong(f"stores.{name}", "an activity uses it, so it is not exempt")


def _activity(one: Activity) -> Iterator[Wrong]:
    yield from _lists(one)
    if (one.basis == "legitimate-interests") != (one.interest is not None):
        yield Wrong(f"{one.id}.interest", "say which interest it is, exactly for legitimate-interests (Art. 13(1)(d))")
    if "nobody" in one.recipients and len(one.recipients) > 1:
        yield Wrong(f"{one.id}.recipients", "nobody stands alone")
    if not one.tables and not one.stores:
        yield Wrong(f"{one.id}.tables", "name where it is kept: a table or a store")
    for name, table in one.tables.items():
        if not table.columns and not table.stays:
            yield Wrong(f"{one.id}.tables.{name}", "name the columns that hold personal data")
        for column in sorted(set(table.columns) & set(table.stays)):
            yield Wrong(f"{one.id}.tables.{name}.{column}", "it goes with the person or it stays, not both")


def _lists(one: Activity) -> Iterator[Wrong]:
    for name in (*_LISTS, "retention"):
        said = getattr(one, name)
        if not said:
            yield Wrong(f"{one.id}.{name}", "name at least one")
        if len(set(said)) < len(said):
            yield Wrong(f"{one.id}.{name}", "it stands twice")
