"""The consent gate: only a clear yes lets a row in."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from troth.kernel.errors import Invalid, Malformed, NotFound
from troth.redact.consent import ConsentFlag, ConsentRegister, NoSubjects, read_register


def test_register_the_last_word_counts(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text(
        '{"subject": "a", "consent": "c1", "granted": true}\n{"subject": "b", "consent": "c2", "granted": true}\n\n'
        '{"subject": "b", "consent": "c2", "granted": false}\n{"subject": 7, "consent": "c3", "granted": true}\n'
        '{"subject": "d", "consent": "c4", "granted": "yes"}\n'
    )
    gate = read_register(path, "who")
    rows = [{"who": "a"}, {"who": "b"}, {"who": 7}, {"who": "d"}, {}, {"who": None}, {"who": ["a"]}]
    assert [gate.consented(row) for row in rows] == ["c1", None, "c3", None, None, None, None]
    assert gate.fields == {"who"}
    assert "2 consents" in gate.basis()


@pytest.mark.parametrize("line", ["{", "[]", '{"subject": "a"}', '{"subject": "a", "consent": "b"}'])
def test_register_malformed(tmp_path: Path, line: str) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text(f'{{"subject": "a", "consent": "c", "granted": true}}\n{line}\n')
    with pytest.raises(Malformed, match="Line 2 "):
        read_register(path, "who")


def test_register_missing(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_register(tmp_path / "none", "who")


@pytest.mark.parametrize(
    "flag",
    [
        None,
        False,
        0,
        1,
        "",
        "no",
        "False",
        "withdrawn",
        [],
        {},
        1.0,
        "true",
        "Yes",
        "ON",
        "y",
        "N",
        "0",
        "1",
        "1.0",
        "2026-01-31",
        "declined",
        "not_given",
        "opted_out",
        "no-1",
        "has agreed 1",
        " c-12",
        "c-12\n",
        "withdrawn_2026-01-31",
        "off",
        "agreed",
        "c-" + "1" * 300,
        "_",
    ],
)
def test_no_flag(flag: object) -> None:
    assert ConsentFlag("ok").consented({"ok": flag}) is None
    assert ConsentFlag("ok").consented({}) is None


def test_flag() -> None:
    assert ConsentFlag("ok").consented({"ok": True}) == "flag"
    assert ConsentFlag("ok").consented({"ok": "c-12"}) == "c-12"
    assert ConsentFlag("ok").consented({"ok": "cns_abcdef"}) == "cns_abcdef"
    ids = ["3f2504e0-4f89-11d3-9a0c-0305e82c3301", "urn:consent:7", "C.2026.0001"]
    assert [ConsentFlag("ok").consented({"ok": one}) for one in ids] == ids
    assert ConsentFlag("ok", "who").fields == {"ok", "who"}


def test_no_subjects_needs_a_reason() -> None:
    with pytest.raises(Invalid):
        NoSubjects("because")
    gate = NoSubjects("Public-domain text of the 19th century.")
    assert gate.consented({}) == "not-needed"
    assert "19th century" in gate.basis()
    assert gate.fields == frozenset()


def test_digests_differ_and_gates_travel() -> None:
    gates = [ConsentFlag("a"), ConsentFlag("b"), ConsentRegister("a", {"x": "1"}), ConsentRegister("a", {"x": "2"}),
             NoSubjects("Public-domain text.")]  # fmt: skip
    assert len({gate.digest() for gate in gates}) == len(gates)
    assert [pickle.loads(pickle.dumps(gate)) for gate in gates] == gates
    assert all(gate.basis() for gate in gates)
