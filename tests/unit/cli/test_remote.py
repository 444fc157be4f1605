"""Commands from the registry: paths, values and answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from troth.cli import remote
from troth.cli.client import Answer, Client
from troth.kernel.errors import Invalid


class Wire:
    """Records what would be sent and gives a prepared answer."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.sent: list[tuple[str, str, dict[str, Any]]] = []

    def call(self, method: str, path: str, values: dict[str, Any]) -> Answer:
        self.sent.append((method, path, values))
        return self.answer


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    made = Wire(Answer("application/json", b'{"keys": [{"id": "key_1", "name": "laptop"}]}'))
    monkeypatch.setattr(Client, "from_environment", lambda: made)
    return made


def _run(noun: str, *words: str) -> Any:
    return CliRunner().invoke(remote.group(noun, "x"), list(words), catch_exceptions=False)


def test_path_parameters_leave_the_values(wire: Wire) -> None:
    _run("key", "revoke", "--key-id", "key_1")
    assert wire.sent == [("DELETE", "/v1/keys/key_1", {})]


def test_lists_are_given_as_json(wire: Wire) -> None:
    _run("key", "create", "--name", "laptop", "--scopes", '["generate"]', "--days", "3")
    assert wire.sent == [("POST", "/v1/keys", {"name": "laptop", "scopes": ["generate"], "days": "3"})]


def test_rows_become_a_table_and_json_stays_json(wire: Wire) -> None:
    assert "laptop" in _run("key", "list").output
    assert json.loads(_run("key", "list", "--json").output)["keys"][0]["id"] == "key_1"


@pytest.mark.parametrize("identifier", ["../../v1/tenants", "a/b", "a?x=1", "", "a b", "x" * 201])
def test_an_id_cannot_change_the_path(wire: Wire, identifier: str) -> None:
    with pytest.raises(Invalid):
        _run("key", "revoke", "--key-id", identifier)
    assert wire.sent == []


def test_bytes_go_to_a_file(wire: Wire, tmp_path: Any) -> None:
    wire.answer = Answer("image/png", b"\x89PNG")
    _run("object", "open", "--object-id", "obj_1", "--out", str(tmp_path / "a.png"))
    assert (tmp_path / "a.png").read_bytes() == b"\x89PNG"


def test_a_broken_list_is_refused(wire: Wire) -> None:
    with pytest.raises(Invalid):
        _run("key", "create", "--name", "x", "--scopes", "[oops]")


def test_a_password_is_asked_for_and_not_shown(wire: Wire) -> None:
    result = CliRunner().invoke(
        remote.group("session", "x"),
        ["create", "--email", "a@b.example"],
        input="hidden-words\n",
        catch_exceptions=False,
    )
    assert wire.sent[0][2]["password"] == "hidden-words"
    assert "hidden-words" not in result.output
