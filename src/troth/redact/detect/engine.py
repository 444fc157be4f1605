"""The rule tier: one RE2 set says which rules can hit at all, and only those are run. Linear time on any input."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from itertools import pairwise
from typing import Any

import re2

from troth.redact.detect.rule import OTHER_NUMBERS, Rule
from troth.redact.detect.shadow import shadow
from troth.redact.detect.spans import Span, resolve
from troth.redact.detect.view import see_through

ACCEPT = 0.5
_NEAR, _REACH = 28, 64  # characters before a find in which its context words are looked for
_PATIENCE = 16  # refused candidates of one rule in one text before its edges are searched for as well
_LIST_GAP = 6  # characters between the values of a list: `, `, ` and `
_LONGEST = 400  # characters a find beside a context word may have
_MEMORY = 256 << 20  # bytes RE2 may use for its automata: with the default of 8 MiB a large set gives up silently


def _options() -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.max_mem = _MEMORY
    options.log_errors = False
    return options


_EDGE = "A-Za-z\xc0-\xff"  # what may not stand beside a context word; digits and `_` may: keys such as `nhs_no`


def _words(words: str) -> re.Pattern[bytes] | None:
    """Whole words in any case, for the few characters before one find."""
    if not words:
        return None
    return re.compile(rf"(?<![{_EDGE}])(?:{words})(?![{_EDGE}])".encode("latin-1"), re.IGNORECASE)


def _whole_words(words: str) -> str:
    """The same as RE2, for a whole text (with the characters beside the word, which RE2 cannot look at)."""
    return rf"(?i)(?:^|[^{_EDGE}])(?:{words})(?:[^{_EDGE}]|$)"


_EDGE_CLASS = re.compile(r"\(\?<!\[((?:[^\]\\]|\\.)+)\]\)")  # a left edge that begins with one class


@dataclass(frozen=True, slots=True)
class _Compiled:
    rule: Rule
    regex: Any
    group: int
    edged: str  # the pattern behind one character that may stand there, for texts full of refused edges
    left: re.Pattern[bytes]
    right: re.Pattern[bytes]
    context: re.Pattern[bytes] | None
    against: re.Pattern[bytes] | None
    driver: Any  # finds the context words of a rule that cannot do without them


def _regex(pattern: str) -> Any:
    return re2.compile(pattern.encode("latin-1"), _options())


_edged = lru_cache(maxsize=None)(_regex)  # one for each rule at most, compiled when a text calls for it


def _compile(rule: Rule) -> _Compiled:
    value = _regex(rule.pattern)
    against = rule.against or (OTHER_NUMBERS if rule.score < ACCEPT else "")
    driver = _regex(_whole_words(rule.context)) if rule.score < ACCEPT else None
    edge = _EDGE_CLASS.match(rule.left) if not value.groups and not rule.always else None
    edged = f"[^{edge.group(1)}](?:{rule.pattern})" if edge else ""
    return _Compiled(
        rule=rule, regex=value, group=1 if value.groups else 0, edged=edged,
        left=re.compile(rule.left.encode("latin-1")), right=re.compile(rule.right.encode("latin-1")),
        context=_words(rule.context), against=_words(against), driver=driver,
    )  # fmt: skip


def gate_of(rule: Rule) -> str:
    """The pattern that must occur somewhere in a text before the rule is worth running."""
    if rule.score < ACCEPT:
        return _whole_words(rule.context)
    return rule.gate or rule.pattern


class _Gate:
    """An RE2 set that tells which of its rules a text can concern."""

    def __init__(self, rules: Sequence[_Compiled]) -> None:
        self._rules = list(rules)
        self._behind: dict[int, list[_Compiled]] = {}
        self._set = re2.Set.SearchSet(_options())
        members: dict[str, int] = {}
        for compiled in rules:
            pattern = gate_of(compiled.rule)
            if pattern not in members:
                members[pattern] = self._set.Add(pattern.encode("latin-1"))
            self._behind.setdefault(members[pattern], []).append(compiled)
        # The last member matches every text: when it is missing, the set ran out of memory and said nothing.
        self.sentinel = self._set.Add(rb"\z")
        self._set.Compile()

    def open(self, data: bytes) -> list[_Compiled]:
        """The rules worth running on `data`; all of them when the set gave up."""
        hits = self._set.Match(data)
        if self.sentinel not in hits:
            return self._rules
        return [c for i in sorted(hits) for c in self._behind.get(i, ())]


@lru_cache(maxsize=1)
def _code() -> bytes:
    """SHA-256 over this package's own sources: checks and the settling of overlaps decide on finds too."""
    digest = hashlib.sha256()
    for module in sorted(resources.files("troth.redact.detect").iterdir(), key=lambda entry: entry.name):
        if module.name.endswith(".py"):
            digest.update(module.read_bytes())
    return digest.digest()


class RuleDetector:
    """Runs a table of rules. Safe to share between threads; holds no text."""

    name = "rules"

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = [_compile(rule) for rule in rules]
        self._always = [c for c in self._rules if c.rule.always]
        gated = [c for c in self._rules if not c.rule.always]
        # Two gates: in one automaton, words and numbers would multiply their states (measured: twice the warm-up).
        self._gates = [_Gate([c for c in gated if bool(c.driver) is driven]) for driven in (False, True)]
        facts = [(r.kind, r.pattern, r.score, r.context, r.against, r.left, r.right) for r in rules]
        self.version = f"rules-{hashlib.sha256(repr(facts).encode() + _code()).hexdigest()[:16]}"

    def detect(self, text: str) -> list[Span]:
        """Spans of personal data and secrets in `text`, sorted, none overlapping."""
        data = shadow(text)
        plain = self._finds(data)
        sight = see_through(text, data)
        if sight is None:
            return plain
        seen = self._finds(shadow(sight.text))
        back = (Span(*sight.back(s.start, s.end), s.kind, s.score, s.detector) for s in seen)
        return resolve([*plain, *back], cover=True)

    def _finds(self, data: bytes) -> list[Span]:
        found: list[Span] = []
        for compiled in self._candidates(data):
            for start, end in _regions(compiled, data):
                _scan(compiled, data, start, end, found)
        return resolve(found) if found else found

    def _candidates(self, data: bytes) -> list[_Compiled]:
        return [c for gate in self._gates for c in gate.open(data)] + self._always


def _regions(compiled: _Compiled, data: bytes) -> list[tuple[int, int]]:
    """Where a find of the rule may start: anywhere, or within reach of one of its context words."""
    if compiled.driver is None:
        return [(0, len(data))]
    ends = [match.end() for match in compiled.driver.finditer(data)]
    # What starts behind the next context word is that word's to find, so that no text is looked at twice.
    return [(max(0, a - 1), min(a + _REACH, b)) for a, b in pairwise([*ends, len(data) + 1])]


def _scan(compiled: _Compiled, data: bytes, position: int, last: int, found: list[Span]) -> None:
    """Every accepted find of one rule that starts in [position, last). After a refusal the search goes on one character
    later, so that a wrong candidate never hides a right one; patterns are bounded, which keeps this linear."""
    rule, refusals = compiled.rule, 0
    reach = min(len(data), last + _LONGEST) if compiled.driver else len(data)
    while position < last:
        # Many refusals are mostly edges inside long words and numbers: from then on RE2 itself passes over those.
        find = _search_edged if refusals > _PATIENCE and compiled.edged else _search
        first, start, end = find(compiled, data, position, reach)
        if not 0 <= first < last:
            return
        kept, score = _judge(compiled, data, start, end) if end > start else (0, 0.0)
        if kept:
            found.append(Span(start, start + kept, rule.kind, score, RuleDetector.name))
            position = start + kept
            if compiled.driver:  # a context word speaks for the next value, and for more only in a list
                last = min(last, position + _LIST_GAP)
        else:
            position, refusals = max(first + 1, position + 1), refusals + 1


def _search(compiled: _Compiled, data: bytes, position: int, reach: int) -> tuple[int, int, int]:
    """Where the next candidate begins, and its value's span; -1 when there is none."""
    match = compiled.regex.search(data, position, reach)
    return (match.start(), *match.span(compiled.group)) if match is not None else (-1, 0, 0)


def _search_edged(compiled: _Compiled, data: bytes, position: int, reach: int) -> tuple[int, int, int]:
    """The same for candidates with a character before them that the left edge allows; `position` is not 0."""
    match = _edged(compiled.edged).search(data, position - 1, reach)
    return (match.start() + 1, match.start() + 1, match.end()) if match is not None else (-1, 0, 0)


def _judge(compiled: _Compiled, data: bytes, start: int, end: int) -> tuple[int, float]:
    """(characters kept, score), or (0, 0) when the find is refused."""
    refused = 0, 0.0
    if not compiled.left.match(data, start):
        return refused
    check = compiled.rule.check
    score = _score(compiled, data, start)
    if score < ACCEPT:
        return refused
    kept = check(data[start:end].decode("latin-1")) if check else end - start
    if not kept or not compiled.right.match(data, start + kept):
        return refused
    return kept, score


def _score(compiled: _Compiled, data: bytes, start: int) -> float:
    """The rule's score with the words before the find; of a context word and one against it, the nearer counts."""
    score, spoken = compiled.rule.score, 0
    window = data[max(0, start - _REACH) : start]
    if compiled.context is not None:
        for match in compiled.context.finditer(window):
            spoken = match.end()
        if spoken:
            score += 0.4 if len(window) - spoken <= _NEAR else 0.3
    if compiled.against is not None and compiled.against.search(window, max(spoken, len(window) - _NEAR)):
        score -= 0.4
    return min(score, 1.0)
