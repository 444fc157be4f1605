"""Settings are typed, frozen and complete."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from troth.kernel.errors import Invalid
from troth.settings.load import load


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.toml").write_text("[server]\nport = 1111\nname = 'from.file'\n")
    monkeypatch.setenv("TROTH_CONFIG", str(tmp_path / "t.toml"))
    monkeypatch.setenv("TROTH_SERVER__PORT", "2222")
    settings = load()
    assert (settings.server.port, settings.server.name) == (2222, "from.file")


@pytest.mark.parametrize("name", ["TROTH_SERVER__PROT", "TROTH_NOTHING", "TROTH_SERVER"])
def test_an_unknown_name_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "1")
    with pytest.raises(Invalid, match=name):
        load()


def test_an_unknown_name_in_the_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.toml").write_text("[server]\nprot = 1\n")
    monkeypatch.setenv("TROTH_CONFIG", str(tmp_path / "t.toml"))
    with pytest.raises(Invalid, match=r"server\.prot"):
        load()


def test_a_value_out_of_range_is_named_but_not_echoed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TROTH_SERVER__PORT", "987654")
    with pytest.raises(Invalid, match=r"server\.port") as caught:
        load()
    assert "987654" not in caught.value.advice


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        load().server.port = 1  # type: ignore[misc]


def test_a_config_that_is_missing_or_broken_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TROTH_CONFIG", str(tmp_path / "t.toml"))
    with pytest.raises(Invalid, match="names no file"):
        load()
    (tmp_path / "t.toml").write_text("[server")
    with pytest.raises(Invalid, match="TOML"):
        load()


@pytest.mark.parametrize(("folder", "keys"), [("a", "a/k"), ("a/d", "a"), ("a", "a")])
def test_keys_and_data_do_not_lie_inside_each_other(folder: str, keys: str, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="inside each other"):
        load(data={"folder": tmp_path / folder, "keys": tmp_path / keys})


def test_an_unknown_database_is_refused() -> None:
    with pytest.raises(Invalid, match="postgresql"):
        load(data={"database_url": "mysql://x"})
