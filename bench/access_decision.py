"""Time of one policy decision: `python bench/access_decision.py`. Goal: <= 250 microseconds of CPU.

The world: 80 operations in all groups, the shipped policies, callers of every kind and role in turn.
"""

from __future__ import annotations

import itertools
import platform
import time

from troth.access.policy import CedarDecider
from troth.kernel.caller import Authentication, Caller, Connection
from troth.kernel.data_class import DataClass
from troth.kernel.operation import Declaration, Group, Operation, Route

ROUNDS = 8_000


def operations() -> list[Operation]:
    """Eight operations in each group."""
    return [
        Operation(
            Declaration(f"{group.value}.act{n}", group, dict, Route("GET", f"/{group}/{n}"), None, DataClass.ACCOUNT),
            print,
        )
        for group in Group
        for n in range(8)
    ]


def callers() -> list[Caller]:
    """One caller of each role, keys included."""
    tls = Connection("TLSv1.3", "public")
    strong = Authentication("password+totp", 2, 300)
    people = [
        Caller("usr_1", "user", "ten_1", "usr_1", frozenset({role}), authentication=strong, connection=tls)
        for role in ("owner", "admin", "member", "auditor", "privacy-officer")
    ]
    scopes = frozenset({"generate", "own-data"})
    weak = Authentication("api-key", 1, 300)
    key = Caller(
        "key_1", "api-key", "ten_1", "usr_1", frozenset({"member"}), scopes, authentication=weak, connection=tls
    )
    operator = Caller("usr_2", "operator", roles=frozenset({"operator"}), authentication=strong, connection=tls)
    return [*people, key, operator, Caller("anonymous", connection=tls)]


def main() -> None:
    """Measure and print one table."""
    started = time.process_time()
    actions = operations()
    decider = CedarDecider(actions)
    construction = time.process_time() - started
    pairs = list(itertools.islice(itertools.cycle(itertools.product(callers(), actions)), ROUNDS))
    for caller, action in pairs[:640]:
        decider.decide(caller, action)
    times: list[float] = []
    cpu = time.process_time()
    for caller, action in pairs:
        before = time.perf_counter()
        decider.decide(caller, action)
        times.append(time.perf_counter() - before)
    cpu = time.process_time() - cpu
    times.sort()
    print(f"{platform.machine()}, Python {platform.python_version()}, {len(actions)} operations, {ROUNDS} decisions")
    print(f"construction          {construction * 1e3:8.1f} ms")
    print(f"CPU per decision      {cpu / ROUNDS * 1e6:8.1f} us")
    print(f"wall p50 / p99        {times[ROUNDS // 2] * 1e6:8.1f} / {times[ROUNDS * 99 // 100] * 1e6:.1f} us")
    print(f"decisions per CPU-s   {ROUNDS / cpu:8.0f}")


if __name__ == "__main__":
    main()
