"""A data set goes in, a training-safe data set comes out, with a signed manifest and a measured leak bound.

The input is never copied and nothing in clear is written beside the output. Troth owns each shard (read, redact, write
aside, fsync, rename, record); an engine only schedules shards, so every engine and every number of workers gives the
same root digest, and a run that was killed resumes.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import rfc8785

from troth import __version__
from troth.kernel.errors import Conflict, Invalid
from troth.kernel.signer import Signer
from troth.redact import report
from troth.redact.canaries import LeakBound, leak_bound, planted_kinds
from troth.redact.consent import ConsentGate, NoSubjects
from troth.redact.detect import Detector, rules_detector
from troth.redact.engines import local
from troth.redact.files import sha256_file, sweep, write_atomically
from troth.redact.labelled import as_json as labelled_json
from troth.redact.labelled import read_labelled, sample_bound
from troth.redact.manifest import root_digest, statement, write_manifest
from troth.redact.media import Cleaned, media_of
from troth.redact.pictures.looking import Eye
from troth.redact.policy import Policy
from troth.redact.rows import Limits, RowRedactor
from troth.redact.scan import Scan, Scanner, input_files, media_files
from troth.redact.shards import PROGRESS, ShardPlan, ShardRecord, arrow, finished
from troth.redact.text import dataset_key

REPORT = "report.html"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_CANARY_ROWS = 64


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. `step`: scan, redact, look or measure; `done` of `total` bytes (scan), shards, files (look)."""

    step: str
    done: int
    total: int


@dataclass(frozen=True, kw_only=True)
class DatasetJob:
    """What to make of which data set, and by what right.

    `name` sets this data set's pseudonyms apart from every other's; `root_key` is 32 secret bytes. `source` and
    `licence` are required (GOV-28). `labelled`: a sample in which people marked the values (`labelled.py`). `created`:
    RFC 3339 time for the manifest, from the caller's clock.
    """

    source_path: Path
    output: Path
    name: str
    source: str
    licence: str
    policy: Policy
    gate: ConsentGate
    root_key: bytes | None = None
    format: str = "parquet"
    workers: int = 2
    shard_rows: int = 5_000
    canaries: int = 300
    declared: frozenset[str] = frozenset()
    labelled: Path | None = None
    created: str = ""
    limits: Limits = field(default_factory=Limits)
    detector: Callable[[], Detector] = rules_detector


def _check(job: DatasetJob) -> None:
    """Refuse what no run could make good. Raises Invalid or Unavailable."""
    if not _NAME.fullmatch(job.name):
        raise Invalid("The name of a data set is up to 100 letters, digits, dots, dashes.", field="name")
    for name, value in (("source", job.source), ("licence", job.licence)):
        if not value.strip():
            raise Invalid(
                f"A data set without a {name} record gets no manifest; state its {name}.",
                code="provenance-missing",
                field=name,
            )
    if job.format not in ("parquet", "jsonl"):
        raise Invalid("The format is parquet or jsonl.", field="format")
    if job.shard_rows < 1 or job.canaries < 1 or job.workers < 1:
        raise Invalid("Rows of a shard, canaries and workers are at least 1.", code="out-of-range")
    if job.root_key is None and job.policy.needs_key():
        raise Invalid("This policy gives pseudonyms; pass a key of 32 bytes.", code="key-missing", field="root_key")
    if job.format == "parquet":
        arrow()


@contextlib.contextmanager
def _claimed(output: Path) -> Iterator[None]:
    """Hold the output directory: empty, or left by a run that was killed. Raises Conflict."""
    output.mkdir(parents=True, exist_ok=True)
    progress = output / PROGRESS
    if any(output.iterdir()) and not progress.is_dir():
        raise Conflict("The output directory is not empty; choose another, or remove it.", code="output-exists")
    progress.mkdir(exist_ok=True)
    with (progress / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Conflict("Another run is writing this output.", code="output-busy") from error
        yield


def _job_digest(job: DatasetJob, versions: Sequence[str], scan: Scan) -> str:
    """SHA-256 (hex) over everything that decides the bytes of the shards."""
    key = hashlib.sha256(dataset_key(job.root_key, job.name)).hexdigest() if job.root_key else None
    facts = [job.name, job.format, job.shard_rows, job.policy.digest(), job.gate.digest(), list(versions), key,
             sorted(job.declared), scan.inputs, scan.columns, __version__]  # fmt: skip
    return hashlib.sha256(rfc8785.dumps(facts)).hexdigest()  # type: ignore[arg-type]


def redact_dataset(
    job: DatasetJob, signer: Signer, progress: Callable[[Progress], None] = lambda _: None
) -> dict[str, Any]:
    """Make the training set and return the predicate of its manifest.

    Raises Invalid (`empty-data-set` among others), NotFound, UnsupportedMedia, Malformed, TooLarge, Unavailable;
    Conflict (`nobody-consented`, `output-exists`, `output-busy`, and `leak-bound` when a canary survived or the bound
    is below the policy's). Then no manifest is written and the set cannot be opened for training.
    """
    _check(job)
    files, media = input_files(job.source_path), media_files(job.source_path)
    eye = _eye(job, media)
    sample = read_labelled(job.labelled) if job.labelled else None
    detector = job.detector()
    key = dataset_key(job.root_key, job.name) if job.root_key else None
    redactor = RowRedactor(detector, job.policy, key, job.declared)
    scan = _scan(job, files, redactor, progress)
    _something(scan, job.gate)
    with _claimed(job.output):
        sweep(job.output)
        sweep(job.output / PROGRESS)
        plan = ShardPlan(job.output, job.format, job.policy, job.gate, key, job.declared, job.limits, scan.columns,
                         job.detector, _job_digest(job, redactor.versions, scan))  # fmt: skip
        records = _shards(plan, scan, job.workers, progress)
        cleaned = _cleaned(job, media, eye, progress)
        progress(Progress("measure", 0, 1))
        bound = leak_bound(scan.sample, RowRedactor(detector, job.policy, key, job.declared), job.canaries, plan.job)
        _publishable(bound, job.policy)
        predicate = _with_media(_predicate(job, scan, records, bound, redactor), records, cleaned)
        if sample is not None:
            measured = sample_bound(sample, detector, job.policy)
            _sample_publishable(measured, job.policy)
            predicate["sample"] = labelled_json(measured, sample, job.policy)
        _finish(job.output, predicate, [*((r.name, r.sha256) for r in records), *cleaned.files], signer)
        progress(Progress("measure", 1, 1))
    return predicate


def _eye(job: DatasetJob, media: Sequence[Path]) -> Eye | None:
    """What looks at pictures, when there are any. Raises Conflict (`media-without-consent`), Unavailable."""
    if not media:
        return None
    if not isinstance(job.gate, NoSubjects):
        raise Conflict(
            "Pictures and videos carry no row that says who consented; give them in a set for which nobody has to be "
            "asked, with the reason.",
            code="media-without-consent",
        )
    return Eye(job.detector(), job.policy)


def _cleaned(job: DatasetJob, media: Sequence[Path], eye: Eye | None, progress: Callable[[Progress], None]) -> Cleaned:
    if eye is None:
        return Cleaned((), {}, ())
    return media_of(media, job.output, eye, lambda done, total: progress(Progress("look", done, total)))


def _with_media(predicate: dict[str, Any], records: Sequence[ShardRecord], cleaned: Cleaned) -> dict[str, Any]:
    """The predicate with what was done to pictures and videos; without any, as it was."""
    if not cleaned.files:
        return predicate
    covered = {name: sum(one["counts"].values()) for name, one in cleaned.told.items()}
    return predicate | {
        "inputs": [*predicate["inputs"], *cleaned.inputs],
        "modalities": predicate["modalities"] | covered,
        "media": dict(cleaned.told),
        "root": root_digest([*((r.name, r.sha256) for r in records), *cleaned.files]),
    }


def _scan(job: DatasetJob, files: Sequence[Path], redactor: RowRedactor, progress: Callable[[Progress], None]) -> Scan:
    total, done = sum(path.stat().st_size for path in files), 0

    def advance(size: int) -> None:
        nonlocal done
        done += size
        progress(Progress("scan", done, total))

    return Scanner(job.gate, redactor, job.limits, job.shard_rows, _CANARY_ROWS).scan(list(files), advance)


def _shards(plan: ShardPlan, scan: Scan, workers: int, progress: Callable[[Progress], None]) -> list[ShardRecord]:
    """Every shard's record, in order; finished ones of an earlier run are kept, files of another job are removed."""
    records = {task.index: record for task in scan.tasks if (record := finished(plan, task)) is not None}
    wanted = {record.name for record in records.values()}
    for path in plan.output.glob("shard-*"):
        if path.name not in wanted:
            path.unlink()
    progress(Progress("redact", len(records), len(scan.tasks)))
    for record in local.run(plan, [task for task in scan.tasks if task.index not in records], workers):
        records[record.index] = record
        progress(Progress("redact", len(records), len(scan.tasks)))
    return [records[task.index] for task in scan.tasks]


def _something(scan: Scan, gate: ConsentGate) -> None:
    """Refuse a set of which nothing would be there: nothing was measured on it, so no bound could be signed."""
    if not scan.rows:
        raise Invalid("The data set has no rows; check the path of the input.", code="empty-data-set")
    if not scan.kept:
        raise Conflict(f"{gate.lacking()} Nothing would be kept; nothing was written.", code="nobody-consented")


def _publishable(bound: LeakBound, policy: Policy) -> None:
    if bound.left or bound.recall_lower < policy.min_recall:
        raise Conflict(
            f"{bound.left} of {bound.planted} canaries survived; the lower bound of recall is "
            f"{bound.recall_lower:.4f} and the policy "
            f"asks for {policy.min_recall:.4f}. No manifest was written.",
            code="leak-bound",
        )


def _sample_publishable(bound: LeakBound, policy: Policy) -> None:
    if bound.recall_lower < policy.min_recall:
        raise Conflict(
            f"{bound.left} of {bound.planted} values of the labelled sample are left; the lower bound of recall is "
            f"{bound.recall_lower:.4f} and the policy asks for {policy.min_recall:.4f}. Use a tier that finds more or "
            "a larger sample. No manifest was written.",
            code="leak-bound",
        )


def _predicate(
    job: DatasetJob, scan: Scan, records: Sequence[ShardRecord], bound: LeakBound, redactor: RowRedactor
) -> dict[str, Any]:
    counts: Counter[str] = Counter()
    for record in records:
        counts.update(record.counts)
    policy = job.policy
    return {
        "tool": {"name": "troth", "version": __version__},
        "created": job.created,
        "dataset": job.name,
        "provenance": {"source": job.source.strip(), "licence": job.licence.strip()},
        "policy": {
            "name": policy.name,
            "version": policy.version,
            "digest": policy.digest(),
            "decisions": {c: str(d.action) for c, d in policy.decisions.items()},
            "kinds": {kind: str(d.action) for kind, d in policy.kinds.items()},
            "min_recall": policy.min_recall,
        },
        "detectors": list(redactor.versions),
        "inputs": scan.inputs,
        "rows": {"in": scan.rows, "kept": scan.kept, "left_out": scan.rows - scan.kept},
        "consent": {"basis": job.gate.basis(), "digest": job.gate.digest()},
        "counts": dict(sorted(counts.items())),
        "modalities": {"text": sum(counts.values())},
        "canaries": {**bound.as_json(), "kinds": planted_kinds(policy)},
        "format": job.format,
        "root": root_digest([(r.name, r.sha256) for r in records]),
    }


def _finish(output: Path, predicate: dict[str, Any], files: Sequence[tuple[str, str]], signer: Signer) -> None:
    """Report, then manifest, then the records of progress go: a set is finished exactly when its manifest is there."""
    write_atomically(output / REPORT, report.as_html(predicate).encode())
    subjects = [*files, (REPORT, sha256_file(output / REPORT))]
    write_manifest(output, statement(subjects, predicate), signer)
    shutil.rmtree(output / PROGRESS)
