"""A real server for the browser: the whole installation behind TLS on loopback, without the hourly checks."""

from __future__ import annotations

import json

from troth.cli.installation import install, open_door, operator
from troth.settings.load import load


def main() -> None:
    settings = load()
    installation = install(settings, checks=False)

    def ready(address: str) -> None:
        made = operator(installation, "operator@localhost.test")
        assert made is not None
        print(json.dumps({"address": address, "password": made.password, "secret": made.totp_secret}), flush=True)

    open_door(installation, settings, ready)


if __name__ == "__main__":
    main()
