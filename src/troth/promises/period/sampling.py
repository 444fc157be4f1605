"""Samples that neither side can choose: drawn from the root that closes the period and the auditor's nonce. Pure.

The root stands in the log before the auditor names the nonce, so the house cannot choose; the auditor named the nonce
before the draw, and cannot try others unseen. Draw k is HMAC-SHA256(root, "troth-sample-v1", nonce, check, k), each
ended by a line feed; its first eight bytes are a number v. Where v >= n * floor(2**64 / n) it is left out (every item
is as likely as every other); else the item is v mod n, left out when it was drawn before.
"""

from __future__ import annotations

import hashlib
import hmac
import re

from troth.kernel.errors import Invalid

MOST = 10_000
_NONCE = re.compile(r"[A-Za-z0-9._-]{8,128}", re.ASCII)
_ALL = 1 << 64


def draw(root: bytes, nonce: str, check: str, size: int, population: int) -> tuple[int, ...]:
    """`size` different places out of range(population), in the order in which they were drawn; all when it is no less.

    `root`: the 32 bytes that close the period. Raises `Invalid` (bad-sample) for a nonce that is not 8 to 128 letters,
    digits, dots, hyphens or underscores, and for a size that is not 1 to 10,000.
    """
    if not _NONCE.fullmatch(nonce):
        raise Invalid("A nonce has 8 to 128 letters, digits, dots, hyphens or underscores.", code="bad-sample")
    if not 1 <= size <= MOST:
        raise Invalid("A sample has 1 to 10,000 items.", code="bad-sample")
    wanted, limit, found, turn = min(size, population), _ALL - _ALL % max(population, 1), dict[int, None](), 0
    while len(found) < wanted:
        message = f"troth-sample-v1\n{nonce}\n{check}\n{turn}\n".encode()
        value = int.from_bytes(hmac.digest(root, message, hashlib.sha256)[:8])
        if value < limit:
            found[value % population] = None
        turn += 1
    return tuple(found)
