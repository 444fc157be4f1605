"""The digest of a check covers its module, the helpers that this imports, the judgement and the parameters."""

from __future__ import annotations

import pytest

from troth.promises.checks import all_checks
from troth.promises.code import closure, digest

PLACE = "troth.promises.checks.mine"
SOURCES = {
    PLACE: "from troth.promises.check import Check\nfrom troth.promises import probe\nimport troth.vault.objects\n",
    "troth.promises.check": "def judge(): ...\n",
    "troth.promises.probe": "from troth.promises.system import System\n",
    "troth.promises.system": "",
    "troth.promises": "",
    "troth.promises.stranger": "",
    "troth.vault.objects": "",
}


def test_the_closure_has_every_module_of_this_room_that_is_reached() -> None:
    found = closure(PLACE, SOURCES.get)
    assert set(found) == {PLACE, "troth.promises.check", "troth.promises.probe", "troth.promises.system"}


@pytest.mark.parametrize("edited", [PLACE, "troth.promises.check", "troth.promises.probe", "troth.promises.system"])
def test_an_edit_of_any_of_them_is_another_check(edited: str) -> None:
    changed = {**SOURCES, edited: SOURCES[edited] + "# edited\n"}
    assert digest("one", PLACE, {}, changed.get) != digest("one", PLACE, {}, SOURCES.get)


def test_parameters_and_name_are_in_it_and_strangers_are_not() -> None:
    plain = digest("one", PLACE, {}, SOURCES.get)
    assert digest("two", PLACE, {}, SOURCES.get) != plain
    assert digest("one", PLACE, {"days": 30}, SOURCES.get) != plain
    assert digest("one", PLACE, {}, {**SOURCES, "troth.promises.stranger": "# edited"}.get) == plain


def test_every_check_here_stands_on_its_judgement() -> None:
    for check in all_checks():
        found = closure(check.observe.__module__)
        assert {check.observe.__module__, "troth.promises.check"} <= set(found), check.id
        assert "troth.promises.checks" not in found, f"{check.id}: a change of any check would be one of it"
