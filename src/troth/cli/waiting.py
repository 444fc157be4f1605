"""Waiting for a job of the server with a bar: what it says of itself is asked again until it has ended."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import click

_EVERY_SECONDS = 1.0
_ENDED = ("done", "called-off")


def wait(ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The last answer: ended, or it waits for somebody. A fault is said once, because the server tries again."""
    job, said = ask(), ""
    with click.progressbar(length=max(job["units"], 1), label="keys", file=sys.stderr) as bar:
        while job["state"] not in (*_ENDED, "waiting"):
            if (fault := job["fault"] or "") != said and fault:
                click.echo(f"\nstopped: {fault}; it is tried again", err=True)
            said = fault
            time.sleep(_EVERY_SECONDS)
            job = ask()
            bar.length = max(job["units"], 1)
            bar.update(job["done"] - bar.pos)
    return job
