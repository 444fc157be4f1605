"""Signatures of webhooks as Standard Webhooks (version 1.0) has them: HMAC-SHA256 over id, time and body."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import Final

_PREFIX: Final = "whsec_"
_BYTES: Final = 32


def fresh_secret() -> str:
    """A secret of 32 random bytes, as receivers take it: `whsec_` and base64."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def signed(several: Sequence[str], message_id: str, at: int, body: bytes) -> dict[str, str]:
    """The three headers of a message. `at` in epoch ms; of several secrets each signs, so that one may be replaced."""
    seconds = str(at // 1000)
    content = b".".join((message_id.encode(), seconds.encode(), body))
    marks = [f"v1,{base64.b64encode(_mac(one, content)).decode()}" for one in several]
    return {"webhook-id": message_id, "webhook-timestamp": seconds, "webhook-signature": " ".join(marks)}


def _mac(secret: str, content: bytes) -> bytes:
    return hmac.new(base64.b64decode(secret.removeprefix(_PREFIX)), content, hashlib.sha256).digest()
