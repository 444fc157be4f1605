"""CPU of authenticating an API key and a session: `python bench/access_authenticate.py`. Goal for keys: <= 150 us.

The world: SQLite on disk, 10 tenants, 1,000 people with two roles each, one key and one session per person.
"""

from __future__ import annotations

import hashlib
import platform
import secrets
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

from sqlalchemy import insert

from troth.identity import store
from troth.identity.api_keys import limits
from troth.identity.keys import ApiKeys
from troth.identity.sessions import Sessions
from troth.kernel.caller import Caller, Connection, Origin
from troth.kernel.clock import SystemClock, epoch_ms
from troth.kernel.personal import PersonalFields
from troth.storage.database import Database, metadata

PEOPLE = 1_000
ROUNDS = 10_000
TLS = Connection("TLSv1.3", "public", origin=Origin("api", "203.0.113.7", "bench"))


NETWORKS = ("192.0.2.0/24", "198.51.100.0/24", "2001:db8::/32", "203.0.113.0/24")  # the last one is the peer's
NO_FIELDS = cast(PersonalFields, None)  # authentication opens no sealed field; this fails if that should change


def fill(database: Database, now: int) -> tuple[list[str], list[str]]:
    """Write the world; the tokens of its keys and sessions."""
    body = "abcdefghijklmnopqrstuvwxyz234567"
    keys = [f"troth_sk_{_text(body, 26)}_{_text(body, 52)}" for _ in range(PEOPLE)]
    tokens = [f"troth_st_{_text(body, 52)}" for _ in range(PEOPLE)]
    with database.write() as connection:
        for n in range(10):
            row = {"id": f"ten_{n}", "name": "t", "jurisdiction": "eu", "created_at": now}
            connection.execute(insert(store.tenants), row)
        for n, (key, token) in enumerate(zip(keys, tokens, strict=True)):
            user = f"usr_{n}"
            person = {"id": user, "tenant": f"ten_{n % 10}", "email_index": secrets.token_bytes(32), "email": b"e"}
            person |= {"display_name": b"d", "password": b"p", "password_at": now, "password_issued": False}
            connection.execute(insert(store.users), {**person, "active": True, "created_at": now})
            for role in ("member", "auditor"):
                grant = {"user": user, "role": role, "granted_by": "x", "granted_at": now, "expires_at": now * 2}
                connection.execute(insert(store.grants), grant)
            made = {"id": f"key_{key[9:35]}", "user": user, "digest": _digest(key), "name": b"n", "scopes": "generate"}
            made |= {"created_at": now, "expires_at": now * 2, "used_at": now * 2}
            made |= {
                "network_marks": limits.marks(key, NETWORKS) if n % 2 else None,
                "models": "a b" if n % 2 else None,
            }
            connection.execute(insert(store.api_keys), made)
            opened = {"id": f"ses_{n}", "user": user, "digest": _digest(token), "method": "m", "assurance": 2}
            opened |= {"zone": "public", "created_at": now, "verified_at": now, "seen_at": now, "expires_at": now * 2}
            connection.execute(insert(store.sessions), opened)
    return keys, tokens


def measure(name: str, authenticate: Callable[[str, Connection], Caller], tokens: list[str]) -> None:
    """Print the CPU of one call."""
    for token in tokens:
        authenticate(token, TLS)
    cpu = time.process_time()
    for n in range(ROUNDS):
        authenticate(tokens[n % len(tokens)], TLS)
    cpu = time.process_time() - cpu
    print(f"{name:24}{cpu / ROUNDS * 1e6:8.1f} us CPU")


def main() -> None:
    """Fill, measure, print."""
    clock = SystemClock()
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'bench.db'}")
        metadata.create_all(database.engine)
        keys, tokens = fill(database, epoch_ms(clock.now()))
        print(f"{platform.machine()}, Python {platform.python_version()}, {PEOPLE} people, {ROUNDS} calls each")
        measure("ApiKeys.authenticate", ApiKeys(database, NO_FIELDS, clock).authenticate, keys[::2])
        measure("kept to 4 networks", ApiKeys(database, NO_FIELDS, clock).authenticate, keys[1::2])
        measure("Sessions.authenticate", Sessions(database, clock).authenticate, tokens)
        database.close()


def _text(symbols: str, length: int) -> str:
    return "".join(secrets.choice(symbols) for _ in range(length))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


if __name__ == "__main__":
    main()
