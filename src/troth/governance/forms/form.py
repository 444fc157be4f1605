"""The form of a register: what one record holds, its states, who moves it, what falls due, and when it is in order.

The format is described in docs/reference/registers.md; `reading` makes a `Form` from YAML.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from troth.governance.forms.fields import Field

Unit = Literal["hours", "days", "business days", "months"]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time: `72 hours`, `30 days`, `10 business days`, `12 months`."""

    number: int
    unit: Unit

    def __str__(self) -> str:
        return f"{self.number} {self.unit}"


@dataclass(frozen=True, slots=True)
class State:
    """One state. `end`: the record is closed. `public`: anybody may see it. `judged`: it counts for promises."""

    name: str
    end: bool = False
    public: bool = False
    judged: bool = True


@dataclass(frozen=True, slots=True)
class Move:
    """A step. `opened` of `Form` is one too, from nothing.

    `not_by`: fields that name people, and moves: who stands there may not do this one. `needs`: fields that must be
    given or stand there already; those in `asks` are of this move alone and stay in its event. `may`: fields that may
    be given. `sets`: what the engine writes: `today`, `now`, `actor`, nothing (None), or a constant.
    """

    name: str
    start: tuple[str, ...]
    to: str | None  # None: the state stays
    roles: tuple[str, ...]
    not_by: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    asks: Mapping[str, Field] = field(default_factory=dict)
    may: tuple[str, ...] = ()
    when: tuple[str, ...] = ()
    sets: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DueRule:
    """Something that falls due while a record is in one of `states`: at the end of the day or at the moment in the
    field `at`, or `within` a span after it; or within one after the last of the moves `after` (before the first one:
    after the opening)."""

    name: str
    states: tuple[str, ...]
    by: str
    at: str | None = None
    after: tuple[str, ...] = ()
    within: Span | None = None
    when: str | None = None
    remind: tuple[Span, ...] = ()
    grace: Span = Span(0, "days")
    person: str | None = None  # the field that names who
    escalate_after: Span | None = None
    escalate_to: str | None = None
    lapse: str | None = None


@dataclass(frozen=True, slots=True)
class ClockRule:
    """A legal clock: from a move or from a day or moment in a field, under one law, until one of `stops`.

    `not_before` is the lower bound of the window in which a stop of `inside` may happen, `within` its end; `extend`
    and `extended_by`: by how much the end moves, once, when that move was made before the end.
    """

    name: str
    starts: str
    law: str
    within: Span
    by: str
    not_before: Span | None = None
    stops: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()
    extend: Span | None = None
    extended_by: str | None = None
    when: str | None = None
    excuse: str | None = None  # a field whose text explains lateness; late with it is told, late without it is broken


@dataclass(frozen=True, slots=True)
class PopulationRule:
    """One act by everyone of a population (`over`: FORM.STATE) for each record in `states`, again each `every`.

    `renewed_by`: moves that ask everybody anew, if `renews_when` holds. `within`: from then, and `joiners_within`: from
    joining, an act is not late yet. `own_move`: what the member does.
    """

    name: str
    states: tuple[str, ...]
    over: str
    every: Span
    own_move: str
    renewed_by: tuple[str, ...] = ()
    renews_when: str | None = None
    within: Span = Span(30, "days")
    joiners_within: Span = Span(30, "days")
    lapse: str | None = None


@dataclass(frozen=True, slots=True)
class Chain:
    """Ranges that must join: from `first` to `last` (days, the last included; or moments), at most `hole` apart.

    They end no longer ago than `reach`, or go on until `ahead` from now. A hole that ended before `back` is history.
    """

    first: str
    last: str
    states: tuple[str, ...]
    hole: Span
    reach: Span | None = None
    ahead: Span | None = None
    back: Span | None = None
    where: str | None = None  # records for which this condition fails do not count


@dataclass(frozen=True, slots=True)
class Cadence:
    """At least `count` records whose day `at` lies in the last `within`, and no gap between two above `gap`."""

    count: int
    within: Span
    at: str
    states: tuple[str, ...]
    where: str | None = None
    gap: Span | None = None


@dataclass(frozen=True, slots=True)
class Covers:
    """Every one of `values` (or of the list that the looker knows by that name) stands in `field` of a kept record."""

    field: str
    values: tuple[str, ...] = ()
    named: str | None = None


@dataclass(frozen=True, slots=True)
class Examples:
    """Records that together are in order, and single changes each of which must be seen as not in order."""

    good: tuple[Mapping[str, Any], ...]
    known_bad: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Form:
    """A register. `derived`: name to condition-language text; `kept_when`: each must hold for each judged record."""

    name: str
    version: int
    title: str
    about: str
    promises: tuple[str, ...]
    keeps: Mapping[str, Any]
    read: tuple[str, ...]
    fields: Mapping[str, Field]
    states: Mapping[str, State]
    opened: Move | None  # None: a source, whose records another room keeps
    moves: Mapping[str, Move]
    examples: Examples
    source: str | None = None
    derived: Mapping[str, str] = field(default_factory=dict)
    dues: Mapping[str, DueRule] = field(default_factory=dict)
    clocks: Mapping[str, ClockRule] = field(default_factory=dict)
    populations: Mapping[str, PopulationRule] = field(default_factory=dict)
    chain: Chain | None = None
    cadence: Cadence | None = None
    covers: tuple[Covers, ...] = ()
    snapshots: tuple[str, ...] = ()
    couples: Mapping[str, str] = field(default_factory=dict)
    kept_when: tuple[str, ...] = ()
    digest: str = ""  # SHA-256 of the text it was read from

    def judged(self, state: str) -> bool:
        """Whether a record in that state counts for the promises."""
        return self.states[state].judged
