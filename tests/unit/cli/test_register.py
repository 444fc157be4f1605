"""`troth register`: the forms, and what is wrong with one; no server, no installation."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from architecture.source_tree import ROOT
from register_forms import FORM
from troth.cli.register import register
from troth.governance.forms.reading import shipped_names, shipped_text
from troth.kernel.errors import NotFound


def run(*words: str) -> Result:
    return CliRunner().invoke(register, list(words))


def test_forms_are_listed_with_their_promises() -> None:
    shown = run("forms")
    assert shown.exit_code == 0
    assert len(shown.output.splitlines()) == len(shipped_names())
    assert re.search(r"^pentests +Penetration tests +GOV-19$", shown.output, re.M)
    rows = json.loads(run("forms", "--json").output)
    assert [row["form"] for row in rows] == list(shipped_names())
    assert json.loads(run("forms", "--json", "pentests").output)[0]["promises"] == ["GOV-19"]


def test_a_form_is_printed_to_start_from() -> None:
    assert run("forms", "pentests").output == shipped_text("pentests")


def test_forms_in_order_are_told() -> None:
    shown = run("lint-form", *shipped_names())
    assert (shown.exit_code, shown.output) == (
        0,
        f"{len(shipped_names())} of {len(shipped_names())} forms are in order, and their examples prove it.\n",
    )


def test_the_example_of_the_page_is_in_order(tmp_path: Path) -> None:
    page = (ROOT / "docs/how-to/add-a-register.md").read_text()
    (block,) = re.findall(r"^   ```yaml\n(.*?)^   ```", page, re.M | re.S)
    (tmp_path / "visitors.yaml").write_text(block.replace("\n   ", "\n").removeprefix("   "))
    shown = run("lint-form", str(tmp_path / "visitors.yaml"))
    assert (shown.exit_code, shown.output) == (0, "1 of 1 forms are in order, and their examples prove it.\n")


@pytest.mark.parametrize(
    ("text", "code", "where"),
    [
        (FORM.replace("promises: []", "promises: [XXX-99]"), "unknown-promise", "promises"),
        (FORM.replace("version: 1", "version: one"), "bad-form", "form.version"),
        (FORM.replace("-1d", "+1d"), "bad-passes", "examples.known_bad.0"),
        (FORM.replace("kept_when: review_by > today", "kept_when: open(1)"), "bad-condition", "kept_when.1"),
        (FORM.replace("type: date", "type: link, of: [nowhere]"), "unknown-register", "things.fields.review_by"),
        ("a: [", "bad-yaml", "form"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, code: str, where: str) -> None:
    (tmp_path / "things.yaml").write_text(text)
    shown = run("lint-form", str(tmp_path / "things.yaml"))
    assert shown.exit_code == 1
    assert f"[{code} at {where}]" in shown.output
    found = json.loads(run("lint-form", "--json", str(tmp_path / "things.yaml")).output)
    assert (code, where) in [(one["code"], one["where"]) for one in found]


def test_forms_may_lead_to_each_other(tmp_path: Path) -> None:
    raw = yaml.safe_load(FORM)
    for name, other in (("firsts", "seconds"), ("seconds", "firsts")):
        raw |= {"form": name, "fields": {**raw["fields"], "other": {"type": "link", "of": other, "label": "Other"}}}
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(raw))
    alone = run("lint-form", str(tmp_path / "firsts.yaml"))
    assert "unknown-register" in alone.output
    assert run("lint-form", str(tmp_path / "firsts.yaml"), str(tmp_path / "seconds.yaml")).exit_code == 0


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    refused = run("lint-form", str(tmp_path / "nothing.yaml")).exception
    assert isinstance(refused, NotFound)
    os.mkfifo(tmp_path / "pipe.yaml")  # it is not waited for
    assert isinstance(run("lint-form", str(tmp_path / "pipe.yaml")).exception, NotFound)
    (tmp_path / "large.yaml").write_bytes(b"a" * 256_001)
    assert "[yaml-too-long at form]" in run("lint-form", str(tmp_path / "large.yaml")).output
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe")
    assert "[bad-yaml at form]" in run("lint-form", str(tmp_path / "bytes.yaml")).output
