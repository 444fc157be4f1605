"""What repeats: clocks that run out are put on record once, keys of strangers are destroyed when they served."""

from __future__ import annotations

from collections import Counter
from typing import Any

from troth.keys.tree import KeyTree
from troth.vault.rights import store
from troth.vault.rights.register import By, Register
from troth.vault.rights.requests import STEPS

ACTOR = "svc_rights"
KEPT_MS = 24 * 30 * 86_400_000 + 10 * 86_400_000  # 24 months after the end: 11 CCR 7101(a)
_EVENTS = {1: "request.due-soon", 2: "request.overdue"}


class Upkeep:
    """Runs over all tenants."""

    def __init__(self, register: Register, tree: KeyTree) -> None:
        self._register = register
        self._tree = tree

    def run(self) -> None:
        """One round."""
        self.escalate()
        self.tidy()

    def escalate(self, tenant: str | None = None) -> dict[str, int]:
        """Write each request that became due soon or overdue into its tenant's log, once a step; counts by event."""
        register, counts = self._register, Counter[str]()
        now = register.ground.clock.now()
        with register.ground.database.read() as connection:
            listed = store.all_open(connection) if tenant is None else store.of_tenant(connection, tenant)
        for seen in listed:
            step = STEPS.get(seen.urgency(now, register.calendar), 0)
            if step <= seen.escalated:
                continue
            with register.ground.database.write() as connection:
                request = store.of_row(store.found(connection, seen.tenant, seen.id, lock=True))
                if request.open and request.escalated < step:
                    store.change(connection, request.id, escalated=step)
                    register.note(
                        connection, _EVENTS[step], request, By(tenant=request.tenant, actor=ACTOR, call=request.id)
                    )
                    counts[_EVENTS[step]] += 1
        return dict(counts)

    def tidy(self) -> int:
        """Destroy keys of requests that belong to a person now and of closing letters that served; how many.

        Strangers are forgotten after 24 months. The texts of people with an account live as long as the account: they
        are sealed under its key.
        """
        register = self._register
        with register.ground.database.read() as connection:
            rows = store.with_own_key(connection, register.ground.now() - KEPT_MS)
        for row in rows:
            self._tree.destroy_subject(
                row["tenant"], row["id"]
            )  # idempotent, and before the mark that asks for it goes
            values: dict[str, Any] = {"own_key": False}
            if row["subject"] is None:
                values |= dict.fromkeys(("body", "answer", "mark", "sender"))
            with register.ground.database.write() as connection:
                store.change(connection, row["id"], **values)
        return len(rows) + register.closings.tidy(self._tree)
