"""The local root."""

from __future__ import annotations

from pathlib import Path

import pytest

from troth.kernel.errors import Conflict, Gone, IntegrityError, Invalid, Unavailable
from troth.keys.roots.local import LocalRoot
from troth.keys.roots.port import Root

NAME, OTHER = "eu-00000001-0011223344556677", "eu-00000002-0011223344556677"


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return LocalRoot(tmp_path / "roots", "here")


def test_it_says_what_it_is(root: Root) -> None:
    assert (root.domain, root.assurance) == ("here", "A0")


def test_what_is_sealed_opens_only_with_its_root_and_purpose(root: Root) -> None:
    root.create(NAME)
    root.create(OTHER)
    sealed = root.seal(NAME, b"key", b"purpose")
    assert root.open(NAME, sealed, b"purpose") == b"key"
    assert b"key" not in sealed
    attempts = [
        (OTHER, sealed, b"purpose"),
        (NAME, sealed, b"other"),
        (NAME, sealed[:-1], b"purpose"),
        (NAME, b"", b"purpose"),
    ]
    for name, value, aad in attempts:
        with pytest.raises(IntegrityError):
            root.open(name, value, aad)


def test_a_destroyed_root_is_gone(root: Root) -> None:
    root.create(NAME)
    sealed = root.seal(NAME, b"key", b"")
    assert root.present() == [NAME]
    assert "unlinked" in root.destroy(NAME)
    assert root.destroy(NAME) == root.destroy(OTHER)
    assert root.present() == []
    with pytest.raises(Gone):
        root.open(NAME, sealed, b"")
    with pytest.raises(Gone):
        root.seal(NAME, b"key", b"")


def test_a_name_is_used_once_and_has_its_form(root: Root) -> None:
    root.create(NAME)
    with pytest.raises(Conflict):
        root.create(NAME)
    for name in ("../eu-00000001-0011223344556677", "eu-1-00", "", NAME + "\n"):
        with pytest.raises(Invalid):
            root.create(name)


def test_a_folder_that_vanished_is_said(root: Root, tmp_path: Path) -> None:
    (tmp_path / "roots").rmdir()
    with pytest.raises(Unavailable):
        root.present()
