"""Where finds can begin: one RE2 automaton for each family of rules, and an anchored set that names the rules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import re2

from troth.redact.detect.compiled import ANYWHERE, Compiled, finder, options
from troth.redact.detect.rule import LOWER, NUMBER, UPPER, WORD

_BLANK = 32  # of the shadow's characters, those that end a word and no other sign
_GATE = 192  # characters of the longest gate
# Signs that a number can begin with, then at least six digits and what stands between their groups.
_NUMBER = r"[^0-9][+(\-]{0,2}[0-9](?:[ .\-/()\t_+\xb7]{0,3}[0-9]){5}"

# `re` is quick at this, and has no automaton that thousands of names would fill one by one.
_CAPITALISED = re.compile(f"[{UPPER}][{LOWER}]++(?![{WORD}])".encode("latin-1"))


class Scout:
    """Where finds of one family can begin. Families are apart because in one automaton their states would multiply."""

    def __init__(self, rules: Sequence[Compiled]) -> None:
        members: dict[str, list[Compiled]] = {}
        for compiled in rules:
            members.setdefault(compiled.gate, []).append(compiled)
        gates = dict.fromkeys(_NUMBER if c.rule.gate == NUMBER else c.gate for c in rules)
        self._find = finder("|".join(f"(?:{gate})" for gate in gates))
        self._set = re2.Set.MatchSet(options())
        for gate in members:
            self._set.Add(gate.encode("latin-1"))
        # The last member matches every text: when it is missing, the set ran out of memory and said nothing.
        self.sentinel = self._set.Add(b"")
        self._set.Compile()
        self._members = [*members.values(), []]
        self._all = list(rules)

    def first(self, data: bytes) -> int:
        """The first place before a possible find, or less than 0: most short texts have none."""
        return self._find(ANYWHERE, data, 0, len(data))[0][0]

    def places(self, data: bytes, place: int) -> Iterator[tuple[int, list[Compiled]]]:
        """(place before a possible find, its rules), in order, from the first place on."""
        size, find, which = len(data), self._find, self._set._set.Match
        while place >= 0:
            members = which(data[place : place + _GATE])
            if self.sentinel not in members:
                yield place, self._all
            elif len(members) > 1:
                yield place, [c for member in members for c in self._members[member]]
            place = find(ANYWHERE, data, place + 1, size)[0][0]


class Sign:
    """The same for rules whose gate is one literal. A find that begins before it has no blank before it."""

    def __init__(self, literal: bytes, rules: Sequence[Compiled]) -> None:
        self._literal, self._rules = literal, list(rules)
        self._here = [c for c in rules if not c.back]

    def first(self, data: bytes) -> int:
        """The first literal, or less than 0."""
        return data.find(self._literal)

    def places(self, data: bytes, place: int) -> Iterator[tuple[int, list[Compiled]]]:
        """(place before the literal, its rules), in order, from the first literal on."""
        while place >= 0:
            yield place - 1, self._here if data[place - 1] <= _BLANK else self._rules
            place = data.find(self._literal, place + 1)


class Listed:
    """The same for a rule whose finds begin with one of many listed words, each a capital and small letters."""

    def __init__(self, compiled: Compiled) -> None:
        self._words = frozenset(word.encode("latin-1") for word in compiled.rule.listed)
        self._rules = [compiled]

    def first(self, _data: bytes) -> int:
        """0: whether there is a listed word at all is not cheaper to know than where."""
        return 0

    def places(self, data: bytes, place: int) -> Iterator[tuple[int, list[Compiled]]]:
        """(place before a listed word, its rule), in order, from `place` on."""
        for word in filter(self._words.__contains__, _CAPITALISED.findall(data, place)):
            place = data.find(word, place)
            while (found := _CAPITALISED.match(data, place)) is None or found[0] != word:  # the beginning of another
                place = data.find(word, place + 1)
            yield place - 1, self._rules
            place += len(word)
