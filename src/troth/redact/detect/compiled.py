"""A rule made ready to run: its pattern, its edges, the words around it, and the judgement of one candidate."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import re2

from troth.redact.detect.rule import DIGITAL, NUMBER, OTHER_NUMBERS, Check, Rule

ACCEPT = 0.5
NEAR, REACH = 28, 64  # characters before a find in which its context words are looked for
_MEMORY = 256 << 20  # bytes RE2 may use for its automata: with the default of 8 MiB a large set gives up silently
ANYWHERE, HERE = re2._Anchor.UNANCHORED, re2._Anchor.ANCHOR_START
_EDGE = "A-Za-z\xc0-\xff"  # what may not stand beside a context word; digits and `_` may: keys such as `nhs_no`
_SPACE, _JOINS = re.compile(r" (?![^\[\]]*\])"), r"[ _\\-]"  # a space that stands in no class
_LEFT_CLASS = re.compile(r"\(\?<!\[((?:[^\]\\]|\\.)+)\]\)")  # a left edge that begins with one class
Find = Callable[..., list[tuple[int, int]]]  # (anchor, data, from, to) -> spans of the match and its groups

_REFUSED = 0, 0.0


def options() -> Any:
    """RE2 over Latin-1 with room for its automata."""
    made = re2.Options()
    made.encoding = re2.Options.Encoding.LATIN1
    made.max_mem = _MEMORY
    made.log_errors = False
    return made


def finder(pattern: str, longest: bool = False) -> Find:
    """The match function of RE2 itself: the wrapper's match objects cost three times what a search does."""
    wanted = options()
    wanted.longest_match = longest
    find: Find = re2.compile(pattern.encode("latin-1"), wanted)._regexp.Match
    return find


def _whole_words(words: str) -> str:
    """RE2 of one of the words, in any case, with the character before and behind it; keys write `_` for a space."""
    return rf"[^{_EDGE}](?i:{_SPACE.sub(_JOINS, words)})[^{_EDGE}]"


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """One rule, ready to run on the shadow of a text."""

    rule: Rule
    find: Find
    group: int
    kind: str
    score: float
    wordy: bool  # words before a find change its score
    back: int
    driven: bool  # found only behind one of its context words
    family: str
    digital: bool  # every find has a digit
    gate: str  # RE2 of the character before a find (or its gate) and the gate; empty for listed words
    left: Callable[..., Any]
    right: Callable[..., Any]
    check: Check | None
    context: Find | None
    against: Find | None

    def judge(self, data: bytes, begin: int, start: int, end: int) -> tuple[int, float]:
        """(characters kept, score) of `data[start:end]` in a text that begins at `begin`; (0, 0) when refused."""
        if not self.left(data, start):
            return _REFUSED
        if self.driven:  # behind one of its words: the check refuses more than the score does
            kept = self._kept(data, start, end)
            score = self._scored(data[max(begin, start - REACH) : start]) if kept else 0.0
            return (kept, score) if score >= ACCEPT else _REFUSED
        score = self._scored(data[max(begin, start - REACH) : start]) if self.wordy else self.score
        kept = self._kept(data, start, end) if score >= ACCEPT else 0
        return (kept, score) if kept else _REFUSED

    def _kept(self, data: bytes, start: int, end: int) -> int:
        kept = self.check(data[start:end].decode("latin-1")) if self.check else end - start
        return kept if kept and self.right(data, start + kept) else 0

    def _scored(self, window: bytes) -> float:
        """The rule's score with the words before the find; of a context word and one against it, the nearer counts."""
        score, spoken, size = self.score, 0, len(window)
        padded = b" %b " % window  # an edge before the first word and behind the last
        if self.context is not None:
            spoken = _last_word(self.context, padded)
            if spoken:
                score += 0.4 if size - spoken <= NEAR else 0.3
        if self.against is not None:
            begin = max(spoken, size - NEAR, 0)
            if not self.driven:  # the words above a shape that speaks for itself are the head of a table
                begin = max(begin, window.rfind(b"\n") + 1)
            if self.against(ANYWHERE, padded, begin, size + 2)[0][0] >= 0:
                score = self.score - 0.4
        return min(score, 1.0)


def _last_word(words: Find, padded: bytes) -> int:
    """Where the last of the words ends in what was padded; 0 when there is none."""
    end, size = 1, len(padded)
    while True:
        found = words(ANYWHERE, padded, end - 1, size)[0]
        if found[0] < 0:
            return max(0, end - 2)
        end = found[1]


def _gate(rule: Rule, groups: int) -> str:
    if rule.score < ACCEPT:
        return _whole_words(rule.context)
    if rule.listed:
        return ""
    gate = rule.pattern if rule.gate in ("", NUMBER) else rule.gate
    edge = _LEFT_CLASS.match(rule.left) if not groups and not rule.back else None
    return (f"[^{edge.group(1)}]" if edge else r"(?s:.)") + f"(?:{gate})"


def compile_rule(rule: Rule) -> Compiled:
    """Raises `re.error` or `re2.error` when a pattern is wrong."""
    value = re2.compile(rule.pattern.encode("latin-1"), options())
    against = rule.against or (OTHER_NUMBERS if rule.score < ACCEPT else "")
    family = "word" if rule.score < ACCEPT and rule.family in DIGITAL else rule.family
    return Compiled(
        rule=rule, find=value._regexp.Match, group=1 if value.groups else 0,
        kind=rule.kind, score=rule.score,
        wordy=bool(rule.context or against), back=rule.back, driven=rule.score < ACCEPT,
        family=family, digital=rule.family in DIGITAL, gate=_gate(rule, value.groups),
        left=re.compile(rule.left.encode("latin-1")).match, right=re.compile(rule.right.encode("latin-1")).match,
        check=rule.check, context=finder(_whole_words(rule.context)) if rule.context else None,
        against=finder(_whole_words(against)) if against else None,
    )  # fmt: skip
