"""Policy decisions with 7,000 people, and what identity and decision together add to a request.

    .venv/bin/python bench/policy_decisions.py [--write]

Every decision of the first figures is over evidence that no other has, so nothing is remembered. `--write` replaces
bench/results/policy_decisions.md.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import cedarpy

from troth.access.evidence import Evidence, evidence_of
from troth.access.policy import CedarDecider, shipped_policies
from troth.access.schema import entities_of, schema_of
from troth.identity.devices.holding import DeviceKey
from troth.identity.devices.shown import Scheme, Shown
from troth.identity.keys import NewKey
from troth.identity.sessions import Proof
from troth.identity.users import NewUser
from troth.kernel.caller import Authentication, Caller, Connection, Device
from troth.kernel.clock import epoch_ms
from troth.kernel.operation import Operation
from troth.kernel.scope import SYSTEM, within
from troth.promises.system import System
from troth.settings.load import load
from troth.wiring import opened

PEOPLE = 7_000
ROUNDS = 6_000
REQUESTS = 1_500
ROLES = ("owner", "admin", "member", "auditor", "privacy-officer")
GOAL_RATE, GOAL_MS = 3_000, 2.0
HERE = Connection("TLSv1.3", "public")
Row = tuple[str, str, str]


def people() -> list[Caller]:
    """7,000 people: every pair of roles, ages of minutes, bindings of days."""
    pairs = [frozenset(pair) for pair in itertools.combinations_with_replacement(ROLES, 2)]
    return [
        Caller(
            f"usr_{n}",
            "user",
            f"ten_{n % 70}",
            f"usr_{n}",
            pairs[n % len(pairs)],
            authentication=Authentication("password+totp", 2, 60 * (n % 700)),
            device=Device("webcrypto", "aa", age_seconds=86_400 * (n // 70)),
            connection=HERE,
        )
        for n in range(PEOPLE)
    ]


def questions(operations: list[Operation]) -> list[Evidence]:
    """One of each person, about the operations in turn; no two alike."""
    asked = [evidence_of(who, operations[n % len(operations)]) for n, who in enumerate(people())]
    assert len({one.digest() for one in asked}) == PEOPLE
    return asked


def rate(judge: Callable[[Evidence], object], asked: list[Evidence]) -> tuple[float, float]:
    """Decisions a second by the clock and by CPU."""
    for one in asked[ROUNDS:]:
        judge(one)
    begun, cpu = time.perf_counter(), time.process_time()
    for one in asked[:ROUNDS]:
        judge(one)
    return ROUNDS / (time.perf_counter() - begun), ROUNDS / (time.process_time() - cpu)


def one_big_slice(operations: list[Operation]) -> Callable[[Evidence], object]:
    """The same policies where all people are entities of one set, and each decision names one of them."""
    schema = cedarpy.Schema.from_json_str(json.dumps(schema_of(operations)))
    policies = cedarpy.PolicySet.from_str("\n".join(text for _, text in sorted(shipped_policies().items())))
    whole = {json.dumps(entity["uid"]): entity for role in ROLES for entity in entities_of("user", [role])[1:]}
    for who in people():
        parents = [{"type": "Role", "id": role} for role in sorted(who.roles)]
        whole[who.actor] = {"uid": {"type": "User", "id": who.actor}, "attrs": {}, "parents": parents}
    entities = cedarpy.Entities.from_json_str(json.dumps(list(whole.values())), schema)
    actors = itertools.cycle(range(PEOPLE))

    def judge(evidence: Evidence) -> object:
        request = {
            "principal": {"type": "User", "id": f"usr_{next(actors)}"},
            "action": {"type": "Action", "id": evidence.action},
            "resource": {"type": "DataClass", "id": evidence.data_class},
            "context": dict(evidence.context),
        }
        return cedarpy.is_authorized(request, policies, entities, schema)

    return judge


def lone_permit() -> Callable[[Evidence], object]:
    """What the library itself costs: one policy without a condition, no schema, no entity, an empty context."""
    policies = cedarpy.PolicySet.from_str("permit (principal, action, resource);")
    none = cedarpy.Entities.from_json_str("[]")

    def judge(evidence: Evidence) -> object:
        request = {
            "principal": {"type": "User", "id": "a"},
            "action": {"type": "Action", "id": evidence.action},
            "resource": {"type": "DataClass", "id": evidence.data_class},
            "context": {},
        }
        return cedarpy.is_authorized(request, policies, none)

    return judge


def timed(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return (time.perf_counter() - begun) * 1e3


def decisions(operations: list[Operation]) -> Iterator[Row]:
    asked = questions(operations)
    decider = CedarDecider(operations)
    found, cpu = rate(decider.judge, asked)
    yield "decisions, none alike", f"{found:,.0f}/s", f"{cpu:,.0f}/s of CPU; goal {GOAL_RATE:,}/s"
    again, _ = rate(decider.judge, asked[:1] * PEOPLE)
    yield "the same question again", f"{again:,.0f}/s", "remembered"
    big, cpu = rate(one_big_slice(operations), asked)
    yield f"all {PEOPLE:,} people as entities", f"{big:,.0f}/s", f"{cpu:,.0f}/s of CPU; without the digest"
    lone, _ = rate(lone_permit(), asked)
    yield "the library alone", f"{lone:,.0f}/s", f"one policy, no schema: the bound; we reach {found / lone:.0%} of it"
    digests, _ = rate(lambda one: one.digest(), asked)
    yield "the digest alone", f"{digests:,.0f}/s", "canonical JSON and SHA-256"


def added(system: System) -> Iterator[Row]:
    """Milliseconds that knowing who asks and deciding add to a request, on a living installation with SQLite."""
    identity, operation, device = system.identity, system.dispatcher.registry["object.list"], DeviceKey()
    tenant, _ = system.probe_person(neighbour=False)
    made = identity.users.create(NewUser(tenant, "bench@example.org", "Bench", frozenset({"member"}), "svc_bench"))
    session = identity.sessions.open(made.id, Proof("password+totp", 2), "public")
    identity.sessions.bind_to(session.id, Device("dpop", device.thumbprint))
    key = identity.keys.create(NewKey(tenant, made.id, "bench", frozenset({"own-data"}), 1)).token
    url, ages = identity.passkeys.party.origins[0] + "/v1/objects", itertools.count()

    def decided(caller: Caller) -> None:
        aged = dataclasses.replace(caller.authentication, age_seconds=60 * (next(ages) % 700))
        system.decider.decide(dataclasses.replace(caller, authentication=aged), operation)

    def bound(shown: Shown) -> None:
        decided(identity.sessions.authenticate(session.token, HERE, shown))

    def proof() -> Shown:
        now = epoch_ms(system.base.clock.now())
        return Shown(Scheme.DPOP, device.proof("GET", url, now=now, token=session.token), "GET", "/v1/objects")

    proofs = (proof() for _ in range(REQUESTS))
    yield _figure("a session bound by DPoP", [timed(partial(bound, one)) for one in proofs])
    by_key = [timed(lambda: decided(identity.keys.authenticate(key, HERE))) for _ in range(REQUESTS)]
    yield _figure("an API key", by_key)


def _figure(name: str, times: list[float]) -> Row:
    p99 = statistics.quantiles(times, n=100)[98]
    return (
        f"added to a request: {name}",
        f"p50 {statistics.median(times):.2f} ms",
        f"p99 {p99:.2f} ms; goal {GOAL_MS} ms",
    )


def measured() -> list[Row]:
    with TemporaryDirectory(dir=os.environ.get("TROTH_BENCH_DIR")) as name:
        place = {"folder": Path(name) / "data", "keys": Path(name) / "keys"}
        with within(SYSTEM), opened(load(data=place)) as troth:
            system = troth.system
            return [*decisions(list(system.dispatcher.registry)), *added(system)]


def page(rows: list[Row]) -> str:
    load = os.getloadavg()[0]
    told = (
        f"`.venv/bin/python bench/policy_decisions.py --write`, {datetime.now(UTC):%Y-%m-%d}, Python"
        f" {platform.python_version()}, cedarpy {version('cedarpy')}; {os.cpu_count()} cores, {platform.machine()},"
        f" load {load:.1f} beside it. {PEOPLE:,} people, all operations, the shipped policies with their schema."
        " Compare within the run.\n\nA decision sees the caller's kind and roles only, so its slice has a dozen"
        " entities however many people there are; the row with all people shows what the other way would cost. The"
        " session's figure has the database read, the check of a fresh ES256 proof and of its single use, and a"
        " decision that is not remembered. casbin is not installed here; on another day it made 168 decisions/s with"
        " 2,000 people (design note).\n"
    )
    table = "".join(f"| {what} | {figure} | {note} |\n" for what, figure, note in rows)
    return f"# Policy decisions\n\n{told}\n| What | Figure | |\n|---|---|---|\n{table}"


def main() -> None:
    """Measure and print; with `--write`, keep."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--write", action="store_true")
    write = options.parse_args().write
    text = page(measured())
    print(text)
    if write:
        (Path(__file__).parent / "results" / "policy_decisions.md").write_text(text)


if __name__ == "__main__":
    main()
