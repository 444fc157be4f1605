"""A private PostgreSQL server for tests: loopback only, a random password, gone when the tests end."""

from __future__ import annotations

import atexit
import contextlib
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path


def start(tmp: Path) -> str:
    """Create a cluster, start it, and give an SQLAlchemy URL. It is stopped and removed when the process ends.

    `tmp` holds the cluster; as root, PostgreSQL refuses to run, so the cluster then lies in a folder of its own that
    belongs to the user `postgres`. Raises FileNotFoundError when the server is not installed.
    """
    binaries = _binaries()
    as_user, home = _home(tmp)
    password = secrets.token_hex(16)
    secret = home / "password"
    secret.write_text(password)
    _give(secret, as_user)
    data, port = home / "data", _free_port()
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={home} -c max_connections=60"
    initdb = [binaries / "initdb", "-D", data, "-U", "troth", "-A", "scram-sha-256", "--pwfile", secret, "-E", "UTF8"]
    _run(as_user, [*initdb, "--no-locale"])
    _run(as_user, [binaries / "pg_ctl", "-D", data, "-l", home / "log", "-o", options, "-w", "-t", "60", "start"])
    atexit.register(_stop, as_user, binaries, home)
    return f"postgresql+psycopg://troth:{password}@127.0.0.1:{port}/postgres"


def _binaries() -> Path:
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda one: int(one.parts[-3]))
    if versions:
        return versions[-1].parent
    found = shutil.which("pg_ctl")
    if found is None:
        raise FileNotFoundError("PostgreSQL is not installed: apt-get install postgresql")
    return Path(found).resolve().parent


def _home(tmp: Path) -> tuple[str | None, Path]:
    if os.geteuid() != 0:
        home = tmp / "postgres"
        home.mkdir(mode=0o700)
        return None, home
    home = Path(tempfile.mkdtemp(prefix="troth-postgres-"))
    _give(home, "postgres")
    return "postgres", home


def _give(path: Path, user: str | None) -> None:
    if user is not None:
        entry = pwd.getpwnam(user)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def _run(user: str | None, command: list[str | Path]) -> None:
    prefix = ["runuser", "-u", user, "--"] if user else []
    full = [*prefix, *map(str, command)]
    subprocess.run(full, check=True, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _stop(user: str | None, binaries: Path, home: Path) -> None:
    with contextlib.suppress(subprocess.SubprocessError):
        _run(user, [binaries / "pg_ctl", "-D", home / "data", "-m", "immediate", "-w", "stop"])
    shutil.rmtree(home, ignore_errors=True)
