"""Placeholders for one request to a vendor: values go out as `<PERSON_k3f9q2mz7a>` and come back as themselves.

A TokenMap lives as long as its request and no longer. Suffixes are drawn at random (50 bits), so that neither the user
nor the vendor can name a placeholder that was not issued; a text of the user that only looks like one is carried as a
value of its own and restored exactly. Restoring is one pass: a restored value is never read again.

The texts of a request are one document: a person who is named in one of them is known in all of them, and a value that
two texts in a row hold half each is read as one. One value has one placeholder; further ways to write the same person
share it and are numbered (`<PERSON_k3f9q2mz7a_2>`): a model knows who is meant, and each comes back as it stood.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, KeysView, Sequence
from itertools import accumulate
from types import TracebackType
from typing import NamedTuple, Self

from troth.redact.decisions import Policy
from troth.redact.detect import Detector, Span, detect_each
from troth.redact.finding import Finder
from troth.redact.model.people import People

_SUFFIX = 10  # base32 signs, 50 bits
_RANDOM_BYTES = 8
LOOKS_LIKE = re.compile(r"<[A-Z][A-Z_]{0,30}_[a-z2-7]{10}(?:_[0-9]{1,6})?>")
_TEXT = "TEXT"  # the label of user text that looks like a placeholder
_EDGE = 64  # characters on either side that are read together where one text follows another
_ENDED = frozenset('.!?;,)]}>"\u201d\u2026')  # behind these no name goes on in the next text


class _Find(NamedTuple):
    start: int
    end: int
    label: str
    entity: str = ""


class TokenMap:
    """The placeholders of one request. Not for sharing between requests; `close()` (or `with`) forgets every value."""

    def __init__(
        self, detector: Detector, policy: Policy, random: Callable[[int], bytes] = secrets.token_bytes
    ) -> None:
        self._detector = detector
        self._finder = Finder(detector, policy)
        self._label = policy.label
        self._random = random
        self._people = People()
        self._issued: dict[str, tuple[str, str]] = {}  # value -> label, placeholder
        self._value_of: dict[str, str] = {}
        self._forms: dict[str, tuple[str, int]] = {}  # entity -> its placeholder without `>`, how many forms it has

    def redact(self, text: str) -> str:
        """`text` with every find that the policy does not keep replaced; the same value has the same placeholder."""
        return self.redact_all([text])[0]

    def redact_all(self, texts: Sequence[str], joins: Iterable[tuple[int, int]] = ()) -> list[str]:
        """As `redact`, of the texts of one conversation: a person found in one of them is found in all.

        `joins`: pairs of indexes; the second of those texts follows the first, and a value may begin in one and end
        in the other.
        """
        found = [list(spans) for spans in detect_each(self._detector, texts)]
        self._add_split(texts, found, list(joins))
        starts = list(accumulate(map(len, texts), initial=0))
        known = found
        for _ in range(2 if len(texts) > 1 else 1):  # the second round knows whom the later texts name
            known = [self._people.complete(t, s, at) for t, s, at in zip(texts, found, starts, strict=False)]
        return [self._replaced(text, self._finder.sift(text, spans)) for text, spans in zip(texts, known, strict=True)]

    def _replaced(self, text: str, spans: list[Span]) -> str:
        parts, position = [], 0
        for find in self._finds(text, spans):
            parts += [text[position : find.start], self._issue(find, text[find.start : find.end])]
            position = find.end
        return "".join([*parts, text[position:]])

    def restore(self, text: str) -> str:
        """`text` with every issued placeholder replaced by its value; anything else stays as it is."""
        if not self._value_of:
            return text
        return LOOKS_LIKE.sub(lambda m: self._value_of.get(m.group(), m.group()), text)

    def counts(self) -> dict[str, int]:
        """How many different values of each label are out as placeholders."""
        return dict(Counter(label for label, _ in self._issued.values()))

    def placeholders(self) -> KeysView[str]:
        """The placeholders issued so far, as a view: each piece of a stream asks, and there may be thousands."""
        return self._value_of.keys()

    def close(self) -> None:
        """Forget every value."""
        self._people = People()
        for memory in (self._issued, self._value_of, self._forms):
            memory.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _add_split(self, texts: Sequence[str], found: list[list[Span]], joins: list[tuple[int, int]]) -> None:
        """Values that begin at the end of one text and end at the beginning of the next, a part of each."""
        seams = [(a, b, sign) for a, b in joins for sign in _signs(texts[a], texts[b])]
        windows = [texts[a][-_EDGE:] + sign + texts[b][:_EDGE] for a, b, sign in seams]
        for (a, b, sign), spans in zip(seams, detect_each(self._detector, windows), strict=True):
            first = min(len(texts[a]), _EDGE)
            second = first + len(sign)
            for span in spans:
                if not span.start < first <= second < span.end:
                    continue
                before = span._replace(start=len(texts[a]) - first + span.start, end=len(texts[a]), entity="")
                behind = span._replace(start=0, end=span.end - second, entity="")
                one, other = _beside(texts[a], found[a], before), _beside(texts[b], found[b], behind)
                # Half a value may be found alone only where words are: `a@b.org` and `Thanks` are no longer address.
                if (one and other) or (sign and span.kind == "person"):
                    found[a], found[b] = sorted([*found[a], *one]), sorted([*found[b], *other])

    def _finds(self, text: str, spans: list[Span]) -> list[_Find]:
        """Finds and look-alikes, overlapping ones joined under the label of the find."""
        finds = [_Find(s.start, s.end, self._label(s.kind), s.entity) for s in spans]
        if "<" in text:
            finds += [_Find(m.start(), m.end(), _TEXT) for m in LOOKS_LIKE.finditer(text)]
        joined: list[_Find] = []
        for find in sorted(finds):
            if joined and find.start < joined[-1].end:
                last = joined[-1]
                label = find.label if last.label == _TEXT else last.label
                joined[-1] = _Find(last.start, max(last.end, find.end), label)
            else:
                joined.append(find)
        return joined

    def _issue(self, find: _Find, value: str) -> str:
        known = self._issued.get(value)
        if known is not None:
            return known[1]
        entity = f"{find.label} {find.entity or value}"
        stem, forms = self._forms.get(entity) or (self._stem(find.label), 0)
        self._forms[entity] = stem, forms + 1
        placeholder = f"{stem}_{forms + 1}>" if forms else f"{stem}>"
        self._issued[value] = find.label, placeholder
        self._value_of[placeholder] = value
        return placeholder

    def _stem(self, label: str) -> str:
        while True:
            suffix = base64.b32encode(self._random(_RANDOM_BYTES)).decode().lower()[:_SUFFIX]
            if f"<{label}_{suffix}>" not in self._value_of:
                return f"<{label}_{suffix}"


def _signs(one: str, other: str) -> Iterator[str]:
    """What a value that goes on from one text to the other may have at the seam."""
    if not one or not other:
        return
    last, first = one[-1], other[0]
    if not last.isspace() and not first.isspace() and (last == "." or last not in _ENDED):
        yield ""
    ended = one.rstrip()[-1:]
    if ended and ended not in _ENDED and other.lstrip()[:1].isalnum():
        yield " "


def _beside(text: str, spans: list[Span], part: Span) -> list[Span]:
    """`part` when no span covers any of it and it holds a letter or a digit."""
    free = all(span.end <= part.start or span.start >= part.end for span in spans)
    return [part] if free and any(map(str.isalnum, text[part.start : part.end])) else []
