"""Giving a key domain up: its roots are destroyed and confirmed first, or it is stated to be lost for ever.

What is stated is kept with its roots: until each of them was destroyed, every certificate says that they were not.
"""

from __future__ import annotations

from troth.kernel.errors import Conflict, NotFound, Unavailable
from troth.keys.absence import pending
from troth.keys.lifecycle import Reason
from troth.keys.sealing import Plan, Sealing
from troth.keys.state import TreeState
from troth.keys.units import Destruction

_SHARES = 2


class Retiring:
    """Retires domains of one tree."""

    def __init__(self, state: TreeState, sealing: Sealing) -> None:
        self._state = state
        self._sealing = sealing

    def retire(self, name: str, *, lost: bool) -> Destruction:
        """Record that the domain is given up, and put an epoch in force without it. Repeat it when it was stopped.

        Raises `NotFound`, `Conflict` (`key-domain-answers`, `key-domain-not-set`, `key-domain-needed`), `Unavailable`.
        """
        state, epochs = self._state, self._state.epochs
        with state.lock:
            self._require_roots(name)
            self._require_said_rightly(name, lost=lost)
            self._require_others(name)
            reason = Reason.LOST if lost else Reason.RETIRED
            with state.store.write(epochs.current().manifest.epoch) as connection:
                epochs.rows.retire(connection, name, reason)
                facts = {"kinds": name, "reason": reason}
                state.transitions.event(connection, "domain-given-up", epochs.now(), {**facts})
            epochs.excuse()
            # Old page keys lead from a lost root to what is added later: then every page gets a fresh one.
            return self._sealing.rotate(Plan(every_page=lost))

    def _require_roots(self, name: str) -> None:
        with self._state.store.read() as connection:
            rows = self._state.epochs.rows.unfinished(connection)
        if not any(row.domain == name for row in rows):
            raise NotFound(
                "No key domain of that name has roots that are not destroyed; list the domains.",
                code="key-domain-unknown",
            )

    def _require_said_rightly(self, name: str, *, lost: bool) -> None:
        root = next((one.root for one in self._state.epochs.domains if one.name == name), None)
        if root is None:
            if lost:
                return
            raise Conflict(
                "That key domain is not in the settings, so its roots cannot be destroyed. Put it back and retire it "
                "then, or state that it is lost.",
                code="key-domain-not-set",
            )
        try:
            root.present()
        except Unavailable:
            if lost:
                return
            raise
        if lost:
            raise Conflict(
                "That key domain answers, so it is not lost; retire it without that, and its roots are destroyed.",
                code="key-domain-answers",
            )

    def _require_others(self, name: str) -> None:
        """The others must be able to hold the tree, and be there to take their new roots."""
        epochs = self._state.epochs
        others = {one.name for one in epochs.serving()} - {name}
        if len(others) < (_SHARES if epochs.split else 1):
            raise Conflict(
                "The key tree cannot do without that key domain; set another one up and replicate first.",
                code="key-domain-needed",
            )
        for one in epochs.domains:
            if one.name in others:
                try:
                    one.root.present()
                except Unavailable as error:
                    raise pending() from error
