"""Placeholders for one request to a vendor: values go out as `<PERSON_k3f9q2mz7a>` and come back as themselves.

A TokenMap lives as long as its request and no longer. Suffixes are drawn at random (50 bits), so that neither the user
nor the vendor can name a placeholder that was not issued; a text of the user that only looks like one is carried as a
value of its own and restored exactly. Restoring is one pass: a restored value is never read again.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Callable
from types import TracebackType
from typing import Self

from troth.redact.detect import KINDS, Detector
from troth.redact.policy import Action, Policy

_SUFFIX = 10  # base32 signs, 50 bits
_RANDOM_BYTES = 8
_LOOKS_LIKE = re.compile(r"<[A-Z][A-Z_]{0,30}_[a-z2-7]{10}>")
_TEXT = "TEXT"  # the label of user text that looks like a placeholder


class TokenMap:
    """The placeholders of one request. Not for sharing between requests; `close()` (or `with`) forgets every value."""

    def __init__(
        self, detector: Detector, policy: Policy, random: Callable[[int], bytes] = secrets.token_bytes
    ) -> None:
        self._detector = detector
        self._policy = policy
        self._random = random
        self._placeholder_of: dict[tuple[str, str], str] = {}
        self._value_of: dict[str, str] = {}

    def redact(self, text: str) -> str:
        """`text` with every find that the policy does not keep replaced; the same value has the same placeholder."""
        parts, position = [], 0
        for start, end, label in self._finds(text):
            parts.append(text[position:start])
            parts.append(self._issue(label, text[start:end]))
            position = end
        parts.append(text[position:])
        return "".join(parts)

    def restore(self, text: str) -> str:
        """`text` with every issued placeholder replaced by its value; anything else stays as it is."""
        if not self._value_of:
            return text
        return _LOOKS_LIKE.sub(lambda m: self._value_of.get(m.group(), m.group()), text)

    def counts(self) -> dict[str, int]:
        """How many different values of each label are out as placeholders."""
        result: dict[str, int] = {}
        for label, _ in self._placeholder_of:
            result[label] = result.get(label, 0) + 1
        return result

    def placeholders(self) -> frozenset[str]:
        """The placeholders issued so far."""
        return frozenset(self._value_of)

    def close(self) -> None:
        """Forget every value."""
        self._placeholder_of.clear()
        self._value_of.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _finds(self, text: str) -> list[tuple[int, int, str]]:
        """Finds and look-alikes, overlapping ones joined under the label of the find."""
        finds = [
            (s.start, s.end, KINDS[s.kind].label)
            for s in self._detector.detect(text)
            if self._policy.action(s.kind) is not Action.KEEP
        ]
        if "<" in text:
            finds += [(m.start(), m.end(), _TEXT) for m in _LOOKS_LIKE.finditer(text)]
        joined: list[tuple[int, int, str]] = []
        for start, end, label in sorted(finds):
            if joined and start < joined[-1][1]:
                first, last, other = joined[-1]
                joined[-1] = (first, max(last, end), label if other == _TEXT else other)
            else:
                joined.append((start, end, label))
        return joined

    def _issue(self, label: str, value: str) -> str:
        known = self._placeholder_of.get((label, value))
        if known is not None:
            return known
        while True:
            suffix = base64.b32encode(self._random(_RANDOM_BYTES)).decode().lower()[:_SUFFIX]
            placeholder = f"<{label}_{suffix}>"
            if placeholder not in self._value_of:
                break
        self._placeholder_of[(label, value)] = placeholder
        self._value_of[placeholder] = value
        return placeholder


class StreamRestorer:
    """Restores a stream of chunks: what it has given out so far is `restore` of what it was fed, but for an open tail.

    It holds back only while the end of the stream so far is a beginning of a placeholder that was issued.
    """

    def __init__(self, tokens: TokenMap) -> None:
        self._tokens = tokens
        self._held = ""

    def feed(self, chunk: str) -> str:
        """The text that can be given out now; may be empty."""
        text = self._held + chunk
        open_at = self._open(text)
        self._held = text[open_at:]
        return self._tokens.restore(text[:open_at])

    def finish(self) -> str:
        """The rest, when the stream has ended."""
        rest, self._held = self._held, ""
        return self._tokens.restore(rest)

    def _open(self, text: str) -> int:
        """Where an unfinished placeholder begins at the end of `text`; its length when there is none."""
        at = text.rfind("<")
        if at < 0:
            return len(text)
        tail = text[at:]
        live = any(len(tail) < len(p) and p.startswith(tail) for p in self._tokens.placeholders())
        return at if live else len(text)
