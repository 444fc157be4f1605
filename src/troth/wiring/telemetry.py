"""What a running server tells of itself: the parts that readiness asks, and the readings that metrics show."""

from __future__ import annotations

import platform
import shutil
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, select, text
from sqlalchemy.pool import QueuePool

from troth import __version__
from troth.audit.store import logs
from troth.kernel.data_class import DataClass
from troth.promises.system import System
from troth.telemetry.clock_drift import MOST_SECONDS, Drift
from troth.telemetry.readings import Reading

DEGRADED = frozenset({"network-time", "key-domains", "backup", "jobs", "mirror", "witnesses"})
"""Parts that are shown and keep nobody out: requests are answered without them."""
_MOST_WAITING = 50_000  # entries: more than the sequencer places in half a minute
_MIRROR_SECONDS = 60.0  # a log that grew waits longer than this only when it cannot be mirrored or signed
_MB = 1 << 20


def ready_parts(system: System) -> dict[str, Callable[[], bool]]:
    """What must work before requests are taken, and what may be away (`DEGRADED`)."""
    base, drift = system.base, Drift()
    folders = (base.settings.data.folder, base.settings.data.keys)
    least = base.settings.telemetry.least_disk_mb * _MB
    return (
        {
            "database": lambda: _answers(system),
            "log": lambda: _log_works(system),
            "keys": lambda: bool(base.tree.unit("operators", "svc_health", DataClass.SYSTEM, "health")),
            "redaction": lambda: not system.gateway.detector.missing,
            "disk": lambda: min(_free(folder) for folder in folders) >= least,
            "clock": lambda: drift.bearable() and abs(_database_offset(system)) <= MOST_SECONDS,
            "key-domains": lambda: not base.tree.absent,
            "backup": lambda: not any(one.late() for one in system.schedule if one.name == "backup"),
            "jobs": lambda: not any(one.late() for one in system.schedule if one.name != "backup"),
            "mirror": lambda: _mirrored(system),
        }
        | ({"network-time": base.network_time.right} if base.network_time.configured else {})
        | ({"witnesses": lambda: all(_witnessed(system).values())} if base.sequencer.witnessing else {})
    )


def readings(system: System, ready: Callable[[], Mapping[str, bool]]) -> list[Reading]:
    """The states that metrics show. None names a person, a tenant or an object."""
    base, began = system.base, time.time()
    data, drift = base.settings.data, Drift()
    return [
        Reading("troth_build_info", "1; labels say which program runs", lambda: _build(system), "version"),
        Reading("troth_start_time_seconds", "When this process started", lambda: {"": began}),
        Reading("troth_ready", "1 for each part that works", lambda: _numbers(ready()), "part"),
        Reading("troth_log_waiting_entries", "Entries recorded and not in a log yet", lambda: _waiting(system)),
        Reading("troth_log_unsigned_logs", "Logs that grew since they were signed", lambda: _unsigned(system)),
        Reading("troth_log_running", "1 while the sequencer works", lambda: {"": float(_log_works(system))}),
        Reading("troth_log_signed_age_seconds", "Since any log was signed last", lambda: _signed_age(system)),
        Reading(
            "troth_log_witnessed", "1 where a quorum cosigned all that is signed", lambda: _witnessed(system), "log"
        ),
        Reading("troth_log_witness_up", "1 for each witness that cosigned", lambda: _witnesses(system), "witness"),
        Reading("troth_key_domain_up", "1 for each key domain that answers", lambda: _domains(system), "domain"),
        Reading("troth_job_rounds_total", "Rounds that ended well", lambda: _rounds(system), "job"),
        Reading("troth_job_failures_total", "Rounds that failed", lambda: _failures(system), "job"),
        Reading("troth_job_last_success_timestamp_seconds", "End of the last good round", lambda: _last(system), "job"),
        Reading("troth_database_connections_in_use", "Pooled connections at work", lambda: _in_use(system)),
        Reading("troth_database_connections_max", "Size of the pool", lambda: _pool_size(system)),
        Reading(
            "troth_disk_free_bytes",
            "Free space where it lies",
            lambda: {"data": _free(data.folder), "keys": _free(data.keys)},
            "place",
        ),
        Reading("troth_scrub_findings", "Objects that are not as they were kept", lambda: _scrub_findings(system)),
        Reading("troth_clock_drift_seconds", "Steps of the clock in the last minutes", lambda: {"": drift.seconds()}),
        Reading("troth_clock_database_offset_seconds", "Database's clock less ours", lambda: _offset_if_any(system)),
        Reading("troth_journal_lines_total", "Lines of the journal", lambda: {"": base.journal.lines}),
        Reading("troth_journal_dropped_fields_total", "Fields not on its list", lambda: {"": base.journal.dropped}),
        Reading("troth_journal_lost_lines_total", "Lines that could not be written", lambda: {"": base.journal.lost}),
    ]


def _answers(system: System) -> bool:
    with system.base.database.read() as connection:
        return bool(connection.execute(select(1)).scalar_one() == 1)


def _log_works(system: System) -> bool:
    state = system.base.sequencer.state()
    return state.running and state.fault is None and state.waiting <= _MOST_WAITING


def _scrub_findings(system: System) -> dict[str, float]:
    return {"": system.vault.scrub.standing().findings}


def _waiting(system: System) -> dict[str, float]:
    return {"": system.base.sequencer.state().waiting}


def _unsigned(system: System) -> dict[str, float]:
    return {"": system.base.sequencer.state().unsigned}


def _signed_at(system: System) -> int | None:
    with system.base.database.read() as connection:
        signed: int | None = connection.scalar(select(func.max(logs.c.signed_at)))
    return signed


def _signed_age(system: System) -> dict[str, float]:
    signed = _signed_at(system)
    return {} if signed is None else {"": _now(system) - signed / 1000}


def _mirrored(system: System) -> bool:
    if system.base.sequencer.state().unsigned == 0:
        return True
    signed = _signed_at(system)
    return signed is None or _now(system) - signed / 1000 <= _MIRROR_SECONDS


def _witnessed(system: System) -> dict[str, float]:
    """By log; a service without witnesses says so with a 0, which no rule takes for good."""
    witnessing = system.base.sequencer.witnessing
    return {one.log: float(one.met) for one in witnessing.state()} if witnessing else {"none": 0.0}


def _witnesses(system: System) -> dict[str, float]:
    witnessing = system.base.sequencer.witnessing
    states = [one for log in witnessing.state() for one in log.witnesses] if witnessing else []
    up: dict[str, float] = {}
    for one in states:
        name = one.name.encode(errors="replace").decode()  # a policy's names are any octets
        up[name] = min(up.get(name, 1.0), float(one.fault is None))
    return up


def _now(system: System) -> float:
    return system.base.clock.now().timestamp()


def _domains(system: System) -> dict[str, float]:
    away = system.base.tree.absent
    return {one.name: float(one.name not in away) for one in system.base.domains}


def _rounds(system: System) -> dict[str, float]:
    return {one.name: one.rounds for one in system.schedule}


def _failures(system: System) -> dict[str, float]:
    return {one.name: one.failures for one in system.schedule}


def _last(system: System) -> dict[str, float]:
    return {one.name: one.last_success for one in system.schedule if one.last_success is not None}


def _in_use(system: System) -> dict[str, float]:
    pool = system.base.database.engine.pool
    return {"": pool.checkedout()} if isinstance(pool, QueuePool) else {}


def _pool_size(system: System) -> dict[str, float]:
    pool = system.base.database.engine.pool
    return {"": pool.size()} if isinstance(pool, QueuePool) else {}


def _free(folder: Path) -> float:
    return float(shutil.disk_usage(folder).free)


def _database_offset(system: System) -> float:
    """Seconds by which a database server's clock is ahead of ours; 0 for a database in this process."""
    if system.base.database.dialect == "sqlite":
        return 0.0
    with system.base.database.read() as connection:
        there = connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one()
    return float(there) - datetime.now(UTC).timestamp()


def _offset_if_any(system: System) -> dict[str, float]:
    return {} if system.base.database.dialect == "sqlite" else {"": _database_offset(system)}


def _build(system: System) -> dict[str, float]:
    return {f"{__version__}-python{platform.python_version()}-{system.base.database.dialect}": 1.0}


def _numbers(parts: Mapping[str, bool]) -> dict[str, float]:
    return {name: float(works) for name, works in parts.items()}
