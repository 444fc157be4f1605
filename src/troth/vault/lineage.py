"""Derivations that are known only afterwards: an object kept first that must not outlive one that came of it."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from troth.vault import store


def bind(connection: Connection, tenant: str, subject: str, earlier: str, later: Iterable[str]) -> None:
    """Let `earlier` go when any of `later` goes, as if it had been derived from them; all are one person's objects.

    Call it in the transaction that keeps the last of `later`. When `earlier` has gone already there is nothing to bind.
    """
    if store.lock_parents(connection, tenant, subject, [earlier]):
        store.add_edges(connection, earlier, sorted(set(later)))
