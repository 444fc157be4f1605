"""What a redaction policy is: a decision on every category of the taxonomy, exceptions, and detectors of its own.

The models refuse what contradicts itself however they are built; `policy.lint` says the same in sentences about a text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cached_property
from typing import Any, Literal, Self

import rfc8785
from pydantic import BaseModel, ConfigDict, Field, model_validator

from troth.kernel.errors import Invalid
from troth.redact.detect.kinds import CATEGORIES, KINDS, MODEL_KINDS
from troth.redact.picture_rules import PictureRules

_WORDS = "remove, mask, label, pseudonym, surrogate or keep"
REASON = 10  # characters of a reason, at least
# Texts that have nothing in common. A pattern for every kind that lets two of them pass, or one for single kinds that
# lets three pass, lets everything pass; so does one that takes the empty text.
_UNLIKE = ("Maria Keller", "maria@example.org", "4111 1111 1111 1111", "ghp_x9Q/+=")
_MOST_UNLIKE = {False: 1, True: 2}


class Action(StrEnum):
    """What happens to a find."""

    REMOVE = "remove"  # nothing in its place
    MASK = "mask"  # one block for each character
    LABEL = "label"  # <EMAIL>
    PSEUDONYM = "pseudonym"  # <PERSON_k3f9q2mz>, the same for the same value within one data set
    SURROGATE = "surrogate"  # a made-up value of the same shape that belongs to nobody
    KEEP = "keep"  # stays, for a written reason


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Decision(_Model):
    """The decision on one category; `keep` carries its reason, which readers of the trust page will see."""

    action: Action
    reason: str = ""


class Allowed(_Model):
    """Finds that stay: those whose whole text is `value` (in any case), or that `pattern` (RE2) matches whole.

    `kinds`: only finds of these kinds; empty: of any kind.
    """

    reason: str = Field(max_length=500)
    value: str = Field(default="", max_length=500)
    pattern: str = Field(default="", max_length=1000)
    kinds: tuple[str, ...] = Field(default=(), max_length=100)


class CustomDetector(_Model):
    """A detector of the policy's own: a pattern (RE2), words, or a declared Python entry point (`redact/custom.py`).

    `kind` is a kind of the taxonomy; without it, the find is of a kind of its own with the detector's name, and
    `decision` says what happens to it.
    """

    name: str = Field(pattern=r"^[a-z][a-z_]{1,29}$")
    pattern: str = Field(default="", max_length=4000)
    words: tuple[str, ...] = Field(default=(), max_length=100_000)
    entry_point: str = Field(default="", max_length=200, pattern=r"^[A-Za-z0-9_.-]*$")
    kind: str = ""
    decision: Decision | None = None
    score: float = Field(default=1.0, ge=0.5, le=1.0)

    @property
    def find_kind(self) -> str:
        """The kind of its finds."""
        return self.kind or self.name


class Policy(_Model):
    """A complete policy: `decisions` has every category, `kinds` what differs for single kinds of a category.

    `min_recall`: a data set whose lower bound, with `confidence`, is below it is not signed. `shift_dates`: whether
    surrogate dates move by one distance for a whole data set or by one for each document.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")
    version: int = Field(ge=1, le=(1 << 53) - 1)  # what canonical JSON can say (RFC 8785)
    min_recall: float = Field(default=0.9, ge=0.0, le=1.0)
    confidence: float = Field(default=0.95, ge=0.5, le=0.9999)
    shift_dates: Literal["dataset", "document"] = "dataset"
    decisions: Mapping[str, Decision]
    kinds: Mapping[str, Decision] = Field(default_factory=dict)
    allow: tuple[Allowed, ...] = Field(default=(), max_length=1000)
    detectors: tuple[CustomDetector, ...] = Field(default=(), max_length=100)
    pictures: PictureRules = PictureRules()

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for problem in problems(self.decisions, self.kinds, self.allow, self.detectors):
            raise ValueError(problem.says)
        return self

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy, checked like any policy: pydantic's own would keep what was worked out for the old decisions."""
        del deep
        return type(self).model_validate(self.model_dump() | dict(update or {}))

    def action(self, kind: str) -> Action:
        """What to do with a find of `kind`; an unknown kind is refused, never kept.

        Raises Invalid for a kind that neither the taxonomy nor a detector of the policy has.
        """
        return self.decision(kind).action

    def decision(self, kind: str) -> Decision:
        """As `action`, with the reason. Raises Invalid (`unknown-kind`)."""
        found = self._by_kind.get(kind)
        if found is None:
            raise Invalid(
                "A detector named a kind that the taxonomy does not have; add it to the table of kinds.",
                code="unknown-kind",
            )
        return found

    def label(self, kind: str) -> str:
        """What a reader sees in the place of a find of `kind`: `EMAIL`, or the name of a detector in capitals."""
        return KINDS[kind].label if kind in KINDS else kind.upper()

    def needs_key(self) -> bool:
        """Whether any decision is a pseudonym or a surrogate."""
        return any(d.action in (Action.PSEUDONYM, Action.SURROGATE) for d in self._by_kind.values())

    def needs_model(self) -> bool:
        """Whether it takes out what only a model finds; with rules alone it would promise what nothing does."""
        return any(self.action(kind) is not Action.KEEP for kind in MODEL_KINDS if KINDS[kind].category in _MODEL_ONLY)

    def digest(self) -> str:
        """SHA-256 (hex) over the policy's canonical JSON (RFC 8785)."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        unsaid = {"pictures"} if self.pictures == PictureRules() else set[str]()  # as before there were such rules
        return hashlib.sha256(rfc8785.dumps(self.model_dump(mode="json", exclude=unsaid))).hexdigest()

    @cached_property
    def _by_kind(self) -> dict[str, Decision]:
        own = {d.name: d.decision for d in self.detectors if not d.kind and d.decision}
        return {name: self.kinds.get(name, self.decisions[kind.category]) for name, kind in KINDS.items()} | own


# Categories of which no rule finds anything.
_MODEL_ONLY = {KINDS[kind].category for kind in MODEL_KINDS} - {
    kind.category for name, kind in KINDS.items() if name not in MODEL_KINDS
}


class Problem(_Model):
    """Something wrong with a policy. `code`: missing, unknown, contradiction or invalid; `where`: the place in it."""

    code: Literal["missing", "unknown", "contradiction", "invalid"]
    where: str
    says: str

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return self.model_dump(mode="json")


def problems(
    decisions: Mapping[str, Decision],
    kinds: Mapping[str, Decision],
    allow: tuple[Allowed, ...],
    detectors: tuple[CustomDetector, ...],
) -> Iterator[Problem]:
    """Everything wrong with the parts of a policy, in the order of the taxonomy."""
    for name in decisions:
        if name not in CATEGORIES:
            yield Problem(
                code="unknown", where=f"decisions.{name}", says=f"The policy names an unknown category: {name}."
            )
    for name in CATEGORIES:
        decision = decisions.get(name)
        if decision is None:
            says = f"The policy decides nothing for the category {name}; name {_WORDS}."
            yield Problem(code="missing", where=f"decisions.{name}", says=says)
        else:
            yield from _reasoned(decision, f"decisions.{name}", f"the category {name}")
    yield from _of_kinds(decisions, kinds)
    for number, one in enumerate(allow):
        yield from _of_allowed(one, f"allow.{number}", {d.find_kind for d in detectors})
    yield from _of_detectors(detectors)
    patterns = [*(one.pattern for one in allow), *(one.pattern for one in detectors)]
    if sum(map(_size, filter(None, patterns))) > _PROGRAMS:
        says = "The patterns of the policy are too large together; write fewer or simpler ones, or a list of words."
        yield Problem(code="invalid", where="detectors", says=says)


def _reasoned(decision: Decision, where: str, what: str) -> Iterator[Problem]:
    if decision.action is Action.KEEP and len(decision.reason.strip()) < REASON:
        yield Problem(code="missing", where=where, says=f"The policy keeps {what} without a reason; write one.")
    if decision.action is not Action.KEEP and decision.reason:
        says = f"The policy gives a reason to keep {what} and does not keep it."
        yield Problem(code="contradiction", where=where, says=says)


def _of_kinds(decisions: Mapping[str, Decision], kinds: Mapping[str, Decision]) -> Iterator[Problem]:
    for name, decision in kinds.items():
        where = f"kinds.{name}"
        if name not in KINDS:
            yield Problem(code="unknown", where=where, says=f"The policy names an unknown kind: {name}.")
            continue
        yield from _reasoned(decision, where, f"the kind {name}")
        category = KINDS[name].category
        alone = sum(kind.category == category for kind in KINDS.values()) == 1
        if alone and category in decisions and decisions[category].action is not decision.action:
            says = f"The kind {name} is all there is of the category {category}, and the two decisions differ."
            yield Problem(code="contradiction", where=where, says=says)


def _of_allowed(one: Allowed, where: str, custom: set[str]) -> Iterator[Problem]:
    if len(one.reason.strip()) < REASON:
        yield Problem(code="missing", where=where, says="An entry of the allow-list has no reason; write one.")
    if bool(one.value.strip()) == bool(one.pattern):
        says = "An entry of the allow-list has either a value or a pattern."
        yield Problem(code="contradiction", where=where, says=says)
    for kind in one.kinds:
        if kind not in KINDS and kind not in custom:
            yield Problem(code="unknown", where=where, says=f"The allow-list names an unknown kind: {kind}.")
    if one.pattern:
        matches = compiled(one.pattern)
        if matches is None:
            says = "A pattern of the allow-list is no RE2 expression, or too large."
            yield Problem(code="invalid", where=where, says=says)
        elif matches.fullmatch("") or sum(bool(matches.fullmatch(t)) for t in _UNLIKE) > _MOST_UNLIKE[bool(one.kinds)]:
            says = "A pattern of the allow-list lets everything pass; write what may stay."
            yield Problem(code="contradiction", where=where, says=says)


def _of_detectors(detectors: tuple[CustomDetector, ...]) -> Iterator[Problem]:
    seen: set[str] = set()
    for one in detectors:
        where, what = f"detectors.{one.name}", f"The detector {one.name}"
        if one.name in seen or one.name in KINDS:
            says = f"{what} has the name of another detector or kind; choose another."
            yield Problem(code="contradiction", where=where, says=says)
        seen.add(one.name)
        if sum(map(bool, (one.pattern, one.words, one.entry_point))) != 1:
            says = f"{what} needs one of pattern, words and entry_point."
            yield Problem(code="contradiction", where=where, says=says)
        yield from _of_what_it_finds(one, where, what)


def _of_what_it_finds(one: CustomDetector, where: str, what: str) -> Iterator[Problem]:
    if one.kind and one.kind not in KINDS:
        yield Problem(code="unknown", where=where, says=f"{what} names an unknown kind: {one.kind}.")
    if one.kind and one.decision:
        says = f"{what} has a kind of the taxonomy and a decision of its own; the kind's decision counts."
        yield Problem(code="contradiction", where=where, says=says)
    if not one.kind and not one.decision:
        yield Problem(code="missing", where=where, says=f"{what} has no kind and no decision; name one of them.")
    if one.decision:
        yield from _reasoned(one.decision, where, f"what the detector {one.name} finds")
    matches = compiled(one.pattern) if one.pattern else None
    if one.pattern and (matches is None or matches.fullmatch("")):
        says = f"The pattern of the detector {one.name} is no RE2 expression, too large, or matches nothing at all."
        yield Problem(code="invalid", where=where, says=says)
    if any(not word.strip() or len(word) > _WORD for word in one.words):
        says = f"{what} has an empty word, or one of more than {_WORD} characters."
        yield Problem(code="invalid", where=where, says=says)


_WORD = 200
_PATTERN_MEMORY = 16 << 20  # bytes of RE2's automaton for one pattern; a larger one is refused
_PROGRAM = 8_192  # instructions of one pattern: each may be alive at each letter of a text
_PROGRAMS = 65_536  # of all patterns of one policy together


def _size(pattern: str) -> int:
    """Instructions; 0 for what is refused on its own."""
    made = compiled(pattern)
    return 0 if made is None else int(made._regexp.ProgramSize())


def compiled(pattern: str) -> Any:
    """`pattern` as RE2 over Unicode (linear time), or None when it is none or too large."""
    import re2  # noqa: PLC0415  a policy without patterns does without

    options = re2.Options()
    options.max_mem, options.log_errors = _PATTERN_MEMORY, False
    try:
        made = re2.compile(pattern, options)
    except re2.error:
        return None
    return made if made._regexp.ProgramSize() <= _PROGRAM else None
