"""The first start: where the output is kept (a journal, a file), no credential is printed and no operator is made."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from troth.cli.demo.stage import Stage, fresh_stage, sign_in

_TROTH = [sys.executable, "-c", "from troth.cli.main import main; main()"]


def _environment(stage: Stage) -> dict[str, str]:
    (stage.root / "no.toml").write_text("[promises]\nfirst_after_seconds = 86400\n")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TROTH_")}
    return kept | {
        "TROTH_DATA__FOLDER": str(stage.data),
        "TROTH_DATA__KEYS": str(stage.keys),
        "TROTH_SERVER__PORT": str(stage.port),
        "TROTH_CONFIG": str(stage.root / "no.toml"),
    }


@contextmanager
def _serving(stage: Stage, output: int) -> Iterator[None]:
    with stage.journal.open("wb") as journal:
        server = subprocess.Popen([*_TROTH, "serve"], env=_environment(stage), stdout=output, stderr=journal)
        try:
            yield
        finally:
            server.terminate()
            server.wait(30)


def _said(descriptor: int) -> list[str]:
    """What the server prints until it answers."""
    with os.fdopen(descriptor, "r", encoding="utf-8", closefd=False) as lines:
        said = []
        for line in lines:
            said.append(line.strip())
            if line.strip().startswith("certificate authority"):
                return said
    raise AssertionError(f"the server did not start: {said}")


def _credentials(lines: list[str]) -> dict[str, str]:
    pairs = [line.strip().partition("  ") for line in lines]
    return {name: value.strip() for name, _, value in pairs}


def test_a_journal_gets_no_credentials_and_init_makes_the_operator(tmp_path: Path) -> None:
    stage = fresh_stage(tmp_path)
    ours, theirs = os.pipe()
    with _serving(stage, theirs):
        said = _said(ours)
    assert said[0].startswith("There is no operator yet: stop this server, run 'troth init'")
    assert not any("password" in line or "TOTP" in line or "recovery" in line for line in said)
    init = subprocess.run([*_TROTH, "init"], env=_environment(stage), capture_output=True, text=True, check=True)
    made = _credentials(init.stdout.splitlines())
    with _serving(stage, theirs):
        assert _said(ours)[0].startswith("Troth answers")
        assert sign_in(stage, made["e-mail"], made["password"], made["TOTP secret"])
    os.close(ours)
    os.close(theirs)


def test_a_terminal_gets_them_once(tmp_path: Path) -> None:
    stage = fresh_stage(tmp_path)
    for first in (True, False):
        ours, theirs = pty.openpty()
        with _serving(stage, theirs):
            said = _credentials(_said(ours))
            assert ("password" in said) is first
            if first:
                assert sign_in(stage, said["e-mail"], said["password"], said["TOTP secret"])
        os.close(ours)
        os.close(theirs)
