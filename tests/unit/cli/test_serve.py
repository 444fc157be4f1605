"""A crash of `troth serve` is told by type and place in lines of JSON; what was said in it stays inside."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

NEEDLE = "maria@example.org"
_CRASH = f"""
import sys, threading
import troth.cli.installation as installation
from troth.cli.main import main

class Ended(BaseException):
    pass

def thread():
    raise RuntimeError("{NEEDLE}")

def install(settings):
    early = threading.Thread(target=thread)
    early.start()
    early.join()
    raise {{}}("{NEEDLE}")

installation.install = install
sys.argv = ["troth", "serve"]
main()
"""


@pytest.mark.parametrize("kind", ["RuntimeError", "Ended"])
def test_a_crash_is_lines_of_json_without_its_message(kind: str) -> None:
    quiet = {name: value for name, value in os.environ.items() if not name.startswith("TROTH_")}
    quiet["TROTH_CONFIG"] = os.devnull
    done = subprocess.run(
        [sys.executable, "-c", _CRASH.format(kind)], env=quiet, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1
    told = [json.loads(line) for line in done.stderr.splitlines() if not line.startswith("troth: ")]
    assert [(one["error"], one["event"]) for one in told] == [
        ("RuntimeError", "uncaught"),
        (kind, "fault" if kind == "RuntimeError" else "uncaught"),
    ]
    assert told[1]["at"].startswith("cli/serve.py:")
    assert NEEDLE not in done.stderr + done.stdout
