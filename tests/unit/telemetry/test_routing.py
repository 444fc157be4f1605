"""Whatever a process says beside its answers becomes a line of the journal without its message."""

from __future__ import annotations

import asyncio
import ctypes
import json
import logging
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

NEEDLE = "jane.doe@example.com 4111111111111111"

SAYS = f"""
import asyncio, gc, logging, os, sys, threading, warnings
import structlog
from troth.kernel.journal import Journal
from troth.telemetry.routing import routed
from troth.telemetry.standard_streams import OUTPUT, captured

NEEDLE = {NEEDLE!r}
library = logging.getLogger("sqlalchemy.engine")
chatty = logging.getLogger("chatty." + NEEDLE)
own = logging.getLogger("uvicorn.error"); own.addHandler(logging.StreamHandler()); own.propagate = False

class Silent:
    def __del__(self):
        raise KeyError(NEEDLE)

async def forgotten():
    async def fails():
        raise OSError(NEEDLE)
    task = asyncio.ensure_future(fails())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del task
    gc.collect()

journal = Journal(strict=True)
with routed(journal), captured(journal, OUTPUT):
    library.error("row %s", NEEDLE)
    chatty.warning(NEEDLE)
    own.error(NEEDLE)
    library.error("%d", NEEDLE)  # cannot be formatted: logging itself would print the arguments
    try:
        raise ValueError(NEEDLE)
    except ValueError:
        library.exception(NEEDLE)
    structlog.get_logger().error(NEEDLE, user=NEEDLE)
    warnings.warn(NEEDLE)
    thread = threading.Thread(target=lambda: int(NEEDLE)); thread.start(); thread.join()
    Silent()
    asyncio.run(forgotten())
    print(NEEDLE)
    structlog.reset_defaults()
    structlog.get_logger().error(NEEDLE)  # as a library does that loads it late: it prints
    print(NEEDLE, file=sys.stderr)
    sys.stderr.flush()
    os.write(2, NEEDLE.encode() + b"\\n")
    sys.excepthook(*((lambda e: (type(e), e, e.__traceback__))(RuntimeError(NEEDLE))))
    LAST
print("after", file=sys.stderr)
"""


def said(tmp_path: Path, last: str = "pass", *, routed: bool = True) -> tuple[str, int]:
    """What a process of that program writes to standard error and output."""
    program = SAYS.replace("LAST", last)
    if not routed:
        program = program.replace("with routed(journal), captured(journal, OUTPUT):", "if True:")
    file = tmp_path / "says.py"
    file.write_text(textwrap.dedent(program))
    done = subprocess.run([sys.executable, str(file)], check=False, capture_output=True, text=True, timeout=60)
    return done.stderr + done.stdout, done.returncode


def test_nothing_but_lines_of_the_journal_is_said(tmp_path: Path) -> None:
    text, code = said(tmp_path)
    assert code == 0, text
    assert NEEDLE not in text
    assert "jane" not in text
    *lines, after = text.splitlines()
    assert after == "after"  # standard error is as it was
    told = [json.loads(line) for line in lines]
    events = [one["event"] for one in told]
    assert events.count("library") >= 7
    assert {"warning", "uncaught", "unraisable", "standard-error", "standard-output"} <= set(events)
    assert sum(one["bytes"] for one in told if one["event"] == "standard-error") == 2 * (len(NEEDLE) + 1)
    libraries = [one for one in told if one["event"] == "library"]
    assert {"sqlalchemy.engine", "other", "uvicorn.error", "structlog", "asyncio"} >= {
        one["logger"] for one in libraries
    }
    assert {"other", "asyncio", "structlog"} <= {one["logger"] for one in libraries}
    assert {"ValueError", "OSError"} <= {one.get("error") for one in libraries}


def test_the_same_program_without_the_routing_says_it_all(tmp_path: Path) -> None:
    text, _ = said(tmp_path, routed=False)
    assert text.count(NEEDLE) >= 10


def test_a_crash_in_c_leaves_the_stack_and_nothing_else(tmp_path: Path) -> None:
    text, code = said(tmp_path, last="import ctypes; ctypes.string_at(0)")
    assert code < 0
    assert "Segmentation fault" in text
    assert NEEDLE not in text


def test_logging_is_as_before_afterwards(capfd: Any) -> None:
    from troth.kernel.journal import Journal  # noqa: PLC0415
    from troth.telemetry.routing import routed  # noqa: PLC0415

    before = list(logging.getLogger().handlers)
    with routed(Journal()):
        os.write(2, b"noise\n")
        libc = ctypes.CDLL(None)
        libc.perror(NEEDLE.encode())
        asyncio.run(asyncio.sleep(0))
    assert logging.getLogger().handlers == before
    text = capfd.readouterr().err
    assert "noise" not in text
    assert NEEDLE not in text
    assert "standard-error" in text
