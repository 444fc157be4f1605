"""The steps of an erasure in which shared objects are settled and every holder forgets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from troth.kernel.personal import Holder, TenantHolder
from troth.vault import ledger
from troth.vault.certificate import listed
from troth.vault.ground import Ground
from troth.vault.ledger import PERSON, Erasure
from troth.vault.sharing import Sharing

Work = Callable[[Erasure], dict[str, Any] | None]


class Forgetting:
    """What is to be forgotten by whom, as steps."""

    def __init__(self, ground: Ground, holders: Sequence[Holder]) -> None:
        self._ground = ground
        self._holders = holders
        self._sharing = Sharing(ground)

    def plan(self, erasure: Erasure) -> list[tuple[str, Work]]:
        """The steps of this scope, in order."""
        if erasure.scope in (ledger.PERIOD, ledger.RETENTION, ledger.REMAINDER):
            return []
        if erasure.scope == ledger.OBJECT:
            return [("release", self._release)]
        if erasure.scope == ledger.SUBJECT:
            return [("release", self._release), *((f"forget:{one.name}", self._person(one)) for one in self._holders)]
        # Who cannot say whom they know is asked first, while the others still can.
        ordered = sorted(self._holders, key=lambda one: isinstance(one, TenantHolder))
        return [(f"forget:{one.name}", self._tenant(one)) for one in ordered]

    def _release(self, erasure: Erasure) -> dict[str, Any]:
        first = self._begun(erasure, "releasing")
        stay = self._sharing.end(erasure.tenant, erasure.subject or "", erasure.id, erasure.object)
        return {"released": listed(stay).model_dump(mode="json"), "repeated": not first}

    def _person(self, holder: Holder) -> Work:
        def work(erasure: Erasure) -> dict[str, Any]:
            first = self._begun(erasure, f"forgetting:{holder.name}")
            dropped = holder.forget(erasure.tenant, erasure.subject or "").identifiers
            names = [PERSON if one == erasure.subject else one for one in dropped]
            return {"dropped": listed(names).model_dump(mode="json"), "repeated": not first}

        return work

    def _tenant(self, holder: Holder) -> Work:
        def work(erasure: Erasure) -> dict[str, Any]:
            first = self._begun(erasure, f"forgetting:{holder.name}")
            dropped: list[str] = []
            for person in sorted(set(self._people(holder, erasure.tenant))):
                gone = holder.forget(erasure.tenant, person).identifiers
                dropped += [PERSON if one == person else one for one in gone]
            if isinstance(holder, TenantHolder):
                dropped += holder.close(erasure.tenant).identifiers
            return {"dropped": listed(dropped).model_dump(mode="json"), "repeated": not first}

        return work

    def _people(self, holder: Holder, tenant: str) -> Iterator[str]:
        knowing = [holder] if isinstance(holder, TenantHolder) else self._holders
        for one in knowing:
            if isinstance(one, TenantHolder):
                yield from one.people(tenant)

    def _begun(self, erasure: Erasure, step: str) -> bool:
        """False when a crash interrupted this step before: then what the first attempt dropped is not listed."""
        with self._ground.database.write() as connection:
            return ledger.done(connection, erasure.id, step, self._ground.now(), {})
