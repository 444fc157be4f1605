"""Commands from the registry: paths, values and answers."""

from __future__ import annotations

import json
from typing import Any

import click
import pytest
from click.testing import CliRunner

from troth.cli import remote
from troth.cli.client import Answer, Client
from troth.kernel.errors import Invalid


class Wire:
    """Records what would be sent and gives a prepared answer."""

    url, token, holder = "https://troth.example", None, None

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.sent: list[tuple[str, str, dict[str, Any]]] = []

    def call(self, method: str, path: str, values: dict[str, Any]) -> Answer:
        self.sent.append((method, path, values))
        return self.answer

    def newcomer(self) -> Wire:
        return self


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
    assert wire.sent == [("POST", "/v1/keys", {"name": "laptop", "scopes": ["generate"], "days": 3})]


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
    assert _run("key", "create", "--name", "x", "--scopes", "[oops]").exit_code == 2
    assert wire.sent == []


def test_a_password_is_asked_for_and_not_shown(wire: Wire) -> None:
    result = CliRunner().invoke(
        remote.group("session", "x"),
        ["create", "--email", "a@b.example"],
        input="hidden-words\n",
        catch_exceptions=False,
    )
    assert wire.sent[0][2]["password"] == "hidden-words"
    assert "hidden-words" not in result.output


def test_an_empty_list_beside_other_members_hides_nothing(wire: Wire) -> None:
    wire.answer = Answer("application/json", b'{"id": "ses_1", "token": "tok-en", "expires_at": 1, "missing": []}')
    result = CliRunner().invoke(
        remote.group("session", "x"), ["create", "--email", "a@b.example"], input="words\n", catch_exceptions=False
    )
    assert "token       tok-en\n" in result.output
    assert "missing     []\n" in result.output
    assert "set TROTH_SESSION to this token\n" in result.stderr
    assert "TROTH_SESSION" not in result.stdout


def test_a_new_password_is_asked_for_twice_and_not_shown(wire: Wire) -> None:
    wire.answer = Answer("application/json", b'{"id": "ses_1", "token": "tok-en", "expires_at": 1}')
    result = CliRunner().invoke(
        remote.group("account", "x"), ["password"], input="old-one\nnew-one\nnew-one\n", catch_exceptions=False
    )
    assert wire.sent == [("POST", "/v1/password", {"current": "old-one", "new": "new-one"})]
    assert "one" not in result.output
    assert "set TROTH_SESSION" in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("erasure", "own", "--confirm", "erase everything about me"),
        ("erasure", "request", "--subject", "usr_1"),
        ("object", "delete", "--object-id", "obj_1"),
        ("user", "disable", "--user-id", "usr_1"),
        ("vendor", "suspend", "--vendor-id", "acme", "--reason", "security"),
    ],
)
def test_what_cannot_be_taken_back_is_asked_for(wire: Wire, words: tuple[str, ...]) -> None:
    noun, *rest = words
    refused = CliRunner().invoke(remote.group(noun, "x"), rest, input="n\n")
    assert (refused.exit_code, wire.sent) == (1, [])
    assert CliRunner().invoke(remote.group(noun, "x"), rest, input="y\n").exit_code == 0
    assert CliRunner().invoke(remote.group(noun, "x"), [*rest, "--yes"]).exit_code == 0
    assert len(wire.sent) == 2


def test_a_document_is_written_byte_by_byte(wire: Wire) -> None:
    wire.answer = Answer("application/vnd.dsse.envelope.v1+json", b'{"payload":"x"}')
    assert _run("certificate", "show", "--certificate-id", "cert_1").stdout_bytes == b'{"payload":"x"}'


def test_every_option_of_every_command_is_explained() -> None:
    silent = [
        (path, option.opts)
        for path in remote.commands()
        for option in remote.group(path[0], "x").commands[path[-1]].params
        if isinstance(option, click.Option) and not option.help
    ]
    assert silent == []
