"""Builds who watches the administrators."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

from troth.audit.decisions import DecisionOperations
from troth.audit.review.operations import ReviewOperations
from troth.audit.review.queue import Plan, Reviews
from troth.audit.review.table import Tables
from troth.audit.review.watch import Watch
from troth.audit.review.weights import weights_of
from troth.kernel.operation import Operation
from troth.promises.system import PROBE_TENANT, Base, Identity, Reviewing


def build_reviews(base: Base, identity: Identity, operations: Callable[[], Iterable[Operation]]) -> Reviewing:
    """Reviews of every log. `operations` is asked for when a review needs it: they are declared after this."""
    weights = lru_cache(maxsize=1)(lambda: weights_of(operations()))
    reviews = Reviews(base.database, base.outbox, base.clock, weights, Plan(**base.settings.reviews.model_dump()))

    def spared() -> frozenset[str]:
        """Logs of the synthetic tenants of self-checks, in which nobody administers."""
        return frozenset(one.id for one in identity.tenants.list() if one.name.startswith(PROBE_TENANT))

    watch = Watch(reviews, base.journal, spared)
    doors = (ReviewOperations(reviews=reviews, tables=Tables(reviews, watch)), DecisionOperations(base.database))
    return Reviewing(reviews, watch, doors)
