"""Links to pictures: who changes one opens nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from promise_world import named, shown
from troth.gateway import assets
from troth.kernel.caller import Caller
from troth.kernel.errors import NotFound
from troth.kernel.operation import Binary
from troth.promises.check import Check, Result
from troth.promises.checks import links
from troth.promises.status import Run
from troth.promises.system import System

CHECK = named(links.CHECKS, "links-cannot-be-forged")
TAG = 16


class Tagless:
    """AES-GCM whose tag nobody looks at: its stream cipher alone."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def encrypt(self, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        return AESGCM(self._key).encrypt(nonce, plaintext, aad)

    def decrypt(self, nonce: bytes, sealed: bytes, _aad: bytes) -> bytes:
        stream = Cipher(algorithms.AES(self._key), modes.CTR(nonce.ljust(12, b"\0") + b"\0\0\0\2")).decryptor()
        return stream.update(sealed[:-TAG])


@pytest.mark.parametrize("check", links.CHECKS, ids=lambda check: check.id)
def test_kept_and_could_have_failed(check: Check, run_once: Callable[[Check], Run]) -> None:
    run = run_once(check)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested > 100


def test_a_seal_that_nobody_checks_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "AESGCM", Tagless)
    secret = system.base.secrets.named("asset-links")
    lax = assets.Assets(system.vault.objects, secret, "https://localhost", system.base.clock)
    real = lax.open

    def opening(token: str, caller: Caller) -> tuple[str, Binary]:
        try:
            return real(token, caller)
        except ValueError as error:  # what it read is no link
            raise NotFound("no link") from error

    monkeypatch.setattr(lax, "open", opening)
    facts = CHECK.observe(replace(system, gateway=replace(system.gateway, assets=lax)))
    assert facts.broken > 2


def test_links_that_outlive_their_object_are_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[str, bytes] = {}
    real = assets.Assets.open

    def caching(self: assets.Assets, token: str, caller: object):  # type: ignore[no-untyped-def]
        if token not in kept:
            kept[token] = real(self, token, caller)  # type: ignore[arg-type, assignment]
        return kept[token]

    monkeypatch.setattr(assets.Assets, "open", caching)
    assert shown(CHECK, system) is Result.FAIL
