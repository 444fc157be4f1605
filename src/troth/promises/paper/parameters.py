"""The house's parameters: what is kept, as numbers and lists, and which of two claims is the stricter (it rules)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from troth.kernel.errors import Invalid
from troth.settings import strict_yaml

Value = float | str | frozenset[str]
Rule = Literal["at-least", "at-most", "ladder", "all-of", "among"]
Verdict = Literal["same", "weaker", "more", "unkept"]
_LIMITS = strict_yaml.Limits(characters=100_000, nodes=5_000, depth=4)
_SETS = ("all-of", "among")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing that is kept. `value` None: nobody keeps any. `row`: of the table of conflicts, or 0."""

    name: str
    rule: Rule
    value: Value | None
    promises: frozenset[str]
    unit: str
    row: int = 0
    steps: tuple[str, ...] = ()

    def stricter(self, one: Value, other: Value) -> Value:
        """The value that keeps both; with nothing in common, the first."""
        if isinstance(one, frozenset) and isinstance(other, frozenset):
            return one | other if self.rule == "all-of" else (one & other or one)
        if self.rule == "ladder":
            return max(one, other, key=lambda step: self.steps.index(str(step)))
        pick = min if self.rule == "at-most" else max
        return pick(float(str(one)), float(str(other)))

    def judge(self, claimed: Value, *, only: bool = False) -> Verdict:
        """Whether somebody who claims that claims what is kept, less, more, or something that nobody keeps.

        `only`: the claim leaves out all that it does not name ("only in Europe"), which is stricter than naming some.
        """
        if self.value is None:
            return "unkept"
        if self.rule == "among":
            return self._among(frozenset(claimed if isinstance(claimed, frozenset) else ()), only=only)
        if claimed == self.value:
            return "same"
        return "weaker" if self.stricter(claimed, self.value) == self.value else "more"

    def _among(self, claimed: frozenset[str], *, only: bool) -> Verdict:
        kept = self.value if isinstance(self.value, frozenset) else frozenset()
        if only:
            return "same" if claimed == kept else "weaker" if claimed > kept else "more"
        return "same" if claimed <= kept else "more"

    def spelt(self, value: Value | None = None) -> str:
        """A value as people read it; without one, what is kept."""
        shown = self.value if value is None else value
        if isinstance(shown, frozenset):
            return ", ".join(sorted(shown)) or "none"
        return f"{shown:g}" if isinstance(shown, float) else str(shown)


def taken(rule: str, steps: tuple[str, ...], value: object) -> Value | None:
    """A value as its rule has it, or nothing when it is of another kind."""
    if rule in _SETS:
        if not isinstance(value, list | tuple | frozenset):
            return None
        return frozenset(map(str, value)) if all(isinstance(one, str) for one in value) else None
    if rule == "ladder":
        return value if isinstance(value, str) and value in steps else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


@cache
def parameters() -> Mapping[str, Parameter]:
    """The parameters of `promises/parameters.yaml`, by name."""
    text = files("troth.promises").joinpath("parameters.yaml").read_text(encoding="utf-8")
    return {row["name"]: _parameter(row) for row in strict_yaml.load(text, _LIMITS, what="file of parameters")}


def tightened(house: Mapping[str, Parameter], own: Mapping[str, Any]) -> dict[str, Parameter]:
    """The house's parameters with a paper's own, stricter ones. Raises Invalid (`bad-parameter`) naming the field."""
    made = dict(house)
    for name, value in own.items():
        known = house.get(name)
        if known is None or known.value is None:
            says = f"Nothing keeps a parameter {name}; remove it, or see promises/parameters.yaml for the names."
            raise Invalid(says, code="bad-parameter", field=name)
        given = taken(known.rule, known.steps, value)
        if given is None or not given or known.stricter(given, known.value) != given:
            says = f"The parameter {name} must be stricter than {known.spelt()} ({known.unit}); only that is allowed."
            raise Invalid(says, code="bad-parameter", field=name)
        made[name] = Parameter(name, known.rule, given, known.promises, known.unit, known.row, known.steps)
    return made


def _parameter(row: Mapping[str, Any]) -> Parameter:
    steps = tuple(row.get("steps", ()))
    value = taken(row["rule"], steps, row["value"])
    return Parameter(row["name"], row["rule"], value, frozenset(row["promises"]), row["unit"], row.get("row", 0), steps)
