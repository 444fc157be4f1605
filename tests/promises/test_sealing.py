"""Content at rest: sealed, classed, and never changed unseen."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from promise_world import Broken, named, shown
from troth.identity.keys import ApiKeys
from troth.identity.passwords import Passwords
from troth.identity.users import Users
from troth.kernel.errors import IntegrityError
from troth.promises.check import Check, Result
from troth.promises.checks import sealing
from troth.promises.status import Run
from troth.promises.system import System
from troth.storage.placement import MARKER
from troth.vault import keeping
from troth.vault.objects import KeepRequest, ObjectInfo


@pytest.mark.parametrize("check", sealing.CHECKS, ids=lambda check: check.id)
def test_kept_and_could_have_failed(check: Check, run_once: Callable[[Check], Run]) -> None:
    run = run_once(check)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested > 0


def test_a_spool_in_clear_is_seen(system: System) -> None:
    spool, real = system.base.settings.data.folder / "log" / "spool", system.vault.objects

    def keep(request: KeepRequest) -> ObjectInfo:
        spool.write_bytes(request.content)
        return real.keep(request)

    spooling: Any = Broken(real, keep=keep)
    try:
        broken = replace(system, vault=replace(system.vault, objects=spooling))
        assert shown(named(sealing.CHECKS, "sealed-at-rest"), broken) is Result.FAIL
    finally:
        spool.unlink()


@pytest.mark.parametrize("written", [bytes, base64.b64encode, lambda content: content.hex().encode()])
@pytest.mark.parametrize("place", ["temporary", "objects"])
def test_a_copy_in_any_form_and_place_is_seen(
    place: str, written: Callable[[bytes], bytes], system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = tmp_path if place == "temporary" else system.base.settings.data.folder / "objects"
    copy, real = folder / "copy", system.vault.objects

    def keep(request: KeepRequest) -> ObjectInfo:
        copy.write_bytes(b"TOB1 " + written(request.content))
        return real.keep(request)

    copying: Any = Broken(real, keep=keep)
    try:
        broken = replace(system, vault=replace(system.vault, objects=copying))
        assert shown(named(sealing.CHECKS, "sealed-at-rest"), broken) is Result.FAIL
    finally:
        copy.unlink()


def test_a_stored_object_that_is_not_sealed_is_seen(system: System) -> None:
    stray = system.base.settings.data.folder / "objects" / "stray"
    stray.write_bytes(b"compressed, say")
    try:
        assert shown(named(sealing.CHECKS, "sealed-at-rest"), system) is Result.FAIL
    finally:
        stray.unlink()


def test_the_stores_own_marker_is_no_object_and_nothing_passes_as_one(system: System) -> None:
    check, marker = named(sealing.CHECKS, "sealed-at-rest"), system.base.settings.data.folder / "objects" / MARKER
    body = marker.read_bytes()
    marker.touch()  # as a start a second ago leaves it
    assert shown(check, system) is Result.PASS
    try:
        marker.write_bytes(b"compressed, say")
        assert shown(check, system) is Result.FAIL
    finally:
        marker.write_bytes(body)


@pytest.mark.parametrize("label", ["email", "display-name", "password", "api-key-name"])
def test_an_account_in_clear_is_seen(label: str, system: System) -> None:
    base, identity = system.base, system.identity

    def seal(tenant: str, subject: str, of: str, plaintext: bytes) -> bytes:
        return plaintext if of == label else base.fields.seal(tenant, subject, of, plaintext)

    lax: Any = Broken(base.fields, seal=seal)
    users = Users(base.database, lax, Passwords(), base.clock)
    open_identity = replace(identity, users=users, keys=ApiKeys(base.database, lax, base.clock))
    assert shown(named(sealing.CHECKS, "sealed-at-rest"), replace(system, identity=open_identity)) is Result.FAIL


def test_a_derived_object_of_a_laxer_class_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "strictest", lambda classes: next(iter(classes)))
    assert shown(named(sealing.CHECKS, "classified"), system) is Result.FAIL


def test_a_tree_that_does_not_verify_is_seen(system: System) -> None:
    def verify() -> int:
        raise IntegrityError("A page was changed.")

    tree: Any = Broken(system.base.tree, verify=verify)
    broken = replace(system, base=replace(system.base, tree=tree))
    assert shown(named(sealing.CHECKS, "one-flipped-bit"), broken) is Result.FAIL
