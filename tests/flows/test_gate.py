"""A release with a new category of data: the gate says no until three people have assessed exactly this map."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from house import House, Person
from register_calls import move, opened
from troth.cli.gate import gate

NEW = "categories: [names, addresses, roles, prompts]"
OLD = "categories: [names, addresses, roles]"
CHANGE = {"name": "Prompts in the account", "purposes": "To greet people by what they asked"}
WRITTEN = {
    "necessity": "The greeting is made of it",
    "dropped": "Everything older than a day",
    "risks": "Somebody looks over a shoulder",
    "measures": "Sealed",
    "residual": "low",
}


@pytest.fixture(scope="module")
def people(home: House) -> dict[str, Person]:
    owner = home.tenant("gate")
    roles = {"author": "admin", "officer": "privacy-officer"}
    made = {name: home.member(owner, f"{name}@gate.example.org", role) for name, role in roles.items()}
    return {"owner": owner, **made}


def assess(home: House, people: dict[str, Person], digest: str, *, approved: bool) -> str:
    record = opened(home, people["author"], "dpia", **CHANGE)
    place = f"dpia/{record}"
    steps = [("author", "propose", WRITTEN | {"map_digest": digest}), ("officer", "advise", {"advice": "Go on"})]
    if approved:
        steps.append(("owner", "approve", {"authority": "not-needed", "review_by": "2199-01-01"}))
    for who, name, values in steps:
        done = move(home, people[who], place, name, **values)
        assert done.is_success, done.text
    return record


def exported(home: House, people: dict[str, Person], form: str) -> bytes:
    answer = home.call("GET", f"/v1/register-exports/{form}", people["owner"].headers, format="json")
    return bytes(answer.content)


def test_a_new_category_makes_the_gate_exit_with_1_until_its_assessment_is_approved(
    home: House, people: dict[str, Person], tmp_path: Path
) -> None:
    new, old = tmp_path / "new.yaml", tmp_path / "old.yaml"
    text = files("troth.governance.data_map").joinpath("map.yaml").read_text()
    assert text.count(OLD) == 1
    old.write_text(text)
    new.write_text(text.replace(OLD, NEW))

    def ran(*more: str) -> Result:
        for form in ("dpia", "projects"):
            (tmp_path / f"{form}.json").write_bytes(exported(home, people, form))
        papers = (("assessments", "dpia"), ("projects", "projects"))
        given = [f"--{name}={tmp_path / form}.json" for name, form in papers]
        return CliRunner().invoke(gate, [str(new), f"--approved={old}", *given, *more])

    digests = [CliRunner().invoke(gate, [str(one), "--digest"]).output.strip() for one in (old, new)]
    assert ran().exit_code == 1
    assess(home, people, digests[0], approved=True)
    first = ran("--json")
    assert first.exit_code == 1
    told = json.loads(first.output)
    assert told["digest"] == digests[1]
    assert {(one["code"], one["what"]) for one in told["findings"]} == {
        ("assessment-missing", digests[1]),
        ("not-assessed", "accounts:prompts"),
    }
    assess(home, people, digests[1], approved=False)
    waiting = ran()
    assert waiting.exit_code == 1
    assert "state in-review" in waiting.output
    assess(home, people, digests[1], approved=True)
    assert ran().exit_code == 0


def test_an_export_with_an_altered_entry_is_refused(home: House, people: dict[str, Person], tmp_path: Path) -> None:
    assess(home, people, "00" * 32, approved=False)
    content = exported(home, people, "dpia")
    altered = tmp_path / "dpia.json"
    altered.write_bytes(content.replace(b'"in-review"', b'"approved"'))
    ran = CliRunner().invoke(gate, [f"--assessments={altered}", f"--projects={altered}"])
    assert ran.exit_code == 1
    assert getattr(ran.exception, "code", None) == "register-chain"
    altered.write_text('{"form": "risks", "records": []}')
    ran = CliRunner().invoke(gate, [f"--assessments={altered}", f"--projects={altered}"])
    assert getattr(ran.exception, "code", None) == "bad-export"
