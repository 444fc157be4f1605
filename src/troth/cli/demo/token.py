"""A token for the demonstration, when this machine has SoftHSM: in a folder of its own, gone with the next run.

SoftHSM speaks the interface of hardware modules and keeps its keys in files, so what it reaches is assurance A0. The
demonstration says so; the same settings with a real module reach A2.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

LABEL = DOMAIN = "hsm"
_SECONDS = 30
_LIBRARIES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
)


@dataclass(frozen=True, slots=True)
class Token:
    """One SoftHSM token: its folder holds the store, the configuration and the PIN file."""

    folder: Path
    library: Path

    @property
    def configuration(self) -> Path:
        """What SOFTHSM2_CONF names."""
        return self.folder / "softhsm2.conf"

    @property
    def pin_file(self) -> Path:
        """The user PIN, mode 0600."""
        return self.folder / "pin"

    @property
    def environment(self) -> dict[str, str]:
        """What a server needs to have it as its second key domain."""
        mine = {"kind": "pkcs11", "name": DOMAIN, "library": str(self.library), "token": LABEL}
        domains = [{"kind": "local"}, mine | {"pin_file": str(self.pin_file)}]
        return {"SOFTHSM2_CONF": str(self.configuration), "TROTH_KEYS__DOMAINS": json.dumps(domains)}

    def configure(self) -> None:
        """Write the configuration for the folder where the token lies now."""
        lines = (f"directories.tokendir = {self.folder / 'tokens'}", "objectstore.backend = file", "log.level = ERROR")
        self.configuration.write_text("\n".join(lines) + "\n")

    def copied(self, folder: Path) -> Token:
        """The whole token at another place, as somebody has it who holds today's keys."""
        shutil.copytree(self.folder, folder)
        copy = Token(folder, self.library)
        copy.configure()
        return copy


def new_token(folder: Path) -> Token | None:
    """A fresh token in `folder`; None when this machine has no SoftHSM, or it does not work here."""
    library = next((Path(one) for one in _LIBRARIES if Path(one).exists()), None)
    program = shutil.which("softhsm2-util")
    if library is None or program is None or find_spec("pkcs11") is None:
        return None
    (folder / "tokens").mkdir(parents=True, mode=0o700)
    token, pin = Token(folder, library), secrets.token_hex(8)
    token.configure()
    with os.fdopen(os.open(token.pin_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(pin)
    command = [program, "--init-token", "--free", "--label", LABEL, "--so-pin", secrets.token_hex(8), "--pin", pin]
    environment = os.environ | {"SOFTHSM2_CONF": str(token.configuration)}
    try:
        subprocess.run(command, env=environment, check=True, capture_output=True, timeout=_SECONDS)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    return token
