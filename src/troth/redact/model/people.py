"""One person is one entity in a document: a name that was found once is covered wherever it stands again.

Mentions are the words of a name, alone or together, initials with or without the surname, and handles made of it.
Every span of a person carries the fullest form of the name as its `entity`, so that pseudonyms and surrogates of all
mentions agree. E-mail addresses and handles that were found by their shape keep their own value: they say the same in
every document, but a name stands beside them only in some.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from troth.redact.detect import Span, resolve
from troth.redact.model.mentions import (
    Word,
    alone,
    common_short,
    core,
    covered,
    doubtful,
    handle_at,
    initials,
    is_handle,
    parts_of,
    with_initials,
    words_of,
)
from troth.redact.model.words import plain

SURE = 0.8  # how sure a find of one word must be before its word is looked for elsewhere
_SHORTEST = 3  # letters of a word that is looked for
_MOST = 5000  # persons of one document that are known; a longer list of people goes without the rest
_NAMESAKES = 64  # persons of one name among whom its bearer is looked for
_SHORTEST_HANDLE = 4  # letters of a surname that handles are looked for
_BY = "mentions"


@dataclass(slots=True, eq=False)
class _Person:
    name: str  # as it goes into `entity`
    words: list[str]  # plain, given name first; one word, when no more is known
    last: int = -1  # where the person was mentioned last


class _Mention(NamedTuple):
    span: Span
    parts: list[str]  # the words of the name, as they stand
    core: list[str]  # those that tell people apart, plain


@dataclass(slots=True)
class People:
    """The persons of one document, read piece after piece. Holds names: it lives as long as the call or the stream."""

    _persons: list[_Person] = field(default_factory=list)
    _by_word: dict[str, list[_Person]] = field(default_factory=dict)
    _looked_for: dict[str, str] = field(default_factory=dict)  # words as they may stand, to plain ones
    _common: set[str] = field(default_factory=set)  # names that the document has in small letters as well

    def complete(self, text: str, spans: Sequence[Span], offset: int = 0) -> list[Span]:
        """`spans` (sorted, none overlapping) and the mentions between them, with entities.

        `offset`: where `text` begins in the document. Time grows with the length of `text`.
        """
        found = list(spans)
        if not self._persons and not any(span.kind == "person" for span in found):
            return found
        words = words_of(text)
        found = _whole(text, found)
        named = self._named(words, found)
        self._learn(named)
        self._also_words(text, words, found)
        if more := [*self._again(words, found), *self._handles(text, found)]:
            found = resolve([*found, *more])
            named = self._named(words, found)
        entities = self._entities(named, offset)
        return [s._replace(entity=entities[s.start]) if s.start in entities else s for s in found]

    def _named(self, words: Sequence[Word], spans: Sequence[Span]) -> list[_Mention]:
        """The persons of `spans` with the words of their names."""
        starts, found = [word.start for word in words], []
        for span in spans:
            if span.kind == "person":
                parts = parts_of(words[bisect_left(starts, span.start) : bisect_left(starts, span.end)])
                found.append(_Mention(span, parts, core(parts)))
        return found

    def _learn(self, named: Sequence[_Mention]) -> None:
        """Full names first, so that one word of a name finds its person wherever it stands."""
        for mention in sorted(named, key=lambda m: -sum(len(word) > 1 for word in m.core)):
            if not mention.core or len(self._persons) >= _MOST:
                continue
            person = self._of(mention.core) or self._new(mention)
            initial = len(mention.core) > 1 and len(person.words[0]) == 1 < len(mention.core[0])
            if initial or len(mention.core) > len(person.words):  # `J. Smith` of before is this one and no further one
                person.words = mention.core
            for word in mention.core:
                held = self._by_word.setdefault(word, [])
                if person not in held and len(held) < _NAMESAKES:
                    held.append(person)
            if len(mention.core) > 1 or mention.span.score >= SURE:
                self._look_for(mention)

    def _also_words(self, text: str, words: Sequence[Word], spans: Sequence[Span]) -> None:
        """Names that the document has in small letters as well, as words of the language."""
        known = set(self._looked_for.values()) - self._common
        starts, ends = [s.start for s in spans], [s.end for s in spans]
        for word in words if known else ():
            if word.text in known and not covered(starts, ends, word.start, word.end) and alone(text, word):
                self._common.add(word.text)

    def _look_for(self, mention: _Mention) -> None:
        known = set(mention.core)
        for part in mention.parts:
            word = plain(part)
            if len(part) >= _SHORTEST and word in known and not part.islower():
                for form in (part, part.upper(), part.title()):
                    self._looked_for[form] = word

    def _new(self, mention: _Mention) -> _Person:
        shown = [p for i, p in enumerate(mention.parts) if len(p) > 1 or i == 0]  # no initials in the middle
        person = _Person(" ".join(shown), mention.core)
        self._persons.append(person)
        return person

    def _of(self, words: list[str]) -> _Person | None:
        """The known person that a name is of; of several, the one mentioned last, else the first."""
        first, last = words[0], words[-1]
        held = self._by_word.get(last, [])
        if len(words) > 1:
            held = [p for p in held if p.words[-1] == last and _alike(p.words, first)]
            held += [p for p in self._by_word.get(first, []) if p.words == [first]]
        return max(held, key=lambda p: p.last) if held else None

    def _again(self, words: Sequence[Word], spans: Sequence[Span]) -> Iterator[Span]:
        """Mentions that no span covers."""
        starts, ends = [s.start for s in spans], [s.end for s in spans]
        short = self._short()
        open_: tuple[int, int] | None = None
        known, common = self._looked_for, self._common | {""}
        places = [i for i, word in enumerate(words) if known.get(word.text, "") not in common or word.text in short]
        for at in places:
            word, first = words[at], self._begin(words, at, short)
            if first < 0 or covered(starts, ends, word.start, word.end):
                continue
            begin = words[first].start if not covered(starts, ends, words[first].start, word.start) else word.start
            if open_ and begin - open_[1] <= 1 and words[first - 1].text != "\n":
                open_ = open_[0], word.end
                continue
            if open_:
                yield Span(*open_, "person", SURE, _BY)
            open_ = begin, word.end
        if open_:
            yield Span(*open_, "person", SURE, _BY)

    def _begin(self, words: Sequence[Word], at: int, short: dict[str, _Person]) -> int:
        """The index of the first word of the mention that ends with the word at `at`; -1 when that is none."""
        text = words[at].text
        known = self._looked_for.get(text)
        if known is not None and known not in self._common and not doubtful(words, at):
            letters = frozenset(p.words[0][0] for p in self._by_word.get(known, ()))
            return with_initials(words, at, letters)
        if 2 <= len(text) <= 3 and text in short and text.isupper() and not common_short(text):
            return at
        return -1

    def _handles(self, text: str, spans: Sequence[Span]) -> Iterator[Span]:
        """Handles made of the names of persons, which no span covers."""
        low = text.lower()
        if len(low) != len(text):  # a letter whose small form is two: offsets would not agree
            return
        starts, ends = [s.start for s in spans], [s.end for s in spans]
        found: dict[int, Span] = {}
        for surname in {p.words[-1] for p in self._persons if len(p.words) > 1}:
            at = low.find(surname) if len(surname) >= _SHORTEST_HANDLE else -1
            while at >= 0:
                first, last = handle_at(low, at, len(surname))
                if self._made_of(low[first:last], surname) and not covered(starts, ends, first, last):
                    found[first] = Span(first, last, "username", SURE, _BY)
                at = low.find(surname, max(last, at + 1))
        yield from (found[start] for start in sorted(found))

    def _made_of(self, handle: str, surname: str) -> bool:
        """Whether a handle is made of the name of a person of that surname."""
        return handle != surname and any(
            p.words[-1] == surname and len(p.words[0]) > 1 and is_handle(handle, p.words[0], surname)
            for p in self._by_word.get(surname, ())
        )

    def _short(self) -> dict[str, _Person]:
        """The initials of persons whose given name is known."""
        return {short: p for p in self._persons if len(p.words[0]) > 1 for short in initials(p.words)}

    def _entities(self, named: Sequence[_Mention], offset: int) -> dict[int, str]:
        """Start of a span to the name of its person."""
        short = self._short()
        found: dict[int, str] = {}
        for mention in named:
            person = self._of(mention.core) if mention.core else None
            if person is None and len(mention.parts) == 1:
                person = short.get(mention.parts[0])
            if person is not None:
                person.last = offset + mention.span.start
                found[mention.span.start] = person.name
        return found


def _whole(text: str, spans: Sequence[Span]) -> list[Span]:
    """Initials that were found alone join the name behind them: `P.` and `Johnson`."""
    found: list[Span] = []
    for span in spans:
        before = found[-1] if found else span
        if (
            span.kind == before.kind == "person"
            and before.end <= span.start <= before.end + 1
            and "\n" not in text[before.end : span.start]
            and sum(map(str.isalpha, text[before.start : before.end])) == 1
        ):
            found[-1] = span._replace(start=before.start, score=max(before.score, span.score))
        else:
            found.append(span)
    return found


def _alike(words: list[str], first: str) -> bool:
    """Whether a given name or its initial is that of a person, or that person has none yet."""
    given = words[0]
    return len(words) == 1 or given == first or (1 in (len(given), len(first)) and given[0] == first[0])
