"""Redaction of one text under a policy. Pure: the same text, detector, policy and key give the same result."""

from __future__ import annotations

import base64
import hashlib
import hmac
import unicodedata
from collections import Counter
from dataclasses import dataclass

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from troth.kernel.errors import Invalid
from troth.redact.detect import KINDS, Detector, Span
from troth.redact.policy import Action, Policy

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


def replacement(value: str, kind: str, action: Action, key: bytes | None) -> str:
    """What stands in the place of `value`. Raises Invalid (`key-missing`) for a pseudonym without a key."""
    label = KINDS[kind].label
    if action is Action.REMOVE:
        return ""
    if action is Action.MASK:
        return BLOCK * len(value)
    if action is Action.LABEL:
        return f"<{label}>"
    if key is None:
        raise Invalid("This policy gives pseudonyms; pass the key of the data set.", code="key-missing")
    return pseudonym(value, label, key)


def redact(text: str, detector: Detector, policy: Policy, key: bytes | None = None) -> Redacted:
    """Take out of `text` what `policy` does not keep. `key`: 32 bytes, needed when the policy gives pseudonyms.

    Raises Invalid (`key-missing`, `key-too-short`).
    """
    if key is not None and len(key) < KEY_BYTES:
        raise Invalid("The pseudonym key must be at least 32 bytes.", code="key-too-short")
    if key is None and policy.needs_key():
        raise Invalid("This policy gives pseudonyms; pass the key of the data set.", code="key-missing")
    acted = tuple(s for s in detector.detect(text) if policy.action(s.kind) is not Action.KEEP)
    if not acted:
        return Redacted(text, (), {})
    parts, position = [], 0
    for span in acted:
        parts.append(text[position : span.start])
        parts.append(replacement(text[span.start : span.end], span.kind, policy.action(span.kind), key))
        position = span.end
    parts.append(text[position:])
    return Redacted("".join(parts), acted, dict(Counter(s.kind for s in acted)))
