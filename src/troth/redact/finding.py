"""What a policy takes out of a text: the finds of a detector, of the policy's own detectors and of the word lists.

Everything that acts on finds (`text`, `rows`, `tokens`) asks here, so that no caller can forget the policy's own
detectors, its allow-list, or that rules alone do not find what it promises to take out.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from troth.kernel.errors import Invalid
from troth.redact import quasi
from troth.redact.custom import Custom
from troth.redact.decisions import Action, Allowed, Policy, compiled
from troth.redact.detect import Detector, RuleDetector, Span
from troth.redact.detect.kinds import KINDS, QUASI_KINDS
from troth.redact.reading import legible

_LONE = re.compile("[\ud800-\udfff]")


class Finder:
    """The finds of one detector that one policy acts on."""

    def __init__(self, detector: Detector, policy: Policy) -> None:
        """Raises Invalid (`policy-needs-model`); Unavailable (`detector-down`) for a detector that cannot be loaded."""
        if policy.needs_model() and detector.version.startswith(f"{RuleDetector.name}-"):
            raise Invalid(
                "This policy takes out organisations, which only a model finds; use the tier fast, or keep them with a "
                "reason.",
                code="policy-needs-model",
            )
        self._detector = detector
        self._parts = _parts(_ByDigest(policy))
        self.versions = (detector.version, *(one.version for one in self._parts.custom))

    def find(self, text: str) -> list[Span]:
        """Spans to act on, sorted, none overlapping. A find of the policy's own detectors comes before others, one of
        a word list after them; what a later one covers beside an earlier one stays covered.

        Raises Invalid (`unknown-kind`); Unavailable (`detector-down`) when a detector of the policy fails.
        """
        seen = legible(text)
        return self.sift(seen, self._detector.detect(seen))

    def sift(self, text: str, spans: list[Span]) -> list[Span]:
        """As `find`, when the detector has found `spans`."""
        parts = self._parts
        found = [span for span in spans if parts.acts(span.kind)]
        if parts.plain:
            return found
        text = legible(text)
        found = parts.left(text, found)
        for kind in parts.quasi:
            found = _over(text, found, parts.left(text, quasi.find(text, kind)))
        for one in reversed(parts.custom):
            found = _over(text, parts.left(text, one.find(text)), found)
        return found


class _ByDigest:
    """A policy as the key of a cache."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    def __hash__(self) -> int:
        return hash(self.policy.digest())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByDigest) and self.policy.digest() == other.policy.digest()


class _Parts:
    """A policy made ready: which kinds it acts on, its detectors, and what it lets stay."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._acted = {kind for kind in KINDS if policy.action(kind) is not Action.KEEP}
        self.quasi = sorted(self._acted & QUASI_KINDS)
        self.custom = [Custom(one) for one in policy.detectors if policy.action(one.find_kind) is not Action.KEEP]
        self._values: dict[str, list[Allowed]] = {}
        for one in policy.allow:
            if one.value:
                self._values.setdefault(one.value.strip().casefold(), []).append(one)
        self._patterns: list[tuple[Any, Allowed]] = [(compiled(a.pattern), a) for a in policy.allow if a.pattern]
        self.plain = not (self.quasi or self.custom or policy.allow)

    def acts(self, kind: str) -> bool:
        """Whether finds of `kind` are taken out. Raises Invalid (`unknown-kind`)."""
        return kind in self._acted or self._policy.action(kind) is not Action.KEEP

    def left(self, text: str, spans: list[Span]) -> list[Span]:
        """`spans` without those on the allow-list."""
        if not self._values and not self._patterns:
            return spans
        return [span for span in spans if not self._stays(text, span)]

    def _stays(self, text: str, span: Span) -> bool:
        value = text[span.start : span.end]
        for known in {value, span.entity} - {""}:
            if any(_of(one, span) for one in self._values.get(known.strip().casefold(), ())):
                return True
        plain = _LONE.sub("\ufffd", value)
        return any(_of(one, span) and regex.fullmatch(plain) for regex, one in self._patterns)


def _of(one: Allowed, span: Span) -> bool:
    return not one.kinds or span.kind in one.kinds


@lru_cache(maxsize=64)
def _parts(key: _ByDigest) -> _Parts:
    return _Parts(key.policy)


def forget_policies() -> None:
    """Drop every policy that was made ready: their lists may name people, and outlive no erasure."""
    _parts.cache_clear()


def _over(text: str, upper: list[Span], lower: list[Span]) -> list[Span]:
    """`upper`, and what `lower` covers beside it; both sorted, none of each overlapping."""
    if not upper or not lower:
        return upper or lower
    ends = [span.end for span in upper]
    beside = [Span(a, b, s.kind, s.score, s.detector, s.entity) for s in lower for a, b in _rest(s, upper, ends)]
    kept = [span for span in beside if any(map(str.isalnum, text[span.start : span.end]))]
    return sorted([*upper, *kept], key=lambda span: span.start)


def _rest(span: Span, upper: list[Span], ends: list[int]) -> Iterator[tuple[int, int]]:
    """The pieces of `span` that no span of `upper` covers. `ends`: of `upper`."""
    position = span.start
    for at in range(bisect_right(ends, span.start), len(upper)):
        if upper[at].start >= span.end:
            break
        if upper[at].start > position:
            yield position, upper[at].start
        position = upper[at].end
    if position < span.end:
        yield position, span.end
