"""Reading and linting a data map: what contradicts is refused with its place."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
import yaml

from troth.governance.data_map.linting import lint
from troth.governance.data_map.map import Exempt, Retention, Supplier, digest
from troth.governance.data_map.reading import parse_map, shipped
from troth.kernel.errors import Invalid, TooLarge

SMALL: dict[str, Any] = {
    "version": 1,
    "words": {
        "purpose": {"letters": "to send you letters"},
        "basis": {"consent": "you said yes"},
        "subject": {"readers": "people who read"},
        "category": {"names": "names"},
        "recipient": {"nobody": "no one", "post": "the post"},
        "region": {"home": "the place you chose"},
        "retention": {"closed": "you leave"},
        "automated": {"none": "no machine decides"},
        "transfer": {"none": "it stays there"},
        "safeguard": {"sealed": "it is sealed"},
    },
    "activities": [
        {
            "id": "letters",
            "title": "Letters",
            "purpose": "letters",
            "basis": "consent",
            "subjects": ["readers"],
            "categories": ["names"],
            "recipients": ["nobody"],
            "regions": ["home"],
            "retention": [{"after": "closed", "days": 3}],
            "safeguards": ["sealed"],
            "tables": {"readers": {"columns": {"name": "sealed"}, "stays": {"by": "the log"}}},
            "stores": ["box"],
        }
    ],
    "stores": {"box": {"title": "A box", "erased": "It is emptied."}},
    "exempt": {"tables": {"weather": "no people"}},
}


def changed(change: Callable[[Any], object]) -> str:
    raw = deepcopy(SMALL)
    change(raw)
    return yaml.safe_dump(raw)


def test_a_map_says_its_tables_stores_and_columns() -> None:
    found = parse_map(yaml.safe_dump(SMALL))
    assert set(found.tables) == {"readers"}
    assert found.personal_stores == {"box"}
    assert list(found.columns()) == [("readers.name", "sealed")]
    assert found.staying() == {"readers.by": "the log"}
    assert found.activities[0].retention == (Retention("closed", 3),)


def test_the_digest_moves_with_the_content_alone() -> None:
    found = parse_map(yaml.safe_dump(SMALL))
    assert digest(found) == digest(parse_map(yaml.safe_dump(SMALL, sort_keys=True)))
    other = replace(found, suppliers=(Supplier("acme", "Acme", ("m",), ("eu",), "zero"),))
    assert digest(other) != digest(found)


WRONG: list[tuple[str, Callable[[Any], object], str]] = [
    ("a token without words", lambda m: m["activities"][0].update(subjects=["pets"]), "letters.subject"),
    ("a kind of words left out", lambda m: m["words"].pop("region"), "words.region"),
    ("a kind that is not known", lambda m: m["words"].update(moods={"good": "good"}), "words.moods"),
    ("two words that say the same", lambda m: m["words"]["recipient"].update(post="no one"), "words.recipient"),
    ("nobody and somebody", lambda m: m["activities"][0].update(recipients=["nobody", "post"]), "letters.recipients"),
    ("no retention", lambda m: m["activities"][0].update(retention=[]), "letters.retention"),
    ("a category twice", lambda m: m["activities"][0].update(categories=["names", "names"]), "letters.categories"),
    ("an interest too much", lambda m: m["activities"][0].update(interest="money"), "letters.interest"),
    ("a table twice", lambda m: m["exempt"]["tables"].update(readers="none"), "tables.readers"),
    ("an activity twice", lambda m: m["activities"].append(deepcopy(m["activities"][0])), "activities.letters"),
    ("a store nobody uses", lambda m: m["stores"].update(attic={"title": "A", "erased": "B."}), "stores.attic"),
    ("a store that is not said", lambda m: m["activities"][0].update(stores=["attic"]), "stores.attic"),
    ("a store used and exempt", lambda m: m["exempt"].update(stores={"box": "none"}), "stores.box"),
    ("a table without columns", lambda m: m["activities"][0]["tables"].update(readers={}), "letters.tables.readers"),
    ("goes and stays", lambda m: m["activities"][0]["tables"]["readers"]["stays"].update(name="no"), "readers.name"),
    (
        "kept nowhere",
        lambda m: (m["activities"][0].update(tables={}, stores=[]), m.update(stores={})),
        "letters.tables",
    ),
    ("an unknown member", lambda m: m["activities"][0].update(colour="red"), "activities.0.colour"),
    ("another basis", lambda m: m["activities"][0].update(basis="because"), "activities.0.basis"),
    ("days as words", lambda m: m["activities"][0].update(retention=[{"after": "closed", "days": -1}]), "retention.0"),
    ("a line feed", lambda m: m["activities"][0].update(title="a\nb"), "activities.0.title"),
]


@pytest.mark.parametrize(("change", "place"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_what_contradicts_is_refused_with_its_place(change: Callable[[Any], object], place: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_map(changed(change))
    assert refused.value.code == "bad-data-map"
    assert place in str(refused.value)


def test_a_text_beyond_the_limits_and_a_key_twice_are_refused() -> None:
    with pytest.raises((TooLarge, Invalid)):
        parse_map("version: 1\n" + "#" * 200_000)
    with pytest.raises(Invalid):
        parse_map(yaml.safe_dump(SMALL) + "version: 2\n")


def test_the_shipped_map_is_in_order_and_says_each_table_once() -> None:
    found = shipped()
    assert lint(found) == []
    assert found.tables.keys() & found.exempt.tables.keys() == set()
    assert lint(replace(found, exempt=Exempt(found.exempt.tables, {}))) != []  # stores that nobody uses
