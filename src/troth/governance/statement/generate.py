"""The statement of a data map: sections of plain sentences, each with the facts that it says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from troth.governance.data_map.map import Activity, DataMap, Supplier
from troth.governance.statement.facts import Fact, kept_for, model_of, staying
from troth.governance.statement.readability import LIMIT, grade

_ROLES: Final = {"controller": "We answer for it.", "processor": "Your firm answers for it and we do as it says."}
_KEEPS: Final = {"zero": "It keeps none of it.", "transient": "It keeps it while it works and no more."}


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, and the facts that it says."""

    text: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the statement. `names` of firms and models do not count for its grade."""

    id: str
    title: str
    sentences: tuple[Sentence, ...]
    names: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All of it, without the title."""
        return " ".join(one.text for one in self.sentences)

    @property
    def grade(self) -> float:
        """Flesch-Kincaid grade level."""
        return grade(self.text, self.names)


@dataclass(frozen=True, slots=True)
class Statement:
    """The whole statement."""

    sections: tuple[Section, ...]

    @property
    def hard(self) -> tuple[Section, ...]:
        """Sections above the limit of grade 8."""
        return tuple(one for one in self.sections if one.grade > LIMIT)


def statement(of: DataMap) -> Statement:
    """What the map says, in plain words. The map is in order (`linting.lint`)."""
    sections = [Section(one.id, one.title, tuple(_activity(of, one))) for one in of.activities]
    if of.suppliers:
        names = tuple(name for one in of.suppliers for name in _names(one))
        told = tuple(sentence for one in of.suppliers for sentence in _supplier(one))
        sections.append(Section("suppliers", "The firms that run the models", told, names))
    if of.rights:
        asked = [Sentence(f"You have the right {says}.", (f"rights/{name}",)) for name, says in of.rights.items()]
        sections.append(Section("rights-of-yours", "What you may ask", tuple(asked)))
    return Statement(tuple(sections))


def said(told: Statement) -> frozenset[Fact]:
    """All facts that the statement says."""
    return frozenset(fact for section in told.sections for one in section.sentences for fact in one.facts)


def _activity(of: DataMap, one: Activity) -> Iterator[Sentence]:
    def words(kind: str, names: Sequence[str]) -> tuple[str, tuple[Fact, ...]]:
        return listed([of.words[kind][name] for name in names]), tuple(f"{one.id}/{kind}/{name}" for name in names)

    categories, facts = words("category", one.categories)
    yield Sentence(f"We hold {categories}.", facts)
    subjects, facts = words("subject", one.subjects)
    yield Sentence(f"This is about {subjects}.", facts)
    purpose, facts = words("purpose", [one.purpose])
    yield Sentence(f"We do it {purpose}.", facts)
    yield from _grounds(of, one)
    recipients, facts = words("recipient", one.recipients)
    yield Sentence(f"It is seen by {recipients}.", facts)
    regions, facts = words("region", one.regions)
    yield Sentence(f"It is kept in {regions}.", facts)
    for kind, token in (("transfer", one.transfers), ("automated", one.automated)):
        clause, facts = words(kind, [token])
        yield Sentence(_whole(clause), facts)
    for term in one.retention:
        moment = of.words["retention"][term.after]
        kept = f"We keep it till {moment}." if term.days is None else _for_days(term.days, moment)
        yield Sentence(kept, (kept_for(one, term),))
    for name in one.safeguards:
        clause, facts = words("safeguard", [name])
        yield Sentence(_whole(clause), facts)
    if stays := staying(one):
        places = "one place" if len(stays) == 1 else f"{len(stays)} places"
        yield Sentence(f"When you are gone, a code that leads to no one stays in {places}.", tuple(stays))


def _grounds(of: DataMap, one: Activity) -> Iterator[Sentence]:
    yield Sentence(f"We may do it since {of.words['basis'][one.basis]}.", (f"{one.id}/basis/{one.basis}",))
    if one.interest is not None:
        yield Sentence(f"Our reason is {one.interest}.", (f"{one.id}/interest",))
    yield Sentence(_ROLES[one.role], (f"{one.id}/role/{one.role}",))


def _for_days(days: int, moment: str) -> str:
    return f"We delete it {days} {'day' if days == 1 else 'days'} after {moment}."


def _supplier(one: Supplier) -> Iterator[Sentence]:
    before = f"supplier/{one.id}"
    models = tuple(model_of(one.id, name) for name in one.models)
    yield Sentence(f"{one.name} runs {listed(one.models)}.", (f"{before}/name/{one.name}", *models))
    here = one.regions == ("here",)
    where = "It works on our own machine." if here else f"It works in {listed(one.regions)}."
    yield Sentence(where, tuple(f"{before}/region/{name}" for name in one.regions))
    keeps = _KEEPS.get(one.retention, f"It may keep it for {one.retention_days} days.")
    yield Sentence(keeps, (f"{before}/retention/{one.retention}/{one.retention_days}",))
    if one.sub_processors:
        helped = tuple(f"{before}/sub-processor/{name}" for name in one.sub_processors)
        yield Sentence(f"It is helped by {listed(one.sub_processors)}.", helped)


def _names(one: Supplier) -> tuple[str, ...]:
    return (one.name, *one.models, *one.regions, *one.sub_processors)


def listed(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _whole(clause: str) -> str:
    return f"{clause[:1].upper()}{clause[1:]}."
