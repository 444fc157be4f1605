"""One shard: read a piece of the input, gate, redact, write aside, force to disk, rename, and record its digest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import rfc8785

from troth.kernel.errors import Unavailable
from troth.redact.consent import ConsentGate
from troth.redact.detect import Detector
from troth.redact.files import atomic_file, sha256_file, write_atomically
from troth.redact.policy import Policy
from troth.redact.rows import Limits, RowRedactor, parse_row, read_lines
from troth.redact.scan import ShardTask

PROGRESS = ".progress"  # records of finished shards, until the manifest takes their place


@dataclass(frozen=True, slots=True)
class ShardPlan:
    """All that a worker needs to know; goes to each worker once."""

    output: Path
    format: str  # jsonl or parquet
    policy: Policy
    gate: ConsentGate
    key: bytes | None
    declared: frozenset[str]
    limits: Limits
    columns: Mapping[str, str]
    detector: Callable[[], Detector]
    job: str  # digest of everything that decides the bytes of the output


@dataclass(frozen=True, slots=True)
class ShardRecord:
    """A finished shard. No values."""

    index: int
    name: str
    sha256: str
    rows: int
    kept: int
    counts: Mapping[str, int]
    job: str


def arrow() -> Any:
    """pyarrow, imported late. Raises Unavailable when the extra is not installed."""
    try:
        return import_module("pyarrow")
    except ImportError as error:
        raise Unavailable(
            "Parquet needs an extra: pip install 'troth[scale]', or choose the format jsonl.", code="extra-missing"
        ) from error


def write_shard(plan: ShardPlan, task: ShardTask) -> ShardRecord:
    """Make the shard of `task` and its record. Raises Malformed or TooLarge (the input changed), Unavailable."""
    redactor = RowRedactor(plan.detector(), plan.policy, plan.key, plan.declared)
    tally = {"rows": 0, "kept": 0}
    name = f"shard-{task.index:05d}.{plan.format}"
    rows = _redacted(plan, task, redactor, tally)
    with atomic_file(plan.output / name) as stream:
        if plan.format == "parquet":
            _write_parquet(stream, list(rows), plan.columns)
        else:
            for row in rows:
                stream.write(_json(row).encode() + b"\n")
    digest = sha256_file(plan.output / name)
    record = ShardRecord(
        task.index, name, digest, tally["rows"], tally["kept"], dict(sorted(redactor.counts.items())), plan.job
    )
    write_atomically(plan.output / PROGRESS / f"{name}.json", rfc8785.dumps(asdict(record)))
    return record


def finished(plan: ShardPlan, task: ShardTask) -> ShardRecord | None:
    """The record of `task` if its shard was made by the same job before and is still the same bytes."""
    name = f"shard-{task.index:05d}.{plan.format}"
    try:
        record = ShardRecord(**json.loads((plan.output / PROGRESS / f"{name}.json").read_bytes()))
        same = record.job == plan.job and record.name == name and sha256_file(plan.output / name) == record.sha256
    except (OSError, ValueError, TypeError):
        return None
    return record if same else None


def _redacted(
    plan: ShardPlan, task: ShardTask, redactor: RowRedactor, tally: dict[str, int]
) -> Iterator[dict[str, Any]]:
    with task.path.open("rb") as stream:
        stream.seek(task.start)
        for number, (_, line) in enumerate(read_lines(stream, plan.limits, task.end), task.first_line):
            row = parse_row(line, number, plan.limits)
            tally["rows"] += 1
            if plan.gate.consented(row) is not None:
                tally["kept"] += 1
                yield redactor.redact({k: v for k, v in row.items() if k not in plan.gate.fields})


def _write_parquet(stream: Any, rows: list[dict[str, Any]], columns: Mapping[str, str]) -> None:
    """One table with the columns of the whole data set; nested values and mixed columns as JSON text."""
    pa = arrow()
    types = {"bool": pa.bool_(), "int": pa.int64(), "float": pa.float64()}
    schema = pa.schema([(name, types.get(kind, pa.string())) for name, kind in sorted(columns.items())])
    arrays = [pa.array([_cell(row.get(f.name), columns[f.name]) for row in rows], f.type) for f in schema]
    import_module("pyarrow.parquet").write_table(
        pa.Table.from_arrays(arrays, schema=schema), stream, compression="zstd"
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _cell(value: Any, kind: str) -> Any:
    if value is None or isinstance(value, str):
        return value
    if kind == "float":
        return float(value)
    return value if kind in ("bool", "int") else _json(value)
