"""The finds in one text, as they come: where each rule is run, and how its candidates are judged."""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate, pairwise

from troth.redact.detect.compiled import ANYWHERE, HERE, Compiled
from troth.redact.detect.spans import Span, resolve

NAME = "rules"
_LIST_GAP = 6  # characters between the values of a list: `, `, ` and `
_BEHIND = 112  # characters behind the first of a context word in which its value may begin
_LONGEST = 400  # characters a find may have that is not searched for from its own first character
_HAS_DIGIT = re.compile(rb"[0-9]").search


class Work:
    """`data[begin:end]` is the text; places and finds are offsets in `data` until `spans` gives them out."""

    __slots__ = ("_done", "_found", "_words", "begin", "data", "end")

    def __init__(self, data: bytes, begin: int, end: int) -> None:
        self.data, self.begin, self.end = data, begin, end
        self._found: list[Span] = []
        self._done: dict[Compiled, int] = {}  # where the next find of a rule may begin
        self._words: dict[Compiled, list[int]] = {}

    def work(self, _position: int) -> Work:
        """Itself: a single text needs no `Desk`."""
        return self

    def add(self, rules: list[Compiled], place: int) -> None:
        """The gates of these rules stand behind `place`."""
        position = place + 1
        for compiled in rules:
            if compiled.driven:
                if not compiled.digital or _HAS_DIGIT(self.data, position, min(self.end, position + _BEHIND)):
                    self._words.setdefault(compiled, []).append(position)
                continue
            done = self._done.get(compiled, 0)
            if compiled.back:
                self._search(compiled, max(self.begin, done, position - compiled.back), position + 1)
            elif done <= position:
                start, end = compiled.find(HERE, self.data, position, self.end)[compiled.group]
                if end > start:
                    self.accept(compiled, start, end)

    def accept(self, compiled: Compiled, start: int, end: int) -> int:
        """The end of the find, or 0 when it is refused."""
        kept, score = compiled.judge(self.data, self.begin, start, end)
        if not kept:
            return 0
        self._found.append(Span(start - self.begin, start + kept - self.begin, compiled.kind, score, NAME))
        self._done[compiled] = start + kept
        return start + kept

    def _search(self, compiled: Compiled, position: int, last: int) -> None:
        """Every accepted find that starts in [position, last). After a refusal the search goes on one character
        later, so that a wrong candidate never hides a right one; patterns are bounded, which keeps this linear."""
        reach, group = min(self.end, last + _LONGEST), compiled.group
        while position < last:
            spans = compiled.find(ANYWHERE, self.data, position, reach)
            first, (start, end) = spans[0][0], spans[group]
            if not 0 <= first < last:
                return
            kept = self.accept(compiled, start, end) if end > start else 0
            if not kept:
                position = max(first + 1, position + 1)
                continue
            position = kept
            if compiled.driven:  # a context word speaks for the next value, and for more only in a list
                last = min(last, position + _LIST_GAP)

    def spans(self) -> list[Span]:
        """The finds, settled, as offsets in the text."""
        for compiled, words in self._words.items():
            for word, following in pairwise([*words, self.end]):
                self._search(compiled, word, min(word + _BEHIND, following))
        return resolve(self._found) if len(self._found) > 1 else self._found


class Desk:
    """The works of several texts that stand in one `data`, each behind one byte and before another."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        self.data = data
        self._sizes = sizes
        self._begins = [1 + 2 * i + before for i, before in enumerate(accumulate(sizes, initial=0))][:-1]
        self._works: dict[int, Work] = {}

    def work(self, position: int) -> Work:
        """Of the text at this place in `data`."""
        text = bisect_right(self._begins, position) - 1
        work = self._works.get(text)
        if work is None:
            begin = self._begins[text]
            work = self._works[text] = Work(self.data, begin, begin + self._sizes[text])
        return work

    def spans(self) -> list[list[Span]]:
        """The finds of each text."""
        found: list[list[Span]] = [[] for _ in self._sizes]
        for text, work in self._works.items():
            found[text] = work.spans()
        return found
