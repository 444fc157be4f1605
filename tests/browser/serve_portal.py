"""A real server for the browser: the whole installation behind TLS on loopback, without the hourly checks.

Each line of its input is the id of a person, for whom it opens a session as a sign-in at the portal does.
"""

from __future__ import annotations

import json
import os
import sys
from threading import Thread
from typing import TextIO

from troth.cli.installation import Installation, install, open_door, operator
from troth.identity.sessions import Proof
from troth.kernel.scope import SYSTEM, within
from troth.settings.load import load


def main() -> None:
    settings = load()
    installation = install(settings, checks=False)

    def ready(address: str) -> None:
        made = operator(installation, "operator@localhost.test")
        assert made is not None
        print(json.dumps({"address": address, "password": made.password, "secret": made.totp_secret}), flush=True)
        told = os.fdopen(os.dup(sys.stdout.fileno()), "w")  # what is printed from here on goes to the journal
        Thread(target=_serve_sessions, args=(installation, told), daemon=True).start()

    open_door(installation, settings, ready)


def _serve_sessions(installation: Installation, told: TextIO) -> None:
    for line in sys.stdin:
        with within(SYSTEM):
            opened = installation.troth.system.identity.sessions.open(
                line.strip(), Proof("password+totp", 2), "loopback"
            )
        print(opened.token, file=told, flush=True)


if __name__ == "__main__":
    main()
