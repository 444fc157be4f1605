"""What a vendor is given at most: time and bytes."""

from __future__ import annotations

from dataclasses import dataclass

MAX_ANSWER = 64 << 20  # bytes; four large pictures in base64


@dataclass(frozen=True, slots=True)
class Limits:
    """How long one answer may take in seconds, how long it may stand still, and how many bytes it may have."""

    seconds: float = 120.0
    idle_seconds: float = 30.0  # between two pieces of an answer that has begun; models think before they begin
    answer_bytes: int = MAX_ANSWER
    idempotent: bool = False  # the vendor runs a request of one Idempotency-Key once, so a failed one may be sent again
