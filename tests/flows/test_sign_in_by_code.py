"""`troth sign-in` against a real server: a code approved elsewhere, tokens with their key, renewal, theft, sign-out."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from served import PASSWORD, Served, served
from troth.cli import kept, signing_in
from troth.cli.client import Client, Refused
from troth.cli.demo.stage import Person
from troth.cli.main import troth

Decide = Callable[[str], None]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("by-code")) as running:
        yield running


@pytest.fixture(scope="module")
def ada(server: Served) -> Person:
    return server.tenant("by-code")


@pytest.fixture
def home(server: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and the server that is spoken to."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("TROTH_URL", server.stage.address)
    monkeypatch.setenv("TROTH_CA", server.stage.authority)
    for name in ("TROTH_SESSION", "TROTH_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def sign_in(server: Served, ada: Person, home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs the command; somebody decides while it waits."""
    ask, begun = Client.form, dict[str, Any]()

    def form(self: Client, path: str, values: dict[str, str]) -> dict[str, Any]:
        answer = ask(self, path, values)
        begun.update(answer)
        return answer

    def run(what: str = "approve") -> Result:
        def wait(_seconds: float) -> None:
            place = f"/v1/device-codes/{what}"
            server.stage.client(ada.session).call("POST", place, {"user_code": begun["user_code"]})

        monkeypatch.setattr(Client, "form", form)
        monkeypatch.setattr(signing_in.time, "sleep", wait)
        result = command("sign-in", "--device")
        assert begun["user_code"] in result.output
        return result

    return run


def command(*words: str, **environment: str) -> Result:
    return CliRunner().invoke(troth, list(words), env=environment)


def who(**environment: str) -> str:
    result = command("account", "show", "--json", **environment)
    assert result.exit_code == 0, result.exception
    return str(json.loads(result.stdout)["id"])


def code_of(result: Result) -> str:
    assert isinstance(result.exception, Refused), result.output
    return result.exception.code


def aged(server: Served) -> kept.Kept:
    """The session as it stands in the file, with tokens that are due for renewal."""
    mine = kept.load(server.stage.address)
    assert mine is not None
    kept.keep(server.stage.address, replace(mine, turned_at=0))
    return mine


def test_a_code_signs_in_and_the_token_alone_is_worth_nothing(
    server: Served, ada: Person, sign_in: Callable[..., Result], tmp_path: Path
) -> None:
    assert sign_in().exit_code == 0
    assert who() == ada.id
    mine = kept.load(server.stage.address)
    assert mine is not None
    assert who(TROTH_SESSION=mine.token) == ada.id  # the session that is kept, so its key is at hand
    elsewhere = {"XDG_CONFIG_HOME": str(tmp_path / "elsewhere"), "TROTH_SESSION": mine.token}
    assert code_of(command("account", "show", **elsewhere)) == "proof-required"
    listed = json.loads(command("session", "list", "--json").stdout)
    (session,) = (one for one in listed["sessions"] if one["id"] == listed["current"])
    assert (session["method"], session["bound"]) == ("device-code", "dpop")


def test_an_api_key_of_the_environment_comes_first(server: Served, ada: Person, sign_in: Callable[..., Result]) -> None:
    sign_in()
    key = server.key(ada, "generate")
    assert command("account", "show", TROTH_API_KEY=key).exit_code == 1
    assert command("model", "list", TROTH_API_KEY=key).exit_code == 0


def test_tokens_are_renewed_before_they_are_used(server: Served, ada: Person, sign_in: Callable[..., Result]) -> None:
    sign_in()
    before = aged(server)
    assert who() == ada.id
    after = kept.load(server.stage.address)
    assert after is not None
    assert (after.token, after.refresh) != (before.token, before.refresh)
    assert after.key == before.key
    assert who() == ada.id
    assert kept.load(server.stage.address) == after  # and not each time


def test_whoever_copies_the_file_is_found_out(
    server: Served, ada: Person, sign_in: Callable[..., Result], home: Path, tmp_path: Path
) -> None:
    sign_in()
    aged(server)
    thief = tmp_path / "thief"
    shutil.copytree(home / "troth", thief / "troth")
    assert who(XDG_CONFIG_HOME=str(thief)) == ada.id  # until the owner comes back
    result = command("account", "show")
    assert code_of(result) == "session-expired"
    assert kept.load(server.stage.address) is None
    assert code_of(command("account", "show", XDG_CONFIG_HOME=str(thief))) == "session-unknown"


def test_a_denied_code_leaves_nothing(server: Served, sign_in: Callable[..., Result]) -> None:
    assert code_of(sign_in("deny")) == "access-denied"
    assert kept.load(server.stage.address) is None


def test_signing_out_ends_it_there_and_here(server: Served, sign_in: Callable[..., Result]) -> None:
    sign_in()
    mine = kept.load(server.stage.address)
    assert mine is not None
    assert command("sign-out").output == "Signed out.\n"
    assert kept.load(server.stage.address) is None
    assert command("sign-out").exit_code == 1
    kept.keep(server.stage.address, mine)
    assert code_of(command("account", "show")) == "session-unknown"
    assert "over already" in command("sign-out").output


def test_a_password_session_is_kept_with_a_key_too(server: Served, ada: Person, home: Path) -> None:
    wish = {"email": "mia@by-code.example.org", "display_name": "Mia", "roles": ["member"]}
    issued = server.stage.client(ada.session).call("POST", "/v1/users", wish).json()["password"]
    made = CliRunner().invoke(troth, ["session", "create", "--email", wish["email"]], input=f"{issued}\n")
    assert made.exit_code == 0, made.exception
    assert "troth_st_" not in made.output
    assert str(kept.place()) in made.stderr
    mine = kept.load(server.stage.address)
    assert mine is not None
    typed = f"{issued}\n{PASSWORD}\n{PASSWORD}\n"
    assert CliRunner().invoke(troth, ["account", "password"], input=typed).exit_code == 0
    fresh = kept.load(server.stage.address)
    assert fresh is not None
    assert fresh.token != mine.token
    assert who() != ada.id
