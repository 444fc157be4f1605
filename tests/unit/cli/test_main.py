"""The lazy group: help without heavy imports, every listed command real, refusals in one sentence."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from troth.cli import main as entry
from troth.cli.remote import commands
from troth.kernel.errors import Conflict

HEAVY = ("pydantic", "sqlalchemy", "cryptography", "starlette", "rich", "re2", "PIL")


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys; from troth.cli.main import troth\n"
        "try: troth(['--help'])\n"
        "except SystemExit: pass\n"
        f"sys.exit(','.join(name for name in {HEAVY!r} if name in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "redact" in done.stdout


@pytest.mark.parametrize("name", sorted(entry._LOCAL | entry._REMOTE))
def test_every_listed_command_answers_for_help(name: str) -> None:
    result = CliRunner().invoke(entry.troth, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert "Usage" in result.output


def test_the_nouns_are_those_of_the_registry() -> None:
    assert {path[0] for path in commands()} | set(entry._GROWN) == set(entry._REMOTE)


def test_a_refusal_is_one_sentence_and_no_trace(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(**_: object) -> None:
        raise Conflict("Not now; try later.", code="not-now")

    monkeypatch.setattr(entry.troth, "main", refuse)
    with pytest.raises(SystemExit) as ended:
        entry.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == "troth: Not now; try later. [not-now]\n"


def test_an_unexpected_error_shows_type_and_place_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_: object) -> None:
        raise KeyError("jane.doe@example.com")

    monkeypatch.setattr(entry.troth, "main", fail)
    with pytest.raises(SystemExit):
        entry.main()
    shown = capsys.readouterr().err
    assert "KeyError" in shown
    assert "jane" not in shown


def test_a_missing_package_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def lack(**_: object) -> None:
        raise ModuleNotFoundError("No module named 'sqlalchemy'", name="sqlalchemy.orm")

    monkeypatch.setattr(entry.troth, "main", lack)
    with pytest.raises(SystemExit):
        entry.main()
    assert "pip install 'troth[server]'" in capsys.readouterr().err


def test_stopping_by_hand_is_told_apart(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    command = click.Command("wait", callback=stop)
    monkeypatch.setattr(entry.troth, "get_command", lambda *_: command)
    monkeypatch.setattr(sys, "argv", ["troth", "wait"])
    with pytest.raises(SystemExit) as ended:
        entry.main()
    assert (ended.value.code, capsys.readouterr().err.strip()) == (130, "troth: stopped")


@pytest.mark.parametrize(("words", "code"), [(["--help"], 0), (["nonsense"], 2), (["--version"], 0)])
def test_exit_codes(monkeypatch: pytest.MonkeyPatch, words: list[str], code: int) -> None:
    monkeypatch.setattr(sys, "argv", ["troth", *words])
    with pytest.raises(SystemExit) as ended:
        entry.main()
    assert ended.value.code == code


def test_a_closed_pipe_is_no_error() -> None:
    program = f"{sys.executable} -c 'from troth.cli.main import main; main()' --help"
    done = subprocess.run(["bash", "-c", f"{program} | true"], capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_unknown_commands_are_refused_by_click() -> None:
    result = CliRunner().invoke(entry.troth, ["nonsense"])
    assert result.exit_code == click.UsageError.exit_code
