"""Pages that tell a client what to do are followed to the letter, against a `troth serve` process."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyotp
import pytest
from click.testing import CliRunner

from served import PASSWORD, Served, served
from troth.cli.demo.stage import Person, fresh_stage, running
from troth.cli.main import troth

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("documents")) as running:
        yield running


def blocks(name: str, language: str) -> list[str]:
    """The code blocks of one language on a page."""
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", (DOCS / name).read_text(), re.M | re.S)


def followed(server: Served, program: list[str], **environment: str) -> str:
    """What a program printed that knows nothing but the environment that a page speaks of."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("TROTH_", "OPENAI_", "SSL_"))}
    done = subprocess.run(
        [sys.executable, *program], env=clean | environment, capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_openai_client_as_the_pages_say(server: Served) -> None:
    named = dict(re.findall(r"^export (\w+)=(\S+)$", blocks("how-to/point-a-client.md", "sh")[0], re.M))
    authority = Path(server.stage.authority)
    assert Path(named["SSL_CERT_FILE"]).parts[-2:] == authority.relative_to(server.stage.keys).parts
    values = (f"{server.stage.address}/v1", server.key(server.tenant("pages")), str(authority))
    assert set(named) == {"OPENAI_BASE_URL", "OPENAI_API_KEY", "SSL_CERT_FILE"}
    code = [*blocks("how-to/point-a-client.md", "python"), *blocks("tutorials/first-day.md", "python")]
    assert len(code) == 2
    said = followed(server, ["-c", "\n".join(code)], **dict(zip(named, values, strict=True)))
    assert "Maria Rossi" in said


class Guided:
    """Somebody who types what a page says, and puts in what the page leaves open."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.answer: dict[str, Any] = {}

    def line(self, words: list[str], typed: str = "") -> None:
        """One line of a page: a `troth` command, or `export` of the token in the last answer."""
        if words[0] == "troth":
            done = CliRunner().invoke(troth, [*words[1:], "--json"], input=typed, env=self.environment)
            assert done.exit_code == 0, (words, done.exception)
            printed = done.stdout
            self.answer = json.loads(printed[printed.index("{") :])
        elif words[0] == "unset":
            self.environment[words[1]] = ""
        elif words[1].startswith(("TROTH_SESSION=", "TROTH_API_KEY=")):
            self.environment[words[1].partition("=")[0]] = self.answer["token"]


def test_first_tenant_as_the_page_says(tmp_path: Path) -> None:
    stage = fresh_stage(tmp_path)
    Path(tmp_path / "no.toml").write_text("[promises]\nfirst_after_seconds = 86400\n")
    pages = [[shlex.split(line) for line in block.splitlines()] for block in blocks("how-to/first-tenant.md", "sh")]
    first, second, tenant, welcome, people, key = pages
    with running(stage) as operator:
        guided = Guided({"TROTH_URL": stage.address, "TROTH_CA": stage.authority, "TROTH_API_KEY": ""})
        code = pyotp.TOTP(operator["TOTP secret"]).now()
        assert operator["e-mail"] in first[2]
        for line in first:
            guided.line(line, f"{code}\n{operator['password']}\n")
        for line in second:
            guided.line(line)
        assert len(guided.answer["operators"]) == 2
        guided.line(tenant[0])
        issued = guided.answer["password"]
        typed = {"session": f"{issued}\n", "account": f"{issued}\n{PASSWORD}\n{PASSWORD}\n"}
        for line in welcome:
            if line[:3] == ["troth", "totp", "confirm"]:
                typed["totp"] = pyotp.TOTP(guided.answer["secret"]).now() + "\n"
            guided.line(line, typed.get(line[1], ""))
        for line in [*people, *key]:
            guided.line(line)
    assert "TROTH_SESSION" not in guided.environment
    assert {one["id"] for one in guided.answer["data"]} >= {"troth-echo-1", "troth-studio-1"}


def test_keys_are_limited_as_the_page_says(server: Served) -> None:
    person = server.tenant("limits")
    guided = Guided({"TROTH_URL": server.stage.address, "TROTH_CA": str(server.stage.authority)})
    server.stage.keep(person.session)
    guided.environment |= {"TROTH_SESSION": person.session, "TROTH_API_KEY": ""}
    (lines,) = [
        [shlex.split(line) for line in block.splitlines()] for block in blocks("how-to/limit-api-keys.md", "sh")
    ]
    made = ""
    for line in lines:
        guided.line([made if word == "key_id" else word for word in line])
        made = guided.answer.get("id", made)
    listed = server.stage.client(person.session).call("GET", "/v1/keys").json()["keys"]
    assert [(one["state"], one["networks"], one["models"]) for one in listed] == [
        ("replaced", ["203.0.113.0/24", "2001:db8::/32"], ["troth-echo-1"])
    ]


def test_a_token_that_was_rotated_away_is_not_the_sessions(server: Served) -> None:
    """The page says that tokens change with the session's strength: the answers do hold another one."""
    owner: Person = server.tenant("rotated")
    wish = {"email": "m@rotated.example.org", "display_name": "M", "roles": ["member"]}
    issued = server.stage.client(owner.session).call("POST", "/v1/users", wish).json()["password"]
    first = server.stage.client().call("POST", "/v1/sessions", {"email": wish["email"], "password": issued}).json()
    change = {"current": issued, "new": PASSWORD}
    second = server.stage.client(first["token"]).call("POST", "/v1/password", change).json()
    assert second["id"] == first["id"]
    assert second["token"] != first["token"]
