"""Backups: a copy taken before an erasure does not bring anybody back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from promise_world import named, shown
from troth.kernel.errors import Gone, Unavailable
from troth.keys.roots.local import LocalRoot
from troth.promises.check import Check, Result
from troth.promises.checks import restore
from troth.promises.status import Run
from troth.promises.system import System


@pytest.mark.parametrize("check", restore.CHECKS, ids=lambda check: check.id)
def test_kept_and_could_have_failed(check: Check, run_once: Callable[[Check], Run]) -> None:
    run = run_once(check)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested > 0


def test_an_erasure_that_keeps_the_old_root_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old root file survives as a copy would: then the backup opens again, and the look must say so."""
    roots = LocalRoot(system.base.settings.data.keys / "roots")
    kept = {name: roots._path(name).read_bytes() for name in roots.present()}

    def opened(self: LocalRoot, root: str, sealed: bytes, aad: bytes) -> bytes:
        try:
            return real(self, root, sealed, aad)
        except Gone:
            return AESGCM(kept[root]).decrypt(sealed[:12], sealed[12:], aad)

    def remember(self: LocalRoot, root: str) -> str:
        kept[root] = self._path(root).read_bytes()
        return destroy(self, root)

    real, destroy = LocalRoot.open, LocalRoot.destroy
    monkeypatch.setattr(LocalRoot, "destroy", remember)
    monkeypatch.setattr(restore._ReadOnlyRoot, "open", lambda self, *rest: opened(self.root, *rest))
    assert shown(named(restore.CHECKS, "erased-in-copies"), system) is Result.FAIL


def test_a_copy_that_never_opened_proves_nothing(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restore._ReadOnlyRoot, "open", restore._ReadOnlyRoot._never)
    with pytest.raises(Unavailable):
        shown(named(restore.CHECKS, "erased-in-copies"), system)
