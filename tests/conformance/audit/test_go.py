"""Go's own transparency log (golang.org/x/mod/sumdb, from Debian) accepts our logs and refuses bent ones."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from log_verifiers import Given, Refused
from tampering import CLASSES, Bent, Logs, forged_proof, require_caught

GO = Path("/usr/lib/go-1.19/bin/go")
_SOURCE = Path(__file__).with_name("go") / "main.go"


class Go:
    """The built checker as a verifier of whole logs."""

    def __init__(self, program: Path) -> None:
        self._program = program

    def check(self, given: Given) -> dict[str, object]:
        command = [self._program, given.folder, given.trust, *given.trusted]
        done = subprocess.run([str(one) for one in command], capture_output=True, text=True, timeout=60, check=False)
        if done.stdout.startswith("refused:"):
            raise Refused(done.stdout)
        assert done.returncode == 0, done.stderr
        return {"size": int(done.stdout.removeprefix("holds: "))}


@pytest.fixture(scope="module")
def go(tmp_path_factory: pytest.TempPathFactory) -> Go:
    assert GO.exists(), "Go is missing; `scripts/system-packages test` installs it"
    folder = tmp_path_factory.mktemp("go")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GO111MODULE": "off",
        "GOPATH": "/usr/share/gocode",
        "GOCACHE": str(folder / "cache"),
        "CGO_ENABLED": "0",
    }
    command = [str(GO), "build", "-o", str(folder / "check"), str(_SOURCE)]
    built = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return Go(folder / "check")


def test_go_holds_our_log(go: Go, logs: Logs) -> None:
    assert go.check(logs.honest) == {"size": 730}
    assert go.check(replace(logs.honest, trusted=(logs.scratch / "early" / "checkpoint",))) == {"size": 730}


@pytest.mark.parametrize("bend", [one for one in CLASSES if one is not forged_proof], ids=lambda one: one.__name__)
def test_go_refuses_a_bent_log(go: Go, logs: Logs, bend: Callable[[Logs], Bent]) -> None:
    require_caught(go, replace(bend(logs), says="", first=None))
