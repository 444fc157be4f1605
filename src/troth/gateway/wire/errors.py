"""Refusals in OpenAI's error shape, so that the official clients raise the exception their users already handle."""

from __future__ import annotations

from typing import Any

from troth.kernel.errors import TrothError

_BY_CODE = dict.fromkeys(("insufficient-quota", "budget-spent"), "insufficient_quota")
_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


def openai_error(error: TrothError) -> dict[str, Any]:
    """`{"error": {"message", "type", "code", "param"}}`.

    The code is Troth's stable code in OpenAI's spelling: `model-not-found` becomes `model_not_found`.
    """
    fallback = "server_error" if error.status >= 500 else "invalid_request_error"
    return {
        "error": {
            "message": error.advice,
            "type": _BY_CODE.get(error.code) or _TYPES.get(error.status, fallback),
            "code": error.code.replace("-", "_"),
            "param": error.field,
        }
    }
