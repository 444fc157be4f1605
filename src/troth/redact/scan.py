"""First reading of the input: is it whole, how big, where do shards begin, which columns. Writes nothing."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from troth.kernel.errors import NotFound, TooLarge, UnsupportedMedia
from troth.redact.consent import ConsentGate
from troth.redact.media import modality
from troth.redact.rows import Limits, RowRedactor, parse_row, read_lines

_SUFFIXES = frozenset({".jsonl", ".ndjson"})
_INT64 = 1 << 63


@dataclass(frozen=True, slots=True)
class ShardTask:
    """One piece of one input file: the bytes [start, end), whose first line is number `first_line`."""

    index: int
    path: Path
    start: int
    end: int
    first_line: int


@dataclass(slots=True)
class Scan:
    """What the first reading found. `sample`: rows with consent, to plant canaries in; never written anywhere."""

    inputs: list[dict[str, Any]] = field(default_factory=list)  # sha256, bytes; no names, which may tell of people
    rows: int = 0
    kept: int = 0
    tasks: list[ShardTask] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)  # name -> bool, int, float or string
    sample: list[dict[str, Any]] = field(default_factory=list)


def input_files(source: Path) -> list[Path]:
    """The files of rows of a data set, in order; pictures and videos beside them are `media_files`.

    Raises NotFound; UnsupportedMedia when any is neither (TRN-04).
    """
    return [path for path in _all_files(source) if path.suffix.lower() in _SUFFIXES]


def media_files(source: Path) -> list[Path]:
    """The pictures and videos of a data set, in order. Raises as `input_files`."""
    return [path for path in _all_files(source) if path.suffix.lower() not in _SUFFIXES]


def _all_files(source: Path) -> list[Path]:
    if source.is_dir():
        files = sorted(path for path in source.rglob("*") if path.is_file())
    elif source.is_file():
        files = [source]
    else:
        raise NotFound("The data set does not exist.", code="dataset-not-found")
    if not files:
        raise NotFound("The data set has no files.", code="dataset-not-found")
    for number, path in enumerate(files, 1):
        if path.suffix.lower() not in _SUFFIXES and modality(path) is None:
            raise UnsupportedMedia(
                f"File {number} of the data set is no JSON Lines, picture or video; nothing was read.",
                code="file-type-unknown",
            )
    return files


class Scanner:
    """Reads all files once. `shard_rows`: lines of a shard; `sample`: how many rows to keep for canaries."""

    def __init__(self, gate: ConsentGate, redactor: RowRedactor, limits: Limits, shard_rows: int, sample: int) -> None:
        self._gate = gate
        self._redactor = redactor
        self._limits = limits
        self._shard_rows = shard_rows
        self._sample = sample
        self._random = random.Random("troth/redact/sample/v1")  # noqa: S311  the sample must be repeatable, not secret

    def scan(self, files: list[Path], progress: Callable[[int], None] = lambda _: None) -> Scan:
        """Raises Malformed or TooLarge naming the first line that is not acceptable."""
        result = Scan()
        for path in files:
            self._file(path, result, progress)
        return result

    def _file(self, path: Path, result: Scan, progress: Callable[[int], None]) -> None:
        digest = hashlib.sha256()
        begin, begin_line, in_shard, number, size = 0, 1, 0, 0, 0
        with path.open("rb") as stream:
            for offset, line in read_lines(stream, self._limits):
                number += 1
                if in_shard == self._shard_rows:
                    result.tasks.append(ShardTask(len(result.tasks), path, begin, offset, begin_line))
                    begin, begin_line, in_shard = offset, number, 0
                self._row(line, number, result)
                in_shard += 1
                progress(len(line))
            stream.seek(0)
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
                size += len(chunk)
        if in_shard:
            result.tasks.append(ShardTask(len(result.tasks), path, begin, size, begin_line))
        result.inputs.append({"sha256": digest.hexdigest(), "bytes": size})

    def _row(self, line: bytes, number: int, result: Scan) -> None:
        row = parse_row(line, number, self._limits)
        result.rows += 1
        if result.rows > self._limits.rows:
            raise TooLarge(f"The data set has more than {self._limits.rows} rows.", code="too-many-rows")
        if self._gate.consented(row) is None:
            return
        result.kept += 1
        content = {k: v for k, v in row.items() if k not in self._gate.fields}
        for name, value in self._redactor.names(content):
            result.columns[name] = _wider(result.columns.get(name), value)
        self._keep_sample(content, result)

    def _keep_sample(self, row: dict[str, Any], result: Scan) -> None:
        """Reservoir sampling (Vitter's algorithm R): every row with consent is as likely as any other."""
        if len(result.sample) < self._sample:
            result.sample.append(row)
        else:
            at = self._random.randrange(result.kept)
            if at < self._sample:
                result.sample[at] = row


def _wider(known: str | None, value: Any) -> str:
    """The narrowest column type that holds what was there and `value`; null fits everywhere."""
    if value is None:
        return known or "null"
    kind = "bool" if isinstance(value, bool) else "float" if isinstance(value, float) else "string"
    if isinstance(value, int) and not isinstance(value, bool) and -_INT64 <= value < _INT64:
        kind = "int"
    if known in (None, "null", kind):
        return kind
    return "float" if {known, kind} == {"int", "float"} else "string"
