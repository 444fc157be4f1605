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

from sqlalchemy import create_engine, make_url, text

_BEGUN: dict[str, tuple[str | None, list[str | Path], list[str | Path]]] = {}  # by URL: user, to start it, to end it


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
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={home} -c max_connections=120"
    options += " -c fsync=off"  # no power is cut here; `crash` ends the server, not the machine
    initdb = [binaries / "initdb", "-D", data, "-U", "troth", "-A", "scram-sha-256", "--pwfile", secret, "-E", "UTF8"]
    _run(as_user, [*initdb, "--no-locale"])
    url = f"postgresql+psycopg://troth:{password}@127.0.0.1:{port}/postgres"
    begin: list[str | Path] = [binaries / "pg_ctl", "-D", data, "-l", home / "log", "-o", options, "-w", "-t", "60"]
    _BEGUN[url] = (as_user, [*begin, "start"], [*begin, "-m", "immediate", "stop"])
    revive(url)
    atexit.register(_stop, as_user, binaries, home)
    return url


def crash(url: str) -> None:
    """End a server that `start` gave as a power cut would: nothing is finished, the next start recovers."""
    as_user, _, end = _BEGUN[url]
    _run(as_user, end)


def revive(url: str) -> None:
    """Start it again, on the same address and folder."""
    as_user, begin, _ = _BEGUN[url]
    _run(as_user, begin)


def another(url: str, name: str) -> str:
    """A database of its own on the server at `url`, made when it is not there, and its URL."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        if not connection.execute(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}).scalar():
            connection.execute(text(f'CREATE DATABASE "{name}"'))
    engine.dispose()
    return make_url(url).set(database=name).render_as_string(hide_password=False)


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
