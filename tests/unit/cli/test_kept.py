"""What the command line keeps of a sign-in: in a file that is ours alone, whole or not at all."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from troth.cli import kept
from troth.cli.kept import Kept
from troth.kernel.errors import Unavailable

URL = "https://troth.example:8443"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path


def one(token: str = "t") -> Kept:
    return Kept(token, "a key", 7, "r")


def test_each_server_has_its_own_and_forgetting_leaves_the_others() -> None:
    assert kept.load(URL) is None
    kept.keep(URL, one("first"))
    kept.keep(URL + "/", one("second"))  # the same server
    kept.keep("https://other.example", one("other"))
    assert kept.load(URL) == one("second")
    kept.keep(URL, None)
    assert kept.load(URL) is None
    assert kept.load("https://other.example") == one("other")


def test_the_file_and_its_folder_are_ours_alone() -> None:
    kept.keep(URL, one())
    assert stat.S_IMODE(kept.place().stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.place().parent.stat().st_mode) == 0o700
    assert [path.name for path in kept.place().parent.iterdir()] == ["sessions.json"]


def code() -> str:
    with pytest.raises(Unavailable) as caught:
        kept.load(URL)
    return caught.value.code


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_what_others_can_reach_is_not_believed(mode: int) -> None:
    kept.keep(URL, one())
    kept.place().chmod(mode)
    assert code() == "kept-not-private"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"https://troth.example:8443": {"token": "t"}}'])
def test_a_damaged_file_is_told(content: str) -> None:
    kept.keep(URL, one())
    kept.place().write_text(content)
    assert code() == "kept-broken"


def test_a_link_in_its_place_is_not_followed(home: Path) -> None:
    kept.keep(URL, one())
    real = kept.place().rename(home / "elsewhere")
    kept.place().symlink_to(real)
    with pytest.raises(OSError, match=r"symbolic|symlink|loop"):
        kept.load(URL)


def test_secrets_are_not_printed() -> None:
    assert "secret" not in repr(Kept("secret", "secret", 7, "secret"))


def test_the_lock_keeps_a_second_one_waiting() -> None:
    import fcntl  # noqa: PLC0415

    with kept.locked(), (kept.place().parent / "lock").open() as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
