"""Activities of one's own add to the map: they are said and recorded like the others, and change nothing of it."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from troth.governance.data_map.own import map_of, with_own
from troth.governance.data_map.reading import shipped
from troth.governance.statement.article30 import rows, unfilled
from troth.governance.statement.facts import mapped
from troth.governance.statement.generate import said, statement
from troth.kernel.errors import Invalid, TooLarge

EXAMPLE = Path(__file__).parents[3] / "flows" / "own_activities.yaml"
OWN: dict[str, Any] = yaml.safe_load(EXAMPLE.read_text())


def test_what_is_done_beyond_is_said_in_plain_words_and_recorded_and_the_rest_stays() -> None:
    found, base = map_of(EXAMPLE), shipped()
    assert found.activities[:-1] == base.activities
    assert {name: found.stores[name] for name in base.stores} == base.stores
    assert (found.exempt, found.rights, found.version) == (base.exempt, base.rights, base.version)
    told = statement(found)
    (news,) = [one for one in told.sections if one.id == "newsletter"]
    assert "We do it to send you our news." in news.text
    assert told.hard == ()
    assert said(told) == mapped(found)
    assert [one for one in told.sections if one.id != "newsletter"] == list(statement(base).sections)
    assert rows(found)[:-1] == rows(base)
    assert rows(found)[-1]["stores"] == ["The tool that mails our news, in Dublin"]
    assert unfilled(found) == []
    assert map_of(None) is base


def _put(place: str, value: object) -> Callable[[Any], None]:
    def change(raw: Any) -> None:
        *way, last = place.split("/")
        for one in way:
            raw = raw[int(one) if one.isdigit() else one]
        raw[last] = value

    return change


USERS = {"users": {"columns": {"id": "id"}}}
WRONG: dict[str, tuple[Callable[[Any], object], str]] = {
    "a word of Troth": (_put("words/purpose/accounts", "to sell you things"), "words.purpose.accounts"),
    "a store of Troth": (_put("stores/database", {"title": "Gone", "erased": "Never"}), "stores.database"),
    "an activity of Troth": (_put("activities/0/id", "accounts"), "activities.accounts"),
    "a title of Troth": (_put("activities/0/title", "Your account"), "titles.Your account"),
    "a table of Troth": (_put("activities/0/tables", USERS), "newsletter.tables"),
    "a setting of Troth": (
        _put("activities/0/retention", [{"after": "said-stop", "setting": "data.secret"}]),
        "newsletter.retention",
    ),
    "paths of Troth": (_put("stores/mailing-tool/paths", ["data.folder/*"]), "stores.mailing-tool"),
    "settings of Troth": (_put("stores/mailing-tool/settings", ["data.folder"]), "stores.mailing-tool"),
    "a part of the statement": (_put("activities/0/id", "suppliers"), "activities.suppliers"),
    "the vendors": (_put("suppliers", []), "suppliers"),
    "what is exempt": (_put("exempt", {"tables": {"users": "no people"}}), "exempt"),
    "the rights": (_put("rights", {"none": "to nothing"}), "rights"),
    "no word for it": (_put("activities/0/purpose", "unsaid"), "newsletter.purpose"),
    "a word said already": (_put("words/purpose/news", "to give you an account"), "words.purpose"),
    "a store that nothing uses": (_put("activities/0/stores", []), "stores.mailing-tool"),
    "an exempt store": (_put("activities/0/stores", ["settings-files"]), "stores."),
    "no activity": (_put("activities", []), "activities"),
    "a line break in a word": (_put("words/purpose/news", "to\nsell"), "words.purpose.news"),
}  # fmt: skip


@pytest.mark.parametrize("why", WRONG)
def test_what_would_change_the_map_that_ships_is_refused_with_its_place(why: str) -> None:
    change, place = WRONG[why]
    raw = deepcopy(OWN)
    change(raw)
    with pytest.raises(Invalid) as refusal:
        with_own(shipped(), yaml.safe_dump(raw))
    assert refusal.value.code == "bad-data-map"
    assert (refusal.value.field or "").startswith(place)


def test_too_much_of_it_is_refused(tmp_path: Path) -> None:
    raw = deepcopy(OWN)
    raw["activities"] = [deepcopy(raw["activities"][0]) for _ in range(65)]
    with pytest.raises(Invalid, match="activities"):
        with_own(shipped(), yaml.safe_dump(raw))
    long = tmp_path / "own.yaml"
    long.write_text(EXAMPLE.read_text() + "#" * 64_000)
    with pytest.raises(TooLarge):
        map_of(long)


def test_a_file_that_cannot_be_read_starts_nothing(tmp_path: Path) -> None:
    (tmp_path / "bytes.yaml").write_bytes(b"\xff")
    for name in ("missing.yaml", "bytes.yaml", "."):
        with pytest.raises(Invalid) as refusal:
            map_of(tmp_path / name)
        assert refusal.value.code == "bad-setting"
