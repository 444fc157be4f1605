"""A real server for the needle test: all of telemetry on, and some operations that fail loudly with what they got."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import sys
import threading
import warnings
from dataclasses import replace
from typing import Any

from troth.cli.installation import install, open_door, operator
from troth.kernel.operation import Call
from troth.settings.load import load

LOUD = ("text.redact", "consent.list")  # their bodies say what they got in every way that a library may, and fail


async def _forgotten(text: str) -> None:
    raise LookupError(text)


class _Bad:
    def __init__(self, text: str) -> None:
        self.text = text

    def __del__(self) -> None:
        raise KeyError(self.text)


def _loud(_call: Call, request: Any) -> None:
    text = request.model_dump_json()
    logging.getLogger("sqlalchemy.engine").error("parameters: %s", text)
    logging.getLogger(f"chatty.{text[:40]}").warning(text)
    warnings.warn(text, stacklevel=1)
    print(text, file=sys.stderr, flush=True)
    os.write(2, text.encode()[:60_000])
    _Bad(text)
    thread = threading.Thread(target=lambda: int(text))
    thread.start()
    thread.join()
    loop = asyncio.new_event_loop()
    task = loop.create_task(_forgotten(text))
    del task
    loop.run_until_complete(asyncio.sleep(0))
    gc.collect()
    loop.close()
    try:
        json.loads(text + text)
    except ValueError as error:
        raise RuntimeError(f"cannot read {text}") from error


def main() -> None:
    settings = load()
    installation = install(settings, checks=False)
    system = installation.troth.system
    operations = system.dispatcher.registry._operations
    for name in LOUD:
        operations[name] = replace(operations[name], run=_loud)

    def ready(address: str) -> None:
        made = operator(installation, "operator@localhost.test")
        assert made is not None
        listener = system.base.instruments.listener
        said = {"address": address, "password": made.password, "secret": made.totp_secret, "metrics": listener.port}
        print(json.dumps(said), flush=True)

    open_door(installation, settings, ready)


if __name__ == "__main__":
    main()
