"""An installation that is started beside the wrong data refuses, says why, and touches nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from house import house_settings
from troth.audit.leaf import read_leaf
from troth.audit.log import Filter
from troth.cli.placement import adopt as command
from troth.kernel.data_class import DataClass
from troth.kernel.errors import IntegrityError, Unavailable
from troth.wiring import opened
from troth.wiring.adoption import adopt


def test_a_start_in_the_wrong_place_is_refused_by_each_part(tmp_path: Path) -> None:
    with opened(house_settings(tmp_path)) as troth:
        assert troth.system.base.settings.data.jurisdiction == "eu"
    elsewhere = house_settings(tmp_path, data={"jurisdiction": "us"})
    taken: list[str] = []
    while True:  # take the places away that refuse, one after the other
        with pytest.raises(Unavailable) as refusal, opened(elsewhere):
            pass
        assert refusal.value.code == "wrong-placement", refusal.value
        said = refusal.value.advice
        for word, place in PLACES.items():
            if word in said:
                taken.append(word)
                (shutil.rmtree if (tmp_path / place).is_dir() else Path.unlink)(tmp_path / place)
        if taken[-1] == "holds roots":
            break
    assert taken == list(PLACES)


PLACES = {
    "The database": "data/troth.db",
    "The object store": "data/objects",
    "The mirror of the log": "data/log",
    "The guard of the log": "keys/log-guard",
    "store of page copies": "data/key-pages",
    "holds roots": "keys/roots",
}


def test_a_store_whose_marker_is_gone_is_refused(tmp_path: Path) -> None:
    settings = house_settings(tmp_path)
    with opened(settings):
        pass
    (tmp_path / "data" / "key-pages" / "placement").unlink()
    with pytest.raises(Unavailable, match="does not say in which jurisdiction") as refusal, opened(settings):
        pass
    assert refusal.value.code == "no-placement"


def test_a_place_is_adopted_only_after_a_look_into_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = house_settings(tmp_path)
    with opened(settings) as troth:
        person = troth.system.probe_person()
        troth.system.base.tree.unit(*person, DataClass.ACCOUNT, "x")
    marker = tmp_path / "data" / "key-pages" / "placement"
    marker.unlink()
    stranger = marker.parent / "kt" / "us" / "left"
    stranger.parent.mkdir()
    stranger.write_bytes(b"x")
    with pytest.raises(IntegrityError) as refusal:
        adopt(settings)
    assert refusal.value.code == "stranger"
    assert not marker.exists()
    stranger.unlink()
    monkeypatch.setenv("TROTH_DATA__FOLDER", str(tmp_path / "data"))
    monkeypatch.setenv("TROTH_DATA__KEYS", str(tmp_path / "keys"))
    assert CliRunner().invoke(command).output == "marked as 'eu': key copies of local\n"
    assert "nothing was changed" in CliRunner().invoke(command).output
    with opened(settings) as troth:
        assert troth.system.vault.stocktaking.whole().strangers == 0
        troth.system.base.sequencer.flush()
        wanted = Filter(operation="installation.adopted")
        page = troth.system.base.reader.page("operator", wanted, before=None, limit=9)
    told = [read_leaf(one.leaf) for one in page.entries]
    assert [(one["phase"], one["outcome"], one.get("code")) for one in reversed(told)] == [
        ("opened", "pending", None),
        ("closed", "refused", "stranger"),
        ("opened", "pending", None),
        ("closed", "done", None),
    ]
