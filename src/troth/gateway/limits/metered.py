"""What is done here without a vendor, counted and limited as what vendors do: uploads, judgements, redactions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from troth.gateway.limits.counting import Estimate
from troth.gateway.limits.limiter import Limiter
from troth.gateway.limits.usage import Done, Usage
from troth.kernel.errors import TrothError
from troth.kernel.operation import Call


class Metered:
    """Takes a ticket for each piece of work and leaves its row of usage. It costs no money, so no budget stops it."""

    def __init__(self, limiter: Limiter, usage: Usage) -> None:
        self._limiter, self._usage = limiter, usage

    @contextmanager
    def doing(self, call: Call, operation: str, estimate: Estimate, done: str = "done") -> Iterator[None]:
        """Work that `estimate` says the size of. What was begun counts, whether it came to its end or not.

        Raises as `Limiter.begin`: then the work must not begin. `done` is the outcome in the row.
        """
        ticket = self._limiter.begin(call, estimate, [])
        ticket.came.sent()
        outcome = "failed"
        try:
            yield
            outcome = done
        except TrothError as refusal:
            outcome = refusal.code
            raise
        finally:
            ticket.end(None)
            call.finish_with(self._usage.change(call, ticket, Done(operation, "", "", outcome)))
