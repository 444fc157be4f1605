"""The rule tier: automata say where a find can begin and of which rules, and only those are run, there. Linear time."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from importlib import resources

from troth.redact.detect.compiled import Compiled, compile_rule
from troth.redact.detect.rule import DIGITAL, FAMILIES, Rule
from troth.redact.detect.scout import Listed, Scout, Sign
from troth.redact.detect.shadow import shadow
from troth.redact.detect.spans import Span, resolve
from troth.redact.detect.table import cells_of
from troth.redact.detect.view import see_through
from troth.redact.detect.work import NAME, Desk, Work

_SIGNS = ("@", "://")  # gates that a search for bytes finds
_BLOCK = 1 << 20  # characters of texts that are scanned as one
_LONG, _WINDOW, _MARGIN = 4_000_000, 1_000_000, 16_000  # characters: texts read in windows, and what is seen around
_HAS_DIGIT = re.compile(rb"[0-9]").search
# Before and behind each text: no pattern goes over the one, every edge holds at the other, and a line begins behind it.
_BEFORE, _BEHIND = b"\n", b"\0"


@lru_cache(maxsize=1)
def _code() -> bytes:
    """SHA-256 over this package's own sources: checks and the settling of overlaps decide on finds too."""
    digest = hashlib.sha256()
    for module in sorted(resources.files("troth.redact.detect").iterdir(), key=lambda entry: entry.name):
        if module.name.endswith(".py"):
            digest.update(module.read_bytes())
    return digest.digest()


def _scouts(rules: Sequence[Compiled]) -> Iterator[tuple[bool, Scout | Sign | Listed]]:
    """(whether a text without a digit can be left out, scout)."""
    for sign in _SIGNS:
        if of_sign := [c for c in rules if c.rule.gate == sign]:
            yield False, Sign(sign.encode(), of_sign)
    yield from ((False, Listed(c)) for c in rules if c.rule.listed)
    rest = [c for c in rules if c.rule.gate not in _SIGNS and not c.rule.listed]
    for family in FAMILIES:
        if members := [c for c in rest if c.family == family]:
            yield family in DIGITAL, Scout(members)


class RuleDetector:
    """Runs a table of rules. Safe to share between threads; holds no text."""

    name = NAME

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = [compile_rule(rule) for rule in rules]
        self.scouts = list(_scouts(self.rules))
        facts = [
            (r.kind, r.pattern, r.score, r.context, r.against, r.left, r.right, r.gate, r.back, sorted(r.listed))
            for r in rules
        ]
        self.version = f"rules-{hashlib.sha256(repr(facts).encode() + _code()).hexdigest()[:16]}"

    def detect(self, text: str) -> list[Span]:
        """Spans of personal data and secrets in `text`, sorted, none overlapping.

        A text of more than 4 million characters is read in windows, so that the memory it takes stays bounded; a find
        of more than 16,000 characters may then be cut.
        """
        return list(self._windows(text)) if len(text) > _LONG else self._whole(text)

    def _windows(self, text: str) -> Iterator[Span]:
        """Each window gives the finds that begin in it, seen with what stands around it."""
        for begin in range(0, len(text), _WINDOW):
            first = max(0, begin - _MARGIN)
            for span in self._whole(text[first : begin + _WINDOW + _MARGIN]):
                if begin <= span.start + first < begin + _WINDOW:
                    yield span._replace(start=span.start + first, end=span.end + first)

    def _whole(self, text: str) -> list[Span]:
        data = shadow(text)
        return self._seen(text, data, self._found([data])[0])

    def detect_many(self, texts: Iterable[str]) -> Iterator[list[Span]]:
        """What `detect` says of each text, in order, at a fraction of the cost when texts are short."""
        block: list[tuple[str, bytes]] = []
        size = 0
        for text in texts:
            if len(text) > _LONG:
                yield from self._block(block)
                yield self.detect(text)
                block, size = [], 0
                continue
            block.append((text, shadow(text)))
            size += len(text)
            if size >= _BLOCK:
                yield from self._block(block)
                block, size = [], 0
        yield from self._block(block)

    def _block(self, block: list[tuple[str, bytes]]) -> Iterator[list[Span]]:
        if not block:
            return
        for (text, data), found in zip(block, self._found([data for _, data in block]), strict=True):
            yield self._seen(text, data, found)

    def _seen(self, text: str, data: bytes, plain: list[Span]) -> list[Span]:
        """`plain`, what the heads of tables say of their cells, and what a reader sees, where that is another text."""
        if (cells := cells_of(text)) is not None:
            told = self._found([shadow(cells.text)])[0]
            inside = [s._replace(start=b[0], end=b[1]) for s in told if (b := cells.back(s.start, s.end))]
            plain = resolve([*plain, *inside])
        sight = see_through(text, data)
        if sight is None:
            return plain
        seen = self._found([shadow(sight.text)])[0]
        back = (Span(*sight.back(s.start, s.end), s.kind, s.score, s.detector) for s in seen)
        return resolve([*plain, *back], cover=True)

    def _found(self, shadows: Sequence[bytes]) -> list[list[Span]]:
        """The finds in each of the shadows, which are scanned as one."""
        data = _BEFORE + (_BEHIND + _BEFORE).join(shadows) + _BEHIND
        desk = Desk(data, [len(part) for part in shadows]) if len(shadows) > 1 else Work(data, 1, len(data) - 1)
        digits = _HAS_DIGIT(data) is not None
        for digital, scout in self.scouts:
            if (digits or not digital) and (first := scout.first(data)) >= 0:
                for place, rules in scout.places(data, first):
                    desk.work(place + 1).add(rules, place)
        return [desk.spans()] if isinstance(desk, Work) else desk.spans()
