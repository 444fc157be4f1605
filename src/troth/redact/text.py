"""Redaction of one text under a policy. Pure: the same text, detector, policy and key give the same result."""

from __future__ import annotations

import base64
import hashlib
import hmac
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from troth.kernel.errors import Invalid
from troth.redact.decisions import Action, Policy
from troth.redact.detect import Detector, Span
from troth.redact.finding import Finder
from troth.redact.surrogates import Surrogates

BLOCK = "\u2588"  # what masking puts for each character
KEY_BYTES = 32
_SUFFIX = 8  # base32 signs of a pseudonym: 40 bits; two of a million people share one with p = 0.37, no one can go back


@dataclass(frozen=True, slots=True)
class Redacted:
    """The redacted text; the spans that were acted on (offsets in the source); how many of each kind. No values."""

    text: str
    spans: tuple[Span, ...]
    counts: dict[str, int]


def dataset_key(root: bytes, dataset: str) -> bytes:
    """The pseudonym key of one data set (HKDF-SHA256, RFC 5869): pseudonyms of two data sets cannot be linked.

    `root` is 32 secret bytes; `dataset` any name. Raises Invalid for a shorter root.
    """
    if len(root) < KEY_BYTES:
        raise Invalid("The pseudonym key must be at least 32 bytes.", code="key-too-short")
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"troth/redact/pseudonym/v1\0" + dataset.encode()).derive(root)


def pseudonym(value: str, label: str, key: bytes) -> str:
    """`<LABEL_xxxxxxxx>`: HMAC-SHA256 of the value, compared without case, width and spacing."""
    plain = " ".join(unicodedata.normalize("NFKC", value).casefold().split())
    digest = hmac.new(key, label.encode() + b"\0" + plain.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
    return f"<{label}_{base64.b32encode(digest).decode().lower()[:_SUFFIX]}>"


class Replacer:
    """Puts what a policy decides in the place of values. Safe to share between threads."""

    def __init__(self, policy: Policy, key: bytes | None) -> None:
        """`key`: 32 bytes of the data set, for pseudonyms and surrogates.

        Raises Invalid: `key-too-short`, `key-missing` when the policy needs one.
        """
        if key is not None and len(key) < KEY_BYTES:
            raise Invalid("The pseudonym key must be at least 32 bytes.", code="key-too-short")
        if key is None and policy.needs_key():
            raise Invalid("This policy gives pseudonyms; pass the key of the data set.", code="key-missing")
        self._policy, self._key = policy, key or b""
        self._surrogates = Surrogates(self._key)

    def document(self, content: str) -> bytes:
        """What tells a document from others, when its dates move by a distance of their own; empty otherwise."""
        if self._policy.shift_dates != "document":
            return b""
        return hashlib.sha256(content.encode("utf-8", "surrogatepass")).digest()

    def replace(self, text: str, spans: Iterable[Span], document: bytes = b"") -> str:
        """`text` with each of `spans` (sorted, none overlapping, none of a kind that is kept) replaced."""
        parts, position = [], 0
        for span in spans:
            parts.append(text[position : span.start])
            parts.append(self._value(text[span.start : span.end], span, document))
            position = span.end
        parts.append(text[position:])
        return "".join(parts)

    def _value(self, value: str, span: Span, document: bytes) -> str:
        action, label = self._policy.action(span.kind), self._policy.label(span.kind)
        if action is Action.REMOVE:
            return ""
        if action is Action.MASK:
            return BLOCK * len(value)
        if action is Action.PSEUDONYM:
            return pseudonym(span.entity or value, label, self._key)
        if action is Action.SURROGATE:
            made = self._surrogates.of(value, span.kind, entity=span.entity, document=document)
            return f"<{label}>" if made is None else made
        return f"<{label}>"  # also for a kept kind: a span that came here is not kept


def redact(text: str, detector: Detector, policy: Policy, key: bytes | None = None) -> Redacted:
    """Take out of `text` what `policy` does not keep. `key`: 32 bytes, needed for pseudonyms and surrogates.

    Raises Invalid (`key-missing`, `key-too-short`, `policy-needs-model`); Unavailable (`detector-down`) when a detector
    of the policy cannot be loaded or fails.
    """
    replacer = Replacer(policy, key)
    acted = tuple(Finder(detector, policy).find(text))
    if not acted:
        return Redacted(text, (), {})
    redacted = replacer.replace(text, acted, replacer.document(text))
    return Redacted(redacted, acted, dict(Counter(s.kind for s in acted)))
