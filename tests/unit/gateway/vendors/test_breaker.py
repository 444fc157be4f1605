from __future__ import annotations

import pytest

from troth.gateway.vendors.breaker import FAILURES, REST_SECONDS, Breaker
from troth.kernel.errors import Unavailable


def test_opens_after_failures_in_a_row_and_tries_once_later() -> None:
    moment = 0.0
    breaker = Breaker(lambda: moment)
    for _ in range(FAILURES - 1):
        breaker.failed()
    breaker.check()
    breaker.failed()
    with pytest.raises(Unavailable) as refusal:
        breaker.check()
    assert refusal.value.code == "vendor-resting"
    moment += REST_SECONDS
    breaker.check()  # the one trial
    with pytest.raises(Unavailable):
        breaker.check()
    breaker.succeeded()
    breaker.check()
