"""A log in which administrators act and somebody reviews."""

from __future__ import annotations

from dataclasses import dataclass, field
from io import StringIO
from typing import Any

from log_world import World
from troth.audit.leaf import read_leaf
from troth.audit.review.queue import Plan, Reviewer, Reviews, Verdict
from troth.audit.review.table import Tables
from troth.audit.review.watch import Watch
from troth.audit.review.weights import Weight
from troth.kernel.clock import epoch_ms
from troth.kernel.journal import Journal
from troth.storage.outbox import Outbox

LOG = "ten_a"
ADA, BEN = "usr_ada", "usr_ben"  # who act
EVE = "usr_eve"  # who reviews
WEIGHTS = {
    "user.list": int(Weight.READING),
    "user.create": int(Weight.CHANGE),
    "hold.lift": int(Weight.HEAVIEST),
    "backup.restored": int(Weight.HEAVIEST),
}


@dataclass
class Office:
    """A log, its reviews and who looks whether they are done."""

    world: World
    journal: StringIO = field(default_factory=StringIO)

    def __post_init__(self) -> None:
        self.outbox = Outbox(self.world.database)
        self.reviews = Reviews(
            self.world.database, self.outbox, self.world.clock, lambda: WEIGHTS, Plan(sample=2, follow_up_days=3)
        )
        self.spared: frozenset[str] = frozenset()
        self.watch = Watch(self.reviews, Journal(self.journal, strict=True), lambda: self.spared)
        self.tables = Tables(self.reviews, self.watch)
        self._acts = 0

    def act(self, operation: str, actor: str = ADA, log: str = LOG, **members: object) -> None:
        """One entry, placed and signed."""
        self._acts += 1
        now = epoch_ms(self.world.clock.now())
        values: dict[str, Any] = {"operation": operation, "phase": "opened", "actor": actor, "time": now}
        self.world.grow(1, log, self._acts, **(values | members))

    def sequence(self) -> None:
        """What reviews wrote finds its place in the log."""
        self.world.sequencer.flush()

    def told(self, operation: str, log: str = LOG) -> list[dict[str, Any]]:
        """The leaves of that operation, in order."""
        self.sequence()
        leaves = (read_leaf(one.leaf) for one in self.world.reader.entries(log, 0, 1000))
        return [leaf for leaf in leaves if leaf.get("op") == operation]

    def reviewed(self, log: str = LOG) -> str:
        """A whole review by Eve; its id."""
        by = Reviewer(log, EVE, "req_whole")
        review = self.reviews.open(by)
        for one in self.reviews.show(log, review.id)[1]:
            self.reviews.judge(by, review.id, one.position, Verdict("fine"))
        self.reviews.close(by, review.id)
        self.sequence()
        return review.id
