"""A data set, from JSON Lines to a signed training set."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from troth.kernel.errors import (
    Conflict,
    Invalid,
    Malformed,
    NotFound,
    TooLarge,
    TrothError,
    Unavailable,
    UnsupportedMedia,
)
from troth.redact import shards
from troth.redact.consent import ConsentFlag, ConsentGate, ConsentRegister
from troth.redact.dataset import DatasetJob, Progress, redact_dataset
from troth.redact.detect import Detector, Span, rules_detector
from troth.redact.files import TEMPORARY
from troth.redact.manifest import MANIFEST, LocalSigner, open_for_training
from troth.redact.policy import training_policy
from troth.redact.rows import Limits
from troth.redact.samples.generate import rows
from troth.redact.shards import PROGRESS

SIGNER = LocalSigner(Ed25519PrivateKey.from_private_bytes(b"s" * 32))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows(120)))
    return path


def job(path: Path, output: Path, **changes: Any) -> DatasetJob:
    base = DatasetJob(
        source_path=path,
        output=output,
        name="tickets",
        source="invented for this test",
        licence="CC0-1.0",
        policy=training_policy(),
        gate=ConsentFlag("consent", "subject"),
        root_key=b"r" * 32,
        format="jsonl",
        workers=1,
        shard_rows=25,
        canaries=60,
    )
    return replace(base, **changes)


class Forgetful:
    """Does not know e-mail addresses."""

    version = "forgetful"

    def detect(self, text: str) -> list[Span]:
        return [s for s in rules_detector().detect(text) if s.kind != "email"]


def forgetful() -> Detector:
    return Forgetful()


def test_end_to_end(source: Path, tmp_path: Path) -> None:
    seen: list[Progress] = []
    predicate = redact_dataset(job(source, tmp_path / "out", created="2026-01-01T00:00:00+00:00"), SIGNER, seen.append)
    given = [json.loads(line) for line in source.read_text().splitlines()]
    kept = [row for row in given if row["consent"]]
    opened = open_for_training(tmp_path / "out", SIGNER.public_key)
    result = [json.loads(line) for _, content in opened.shards() for line in content.splitlines()]
    assert predicate["rows"] == {"in": 120, "kept": len(kept), "left_out": 120 - len(kept)}
    assert [row["id"] for row in result] == [row["id"] for row in kept]
    assert not any("subject" in row or "consent" in row for row in result)
    assert "@example" not in json.dumps(result)
    assert predicate["canaries"]["left"] == 0
    assert predicate["counts"]["email"] > 0
    assert opened.manifest.predicate == predicate
    assert {p.step for p in seen} == {"scan", "redact", "measure"}
    assert max(p.done for p in seen if p.step == "scan") == source.stat().st_size
    text = (tmp_path / "out" / MANIFEST).read_text() + (tmp_path / "out" / "report.html").read_text()
    assert not any(row["subject"] in text for row in given)
    assert sorted(p.suffix for p in (tmp_path / "out").iterdir()) == [".html", ".json"] + [".jsonl"] * 5


def test_same_root_for_any_number_of_workers_and_after_a_kill(source: Path, tmp_path: Path) -> None:
    one = redact_dataset(job(source, tmp_path / "one"), SIGNER)
    two = redact_dataset(job(source, tmp_path / "two", workers=2), SIGNER)
    assert one["root"] == two["root"]

    def stop_after_two(progress: Progress) -> None:
        if progress.step == "redact" and progress.done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        redact_dataset(job(source, tmp_path / "three"), SIGNER, stop_after_two)
    assert not (tmp_path / "three" / MANIFEST).exists()
    (tmp_path / "three" / f"{TEMPORARY}shard-00003.jsonl-1").write_text("half")
    (tmp_path / "three" / "shard-00000.jsonl").write_text("changed meanwhile\n")
    first = (tmp_path / "three" / "shard-00001.jsonl").stat().st_mtime_ns
    three = redact_dataset(job(source, tmp_path / "three"), SIGNER)
    assert three["root"] == one["root"]
    assert (tmp_path / "three" / "shard-00001.jsonl").stat().st_mtime_ns == first
    open_for_training(tmp_path / "three", SIGNER.public_key)


def test_another_job_does_not_take_over_shards(source: Path, tmp_path: Path) -> None:
    def stop(progress: Progress) -> None:
        if progress.step == "measure":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        redact_dataset(job(source, tmp_path / "out"), SIGNER, stop)
    other = redact_dataset(job(source, tmp_path / "out", root_key=b"x" * 32, shard_rows=60), SIGNER)
    fresh = redact_dataset(job(source, tmp_path / "fresh", root_key=b"x" * 32, shard_rows=60), SIGNER)
    assert other["root"] == fresh["root"]
    open_for_training(tmp_path / "out", SIGNER.public_key)


def test_parquet_has_one_schema(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    lines = [
        {"consent": True, "i": 1, "f": 1, "b": True, "m": 1, "big": 2**70, "deep": {"x": ["a@example.org"]}, "n": None}
    ]
    lines += [{"consent": True, "i": 2, "f": 2.5, "b": False, "m": "text", "late": "x"}]
    source.write_text("".join(json.dumps(line) + "\n" for line in lines))
    redact_dataset(job(source, tmp_path / "out", format="parquet", shard_rows=1), SIGNER)
    first, second = (pq.read_table(tmp_path / "out" / f"shard-0000{i}.parquet") for i in (0, 1))
    assert first.schema == second.schema
    types = {f.name: str(f.type) for f in first.schema}
    assert types == {"b": "bool", "big": "string", "deep": "string", "f": "double", "i": "int64", "late": "string",
                     "m": "string", "n": "string"}  # fmt: skip
    assert first.to_pylist()[0]["deep"] == '{"x":["<EMAIL>"]}'
    assert second.to_pylist()[0]["f"] == 2.5


def test_without_pyarrow(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(shards, "import_module", missing)
    with pytest.raises(Unavailable, match=r"troth\[scale\]"):
        redact_dataset(job(source, tmp_path / "out", format="parquet"), SIGNER)
    assert not (tmp_path / "out").exists()


def test_a_leaking_detector_is_not_published(source: Path, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="canaries survived") as caught:
        redact_dataset(job(source, tmp_path / "out", detector=forgetful), SIGNER)
    assert caught.value.code == "leak-bound"
    assert not (tmp_path / "out" / MANIFEST).exists()


def test_too_few_canaries_do_not_reach_the_bound(source: Path, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="lower bound"):
        redact_dataset(job(source, tmp_path / "out", canaries=5), SIGNER)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"source": " "}, Invalid),
        ({"licence": ""}, Invalid),
        ({"name": "../x"}, Invalid),
        ({"format": "csv"}, Invalid),
        ({"root_key": None}, Invalid),
        ({"root_key": b"short"}, Invalid),
        ({"shard_rows": 0}, Invalid),
        ({"source_path": Path("/nowhere.jsonl")}, NotFound),
        ({"limits": Limits(rows=5)}, TooLarge),
        ({"limits": Limits(line_bytes=50)}, TooLarge),
    ],
)
def test_refused_before_anything_is_written(
    source: Path, tmp_path: Path, changes: dict[str, Any], error: type[TrothError]
) -> None:
    with pytest.raises(error):
        redact_dataset(job(source, tmp_path / "out", **changes), SIGNER)
    assert not (tmp_path / "out").exists()


def test_a_bad_line_is_named_and_nothing_is_written(source: Path, tmp_path: Path) -> None:
    source.write_text(source.read_text() + '{"body": "maria@example.org"\n')
    with pytest.raises(Malformed, match="Line 121 ") as caught:
        redact_dataset(job(source, tmp_path / "out"), SIGNER)
    assert "maria" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_one_unknown_file_refuses_all(source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    source.rename(folder / "sub" / "a.jsonl")
    (folder / "page.pdf").write_bytes(b"%PDF")
    with pytest.raises(UnsupportedMedia):
        redact_dataset(job(folder, tmp_path / "out"), SIGNER)
    (folder / "page.pdf").unlink()
    (folder / "b.ndjson").write_text('{"consent": true, "t": "x"}\n')
    assert redact_dataset(job(folder, tmp_path / "out"), SIGNER)["rows"]["in"] == 121


def test_an_output_that_is_not_empty_or_busy(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    redact_dataset(job(source, out), SIGNER)
    with pytest.raises(Conflict, match="not empty"):
        redact_dataset(job(source, out), SIGNER)

    def again(progress: Progress) -> None:
        if progress.step == "redact":
            redact_dataset(job(source, tmp_path / "busy"), SIGNER)

    with pytest.raises(Conflict, match="Another run"):
        redact_dataset(job(source, tmp_path / "busy"), SIGNER, again)


@pytest.mark.parametrize(
    ("gate", "named"), [(ConsentFlag("consnet"), "'consnet'"), (ConsentRegister("who", {"s-000001": "c-1"}), "'who'")]
)
def test_a_set_to_which_nobody_consented_is_refused(
    source: Path, tmp_path: Path, gate: ConsentGate, named: str
) -> None:
    with pytest.raises(Conflict, match=named) as caught:
        redact_dataset(job(source, tmp_path / "out", gate=gate), SIGNER)
    assert caught.value.code == "nobody-consented"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", ["", "\n \n\n"])
def test_an_empty_set_is_refused(source: Path, tmp_path: Path, content: str) -> None:
    source.write_text(content)
    with pytest.raises(Invalid) as caught:
        redact_dataset(job(source, tmp_path / "out"), SIGNER)
    assert caught.value.code == "empty-data-set"
    assert not (tmp_path / "out").exists()


def test_numbers_beyond_double_are_refused_by_line(source: Path, tmp_path: Path) -> None:
    source.write_text(source.read_text() + '{"consent": true, "x": [1e400]}\n')
    with pytest.raises(Malformed, match="Line 121 ") as caught:
        redact_dataset(job(source, tmp_path / "out"), SIGNER)
    assert caught.value.code == "line-malformed"
    assert not (tmp_path / "out").exists()


def test_workers_die_with_their_parent(source: Path, tmp_path: Path) -> None:
    """kill -9 of the parent alone: no child goes on, and the same command resumes to the same root."""
    source.write_text("".join(json.dumps(row) + "\n" for row in rows(700)))
    script = (
        "import sys\nfrom pathlib import Path\nsys.path[:0] = sys.argv[3:]\n"
        "from unit_dataset import SIGNER, job, redact_dataset\n"
        "if __name__ == '__main__':\n"
        "    redact_dataset(job(Path(sys.argv[1]), Path(sys.argv[2]), workers=2), SIGNER)\n"
    )
    (tmp_path / "run.py").write_text(script)
    (tmp_path / "unit_dataset.py").write_text(Path(__file__).read_text())
    out = tmp_path / "out"
    process = subprocess.Popen([sys.executable, str(tmp_path / "run.py"), str(source), str(out), str(tmp_path)])
    try:
        _wait(lambda: len(list(out.glob("shard-*"))) >= 2)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        _wait(lambda: not any(_runs(int(child)) for child in children))
    finally:
        process.kill()
    assert (out / PROGRESS).is_dir()
    resumed = redact_dataset(job(source, out), SIGNER)
    assert resumed["root"] == redact_dataset(job(source, tmp_path / "fresh"), SIGNER)["root"]
    open_for_training(out, SIGNER.public_key)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _wait(condition: Any, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
