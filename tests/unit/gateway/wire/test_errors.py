from __future__ import annotations

import pytest

from troth.gateway.wire.errors import openai_error
from troth.kernel.errors import Denied, Invalid, NotFound, TooMany, TrothError, Unauthenticated, Unavailable


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (NotFound("x", code="model-not-found", field="model"), "invalid_request_error", "model_not_found"),
        (Denied("x", code="moderation-blocked"), "permission_error", "moderation_blocked"),
        (Unauthenticated("x"), "authentication_error", "unauthenticated"),
        (TooMany("x"), "rate_limit_error", "too_many_requests"),
        (Unavailable("x"), "server_error", "unavailable"),
        (Invalid("x"), "invalid_request_error", "invalid"),
    ],
)
def test_shape(error: TrothError, kind: str, code: str) -> None:
    assert openai_error(error) == {"error": {"message": "x", "type": kind, "code": code, "param": error.field}}
