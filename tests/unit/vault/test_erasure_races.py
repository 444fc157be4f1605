"""Erasures of a tenant and of its people at once, with uploads in between: nothing survives, all is certified."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from troth.kernel.errors import TrothError
from troth.vault import ledger, store
from troth.vault.certificate import verify_certificate
from vault_world import ANN, BOB, OFFICER, SECOND, TENANT, VaultWorld


def together(works: list[Callable[[], object]]) -> None:
    """All at the same moment; what is refused is left to the next round."""
    begun = threading.Barrier(len(works))

    def quietly(work: Callable[[], object]) -> None:
        begun.wait(20)
        with suppress(TrothError):
            work()

    threads = [threading.Thread(target=quietly, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_uploads_a_persons_erasure_and_the_tenants_at_once(world: VaultWorld) -> None:
    for subject in (ANN, BOB):
        world.keep(subject=subject)
    waiting = world.erasures.request_tenant(TENANT, actor=OFFICER, request="req_1", immediate=True)

    def upload() -> None:
        for _ in range(4):
            world.keep(b"racing", subject=BOB)

    approve = partial(world.erasures.approve, TENANT, waiting.id, actor=SECOND, whole_tenant=True)
    together([upload, upload, world.erase, world.erasures.resume, approve])
    world.erasures.resume()
    world.retention.sweep()
    found = world.erasures.all(TENANT)
    assert {one.state for one in found} == {ledger.DONE}
    assert ledger.TENANT in {one.scope for one in found}
    for one in found:
        envelope = world.erasures.certificate(TENANT, one.certificate or "")
        verify_certificate(envelope, world.keys(), log_keys=[world.log_key()])
    with world.database.read() as connection:
        assert connection.execute(store.objects.select().where(store.objects.c.state != store.ERASED)).all() == []
    assert list(world.blobs.names()) == []
