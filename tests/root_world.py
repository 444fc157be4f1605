"""Real providers of roots for tests: a SoftHSM token in a folder of its own, and an OpenBao server on loopback."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from troth.kernel.clock import SystemClock
from troth.keys.domains import Domain
from troth.keys.roots.binding import Binding
from troth.keys.roots.local import LocalRoot
from troth.keys.roots.module import TokenPlace
from troth.keys.roots.openbao import OpenBaoRoot
from troth.keys.roots.pkcs11 import Pkcs11Root
from troth.keys.roots.port import Root
from troth.keys.roots.transit import ServicePlace
from troth.keys.tree import KeyTree
from troth.storage.blobs import LocalBlobs
from troth.storage.database import Database, metadata

PIN = "87654321"
KINDS = ("local", "pkcs11", "openbao")
_LIBRARIES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so")


def library() -> Path:
    """SoftHSM's module library. Raises FileNotFoundError when it is not installed."""
    for place in _LIBRARIES:
        if Path(place).exists():
            return Path(place)
    raise FileNotFoundError("SoftHSM is not installed: apt-get install softhsm2")


def secret(path: Path, text: str) -> Path:
    """A file of mode 0600."""
    path.write_text(f"{text}\n")
    path.chmod(0o600)
    return path


def new_token(folder: Path, label: str, pin: str = PIN) -> TokenPlace:
    """A SoftHSM token of that label in a store of its own, which the process then uses."""
    store = folder / "tokens"
    store.mkdir(parents=True, exist_ok=True)
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {store}\nobjectstore.backend = file\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    initialise(label, pin)
    return TokenPlace(library(), label, secret(folder / f"{label}.pin", pin))


def initialise(label: str, pin: str = PIN, *, slot: str = "--free") -> None:
    """Initialise a token (anew)."""
    command = ["softhsm2-util", "--init-token", *slot.split(), "--label", label, "--so-pin", "12345678", "--pin", pin]
    subprocess.run(command, check=True, capture_output=True)


@dataclass
class Bao:
    """An OpenBao server with raft storage on disk: what it acknowledged survives kill -9."""

    folder: Path
    port: int = 0
    token: str = ""
    key: str = ""
    extra: str = ""
    scheme: str = "http"
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start it and, when it was initialised before, unseal it."""
        (self.folder / "raft").mkdir(parents=True, exist_ok=True)
        self.port = self.port or free_port()
        (self.folder / "bao.hcl").write_text(self._configuration())
        program = Path(sys.executable).with_name("bao")
        with (self.folder / "bao.log").open("ab") as log:
            self.process = subprocess.Popen(
                [program, "server", f"-config={self.folder / 'bao.hcl'}"], stdout=log, stderr=log
            )
        self._until(lambda: self.ask("GET", "sys/seal-status") is not None)
        if self.key:
            self.unseal()

    def install(self) -> None:
        """First start: initialise, unseal, enable transit as the manual says."""
        self.start()
        made = self.ask("PUT", "sys/init", secret_shares=1, secret_threshold=1)
        self.key, self.token = made["keys"][0], made["root_token"]
        self.unseal()
        self.ask("POST", "sys/mounts/transit", type="transit")
        self.ask("POST", "transit/config/keys", disable_upsert=True)

    def unseal(self) -> None:
        self.ask("PUT", "sys/unseal", key=self.key)
        self._until(lambda: self.ask("GET", "sys/health") is not None)

    def kill(self) -> None:
        """SIGKILL, as a power cut."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(30)
            self.process = None

    def stop(self) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def place(self, folder: Path, *, token: str | None = None, mount: str = "transit") -> ServicePlace:
        folder.mkdir(parents=True, exist_ok=True)
        kept = secret(folder / f"{secrets.token_hex(4)}.token", token or self.token)
        return ServicePlace(f"http://127.0.0.1:{self.port}", mount, kept, None, None, 5.0)

    def ask(self, method: str, path: str, **body: Any) -> Any:
        """The answer's JSON, {} without one, None for a refusal or no answer."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/v1/{path}",
            json.dumps(body).encode() if body else None,
            {"X-Vault-Token": self.token, "Content-Type": "application/json"},
            method=method,
        )
        with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"{}")
        return None

    def _until(self, ready: Callable[[], bool]) -> None:
        for _ in range(600):
            if ready():
                return
            time.sleep(0.05)
        raise TimeoutError((self.folder / "bao.log").read_text()[-2000:])

    def _configuration(self) -> str:
        listen = f'listener "tcp" {{ address = "127.0.0.1:{self.port}"\n tls_disable = true }}\n'
        return (
            f'storage "raft" {{ path = "{self.folder}/raft"\n node_id = "one"\n performance_multiplier = 1 }}\n{listen}'
            f'{self.extra}\napi_addr = "http://127.0.0.1:{self.port}"\n'
            f'cluster_addr = "http://127.0.0.1:{free_port()}"\ndisable_mlock = true\n'
        )


@lru_cache(maxsize=1)
def bao() -> Bao:
    """The one server of this test process; gone when the process ends."""
    server = Bao(Path(mkdtemp(prefix="troth-bao-")))
    atexit.register(server.stop)
    server.install()
    return server


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@dataclass
class Provider:
    """One provider in a folder of its own: roots on it, away with it, and back."""

    kind: str
    folder: Path
    domain: str = field(default_factory=lambda: f"d{secrets.token_hex(4)}")
    place: Any = None

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.kind == "pkcs11":
            self.place = new_token(self.folder, self.domain)
        if self.kind == "openbao":
            self.place = bao().place(self.folder)

    def sibling(self) -> Provider:
        """Another domain on the same provider; a token of its own in the same store."""
        return Provider(self.kind, self.folder)

    def root(self) -> Root:
        """A root as a process that starts now has it."""
        binding = Binding(self.folder / "bound" / f"{self.domain}.mark")
        if self.kind == "local":
            return LocalRoot(self.folder / f"roots-{self.domain}", self.domain)
        if self.kind == "pkcs11":
            os.environ["SOFTHSM2_CONF"] = str(self.folder / "softhsm2.conf")
            return Pkcs11Root(self.place, binding, self.domain)
        return OpenBaoRoot(self.place, binding, self.domain)

    def away(self) -> None:
        """The provider vanishes: the folder is unmounted, the token pulled, the server killed."""
        if self.kind == "openbao":
            bao().kill()
        else:
            self._store.rename(self._store.with_name("away"))

    def back(self) -> None:
        if self.kind == "openbao":
            bao().start()
        else:
            self._store.with_name("away").rename(self._store)

    @property
    def _store(self) -> Path:
        return self.folder / (f"roots-{self.domain}" if self.kind == "local" else "tokens")


def tree_over(folder: Path, roots: Sequence[Root]) -> KeyTree:
    """A key tree on a SQLite database in `folder`, with these roots; as a process that starts now has it."""
    database = Database(f"sqlite:///{folder}/troth.db")
    metadata.create_all(database.engine)
    domains = [Domain(root, LocalBlobs(folder / f"copies-{root.domain}")) for root in roots]
    return KeyTree(database, domains, SystemClock())
