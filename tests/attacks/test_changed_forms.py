"""Forms from outside: whatever single thing is changed in a shipped form, it is read and linted, or refused by type."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from troth.governance.forms.reading import parse_form, shipped_names, shipped_text
from troth.governance.linting import lint_form
from troth.kernel.errors import Invalid, TooLarge

CHANGES = 12  # for each form
OTHERS: tuple[Any, ...] = (
    None, [], {}, [None], [{}], {"a": None}, "x", "", -1, 0, True, 1.5, 10**17, [["a"]], [[{}]], [{"reason": -1}],
    {"a": {"a": 1}}, {1: 2}, {"type": "text!"}, "-99999m", "99999m", "+1200m", "-9999d", "9999 years", "2199-12-31",
    "2199-12-31T00:00:00Z", "None", "today - 9999", "not today",
)  # fmt: skip
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # ten times faster, and here it is what takes long
Path = tuple[str | int, ...]


def paths(value: Any, here: Path = ()) -> Iterator[Path]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield (*here, key)
        yield from paths(one, (*here, key))


def changed(form: Any, path: Path, other: Any) -> str:
    form = inside = copy.deepcopy(form)
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = other
    text: str = yaml.dump(form, Dumper=_Dumper, sort_keys=False)
    return text


@pytest.mark.parametrize("name", shipped_names())
def test_a_changed_form_is_judged_or_refused(name: str) -> None:
    chance = random.Random(name)
    form = yaml.safe_load(shipped_text(name))
    all_of = list(paths(form))
    for _ in range(CHANGES):
        path, other = chance.choice(all_of), chance.choice(OTHERS)
        try:
            assert isinstance(lint_form(parse_form(changed(form, path, other))), tuple)
        except (Invalid, TooLarge) as refused:
            assert refused.advice.isprintable(), (path, other)
        except Exception as error:
            error.add_note(f"{path} as {other!r}")
            raise


@pytest.mark.parametrize(
    ("name", "path", "other"),
    [
        ("risks", ("examples", "good", 0, "did"), "x"),
        ("risks", ("examples", "known_bad", 0, "but"), []),
        ("risks", ("examples", "good", 0, "opened"), "-99999m"),
    ],
)
def test_changes_that_once_broke_it(name: str, path: Path, other: object) -> None:
    form = parse_form(changed(yaml.safe_load(shipped_text(name)), path, other))
    assert [one.code for one in lint_form(form)] == ["bad-example"]
