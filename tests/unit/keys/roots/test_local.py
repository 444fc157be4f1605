"""The local root."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from troth.kernel.errors import Conflict, Gone, IntegrityError, Invalid, Unavailable
from troth.keys.roots.binding import Binding
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
    assert root.destroy(NAME) == root.destroy(OTHER) == "absent-already,folder-marked"
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
    root.create(NAME)
    (tmp_path / "roots").rename(tmp_path / "away")
    with pytest.raises(Unavailable):
        root.present()


@pytest.mark.parametrize("restarted", [False, True])
def test_an_empty_folder_in_its_place_confirms_nothing(tmp_path: Path, restarted: bool) -> None:
    folder, away = tmp_path / "roots", tmp_path / "away"
    root = LocalRoot(folder, "here")
    root.create(NAME)
    folder.rename(away)
    folder.mkdir(mode=0o700)
    if restarted:
        root = LocalRoot(folder, "here")
    for act in (root.create, root.destroy, root.gives_out, lambda name: root.open(name, b"", b"")):
        with pytest.raises(Unavailable) as refusal:
            act(NAME)
        assert refusal.value.code == "key-folder-away"
    with pytest.raises(Unavailable):
        root.present()
    assert list(folder.iterdir()) == []
    folder.rmdir()
    away.rename(folder)
    assert root.present() == [NAME]


def test_a_folder_from_before_is_bound_at_its_first_use(root: Root, tmp_path: Path) -> None:
    root.create(NAME)
    (tmp_path / "roots" / "mark").unlink()
    (tmp_path / "roots.mark").unlink()
    later = LocalRoot(tmp_path / "roots", "here")
    assert later.present() == [NAME]
    (tmp_path / "roots" / "mark").unlink()
    with pytest.raises(Unavailable):
        LocalRoot(tmp_path / "roots", "here").present()


def test_a_folder_that_is_away_is_not_made_anew(tmp_path: Path) -> None:
    folder = tmp_path / "disk" / "roots"
    root = LocalRoot(folder, "here", Binding(tmp_path / "here.mark"))
    root.create(NAME)
    (tmp_path / "disk").rename(tmp_path / "drawer")
    later = LocalRoot(folder, "here", Binding(tmp_path / "here.mark"))
    assert refused(later.present) == refused(root.present) == "key-folder-away"
    assert not (tmp_path / "disk").exists()
    folder.mkdir(parents=True, mode=0o755)  # a mount point as root makes them
    assert refused(later.present) == refused(lambda: later.create(OTHER)) == "key-folder-away"
    shutil.rmtree(tmp_path / "disk")
    (tmp_path / "drawer").rename(tmp_path / "disk")
    assert later.present() == [NAME]


@pytest.mark.parametrize("marked", [False, True])
def test_another_folder_is_an_exchanged_one(tmp_path: Path, marked: bool) -> None:
    """Roots without the mark, or another mark: somebody else's disk, or a copy from before the mark."""
    root = LocalRoot(tmp_path / "roots", "here")
    root.create(NAME)
    other = LocalRoot(tmp_path / "other", "there")
    other.create(OTHER)
    (tmp_path / "roots").rename(tmp_path / "drawer")
    (tmp_path / "other").rename(tmp_path / "roots")
    if not marked:
        (tmp_path / "roots" / "mark").unlink()
    for one in (root, LocalRoot(tmp_path / "roots", "here")):
        assert refused(one.present) == refused(lambda: root.destroy(NAME)) == "root-provider-changed"


def test_what_a_crash_left_is_destroyed_and_an_open_folder_is_refused(tmp_path: Path) -> None:
    root = LocalRoot(tmp_path / "roots", "here")
    root.create(NAME)
    (tmp_path / "roots" / ".new-00").write_bytes(b"half a key")
    assert LocalRoot(tmp_path / "roots", "here").present() == [NAME]
    assert not (tmp_path / "roots" / ".new-00").exists()
    (tmp_path / "roots").chmod(0o755)
    assert refused(LocalRoot(tmp_path / "roots", "here").present) == "key-folder-open"


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(Unavailable) as refusal:
        act()
    return refusal.value.code
