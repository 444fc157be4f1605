"""Places for backups: two at least, at home, apart from the living data."""

from __future__ import annotations

from pathlib import Path

import pytest

from troth.backup import locations
from troth.kernel.errors import Denied, Invalid, TrothError
from troth.settings.sections import Backup, BackupLocation, Data


def _data(folder: Path) -> Data:
    return Data(folder=folder / "data", keys=folder / "keys")


def _place(where: Path, **members: object) -> BackupLocation:
    return BackupLocation(**({"jurisdiction": "eu", "folder": where} | members))  # type: ignore[arg-type]


def test_without_settings_there_are_two_folders_beside_the_data(tmp_path: Path) -> None:
    places = locations.configured(Backup(), _data(tmp_path))
    assert [one.folder for one in places] == [tmp_path / "data-backups" / name for name in "ab"]
    opened = locations.opened(places, 30)
    assert locations.failure_domains(opened) == 1  # one disk, and that is said
    assert {one.folder.stat().st_mode & 0o777 for one in places if one.folder} == {0o700}


def test_another_jurisdiction_is_refused(tmp_path: Path) -> None:
    wish = Backup(locations=(_place(tmp_path / "a"), _place(tmp_path / "b", jurisdiction="us")))
    with pytest.raises(Denied) as refused:
        locations.configured(wish, _data(tmp_path))
    assert refused.value.code == "wrong-jurisdiction"


@pytest.mark.parametrize(
    "wrong",
    [
        {"folder": Path("data/inside")},
        {"folder": Path("keys/inside")},
        {"folder": Path()},
        {"folder": None},
        {"bucket": "b"},
        {"folder": None, "bucket": "b"},
        {"folder": None, "bucket": "b", "endpoint": "https://s3.example.org", "region": "eu-1"},
    ],
)
def test_places_inside_the_living_data_or_half_described_are_refused(tmp_path: Path, wrong: dict[str, object]) -> None:
    if isinstance(wrong.get("folder"), Path):
        wrong = {"folder": tmp_path / str(wrong["folder"])}
    wish = Backup(locations=(_place(tmp_path / "a"), _place(tmp_path / "b", **wrong)))
    with pytest.raises(Invalid):
        locations.configured(wish, _data(tmp_path))


def test_one_place_is_not_enough(tmp_path: Path) -> None:
    with pytest.raises(TrothError):
        locations.configured(Backup(locations=(_place(tmp_path / "a"),)), _data(tmp_path))
