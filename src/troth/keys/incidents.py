"""The compromise procedure (docs/how-to/compromised-key.md): what was exposed protects nothing more, is replaced, and
its end is recorded as destroyed-compromised (SP 800-57 Part 1, sections 7.2.5 and 8.3.5)."""

from __future__ import annotations

from collections.abc import Sequence

from troth.kernel.errors import Unavailable
from troth.kernel.reencryption import Reencrypter
from troth.keys.tree import KeyTree
from troth.keys.units import Destruction, Scope


class Incidents:
    """Answers a compromise. `reencrypters` hold what is sealed under units."""

    def __init__(self, tree: KeyTree, reencrypters: Sequence[Reencrypter] = ()) -> None:
        self._tree = tree
        self._reencrypters = reencrypters

    def roots(self, reason: str) -> Destruction:
        """Roots or the root page's key were exposed: fresh roots, and a fresh key for every page of the tree.

        What the thief could open before stays open to them: units whose secrets they may have read need `units` too.
        """
        return self._tree.replace_compromised_roots(reason)

    def units(self, scope: Scope, reason: str) -> int:
        """Keys of units were exposed: how many were replaced and destroyed. Repeat it when it was stopped half-way.

        Raises `Unavailable` (code `no-reencryption`) when nobody can move their content: nothing was done then.
        """
        rows = self._tree.units_in(scope)
        movable = [row for row in rows if any(one.covers(row.data_class, row.period) for one in self._reencrypters)]
        if not movable or len(movable) < len(rows):
            raise Unavailable(
                "Content under these keys cannot be moved to fresh ones yet; rotate them, and erase what was exposed.",
                code="no-reencryption",
            )
        self._tree.mark_compromised([row.id for row in movable], reason)
        for row in movable:
            for one in self._reencrypters:
                one.reencrypt(row.tenant, row.subject, row.id)
        return self._tree.destroy_units([row.id for row in movable]).units
