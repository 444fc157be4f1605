"""Options from request fields: types, choices, repetition, files, times."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import click
import pytest
from click.testing import CliRunner
from pydantic import BaseModel, Field

from troth.cli.options import given, option


class Facts(BaseModel):
    """A nested object."""

    a: int


class Request(BaseModel):
    """One field of every kind."""

    text: Annotated[str, Field(max_length=9)] | None = None
    number: int = Field(default=5, ge=1, le=9)
    since: Annotated[int, Field(ge=0)] | None = None
    mode: Literal["fast", "slow"] | None = None
    roles: frozenset[Literal["owner", "admin"]] = frozenset()
    facts: Facts | None = None
    flag: bool | None = None
    named: str = Field(default="x", description="A name.")
    credential: str | None = Field(default=None, repr=False)
    totp: str | None = None


class Proof(BaseModel):
    """What must be shown."""

    password: str
    totp: str | None = None


def run(*words: str, model: type[BaseModel] = Request, typed: str = "") -> tuple[Any, str]:
    seen: list[dict[str, Any]] = []
    fields = model.model_fields
    options: Sequence[click.Parameter] = [option(name, info, list(fields)) for name, info in fields.items()]
    command = click.Command("x", params=[*options], callback=lambda **values: seen.append(given(values)))
    result = CliRunner().invoke(command, list(words), input=typed)
    return (seen[0] if seen else result.exit_code), result.output


@pytest.mark.parametrize("words", [("--role", "owner", "--role", "admin"), ("--roles", '["owner", "admin"]')])
def test_lists_are_repeated_or_json(words: tuple[str, ...]) -> None:
    assert run(*words)[0] == {"roles": ["owner", "admin"]}


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2023-11-14", 1_699_920_000_000),
        ("2023-11-14T22:13:20Z", 1_700_000_000_000),
        ("2023-11-14T23:13:20+01:00", 1_700_000_000_000),
        ("1700000000000", 1_700_000_000_000),
    ],
)
def test_times_are_dates_or_milliseconds(text: str, moment: int) -> None:
    assert run("--since", text)[0] == {"since": moment}


def test_objects_are_json_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "facts.json").write_text('{"a": 1}')
    assert run("--facts", '{"a": 1}')[0] == run("--facts", f"@{tmp_path / 'facts.json'}")[0] == {"facts": {"a": 1}}


def test_a_secret_comes_from_a_file_only(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    assert run("--credential", f"@{tmp_path / 'secret'}")[0] == {"credential": "s3cret"}
    refused, output = run("--credential", "s3cret")
    assert refused == click.UsageError.exit_code
    assert "@FILE" in output


@pytest.mark.parametrize("name", ["credential", "totp"])
def test_an_optional_secret_is_asked_for_unseen_or_comes_by_standard_input(name: str, tmp_path: Path) -> None:
    asked, output = run(f"--{name}", typed="s3cret\n")
    assert asked == {name: "s3cret"}
    assert "s3cret" not in output
    assert run(f"--{name}", "-", typed="s3cret\n")[0] == {name: "s3cret"}
    (tmp_path / "secret").write_text("@s3cret\n")
    assert run(f"--{name}", f"@{tmp_path / 'secret'}")[0] == {name: "@s3cret"}
    assert run()[0] == {}
    for words in ((f"--{name}", "s3cret"), (f"--{name}=123456",)):
        assert run(*words)[0] == click.UsageError.exit_code


def test_a_required_secret_is_asked_for_when_left_out() -> None:
    asked, output = run(model=Proof, typed="@not-a-file\n")
    assert asked == {"password": "@not-a-file"}
    assert "@not-a-file" not in output
    assert run("--password", "s3cret", model=Proof)[0] == click.UsageError.exit_code


def test_text_is_never_read_as_json() -> None:
    assert run("--text", "true", "--number", "7")[0] == {"text": "true", "number": 7}
    assert run("--flag", "no")[0] == {"flag": False}


@pytest.mark.parametrize(
    "words",
    [
        ("--number", "10"),
        ("--since", "yesterday"),
        ("--mode", "other"),
        ("--role", "king"),
        ("--roles", '["king"]'),
        ("--roles", "[oops]"),
        ("--facts", "[1]"),
        ("--facts", "@/nowhere/at/all.json"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_sent(words: tuple[str, ...]) -> None:
    assert run(*words)[0] == 2


def test_help_says_type_choices_and_limits() -> None:
    text = " ".join(run("--help")[1].split())
    for sentence in (
        "Text: text of at most 9 characters.",
        "Number: a whole number from 1 to 9; 5 when left out.",
        "Since: a date or time (ISO 8601, UTC), or epoch milliseconds.",
        "Mode: one of fast, slow.",
        "Roles: give it once for each, or one JSON list.",
        "Facts: a JSON object, or @FILE with one.",
        "A name; x when left out.",
    ):
        assert sentence in text
