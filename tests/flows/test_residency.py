"""An installation that is started beside the wrong data refuses, says why, and touches nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from house import house_settings
from troth.kernel.errors import Unavailable
from troth.wiring import opened


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
