"""Acts that everybody owes: who has done them, whose time has passed, and the share over all, not over those asked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import rfc8785

from troth.governance.clocks import span_end
from troth.governance.forms.expressions import Value, holds
from troth.governance.forms.form import Form, PopulationRule
from troth.governance.looking import DAY_MS, Item, Look, Member
from troth.governance.naming import names_of
from troth.governance.records import Record
from troth.kernel.errors import IntegrityError

RENEWAL_MS: Final = 30 * DAY_MS  # before its end an act is asked for again


@dataclass(frozen=True, slots=True)
class Owed:
    """One member's act for one record: by when (epoch ms), whether a valid one is there, and when the last was done."""

    member: str
    by: int
    done: bool
    last: int | None = None

    def again(self, now: int) -> bool:
        """Whether it is asked for now: it is not done, or near its end (but not before half its time)."""
        if not self.done or self.last is None:
            return True
        return now >= max(self.by - RENEWAL_MS, (self.last + self.by) // 2)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everybody of a population at one moment (epoch ms), with the digest that the log keeps."""

    population: str
    at: int
    members: tuple[str, ...]
    digest: str


def taken(population: str, at: int, members: Iterable[str]) -> Snapshot:
    """The snapshot of these members."""
    names = tuple(sorted(set(members)))
    told = rfc8785.dumps(["troth-population-v1", population, at, list(names)])
    return Snapshot(population, at, names, hashlib.sha256(told).hexdigest())


def whole(snapshot: Snapshot, present: Sequence[Member], left: frozenset[str]) -> tuple[Member, ...]:
    """Everybody who counts: who is present, and who was at the snapshot unless it is known that they left.

    So a list that lost people without a leaver's record does not raise the share. Raises
    IntegrityError(population-altered) when the snapshot is not what its digest says.
    """
    if taken(snapshot.population, snapshot.at, snapshot.members) != snapshot:
        says = "The list of people of a register was changed after it was taken; restore it and look who changed it."
        raise IntegrityError(says, code="population-altered")
    here = {one.id: one for one in present}
    missing = [Member(one, snapshot.at) for one in snapshot.members if one not in here and one not in left]
    return (*present, *missing)


def owed(
    form: Form, rule: PopulationRule, record: Record, items: Sequence[Item], look: Look
) -> tuple[Owed, ...] | None:
    """What each member owes for one record in one of the rule's states; None: nobody knows who belongs to it."""
    members = look.members.get(rule.over)
    if members is None:
        return None
    if record.state not in rule.states:
        return ()
    asked = min((record.entered[one] for one in rule.states if one in record.entered), default=record.opened_at)
    renewed = _renewed(form, rule, record, look)
    last: dict[str, int] = {}
    for item in items:
        if (item.record, item.population) == (record.id, rule.name) and item.at <= look.now:
            last[item.member] = max(item.at, last.get(item.member, 0))
    return tuple(_owed(rule, one, last.get(one.id), max(asked, renewed), look) for one in members)


def _renewed(form: Form, rule: PopulationRule, record: Record, look: Look) -> int:
    if rule.renews_when is not None and not holds(rule.renews_when, names_of(form, record, look)):
        return 0
    return max((record.done[one].at for one in rule.renewed_by if one in record.done), default=0)


def _owed(rule: PopulationRule, member: Member, last: int | None, asked: int, look: Look) -> Owed:
    if last is None or last < asked:
        anew = span_end(asked, rule.within, look.home)
        joining = span_end(member.since, rule.joiners_within, look.home)
        return Owed(member.id, joining if member.since > asked else anew, done=False, last=last)
    ends = span_end(last, rule.every, look.home)
    return Owed(member.id, ends, done=look.now < ends, last=last)


def counts(form: Form, record: Record, items: Sequence[Item], look: Look) -> dict[str, Value]:
    """`share(POPULATION)`, done over everybody (missing when nobody is known), and `late(POPULATION)`."""
    found: dict[str, Value] = {}
    for rule in form.populations.values():
        all_of = owed(form, rule, record, items, look)
        known = bool(all_of)
        done = sum(one.done for one in all_of or ())
        found[f"share({rule.name})"] = Fraction(done, len(all_of)) if all_of else None
        found[f"late({rule.name})"] = len(late(all_of or (), look)) if known else None
    return found


def by_record(items: Sequence[Item]) -> dict[str, list[Item]]:
    """What members did, by the record that it was done for: each record looks at its own alone."""
    found: dict[str, list[Item]] = {}
    for one in items:
        found.setdefault(one.record, []).append(one)
    return found


def late(several: Sequence[Owed], look: Look) -> tuple[str, ...]:
    """Whose time has passed, by name."""
    return tuple(one.member for one in several if not one.done and look.now >= one.by)
