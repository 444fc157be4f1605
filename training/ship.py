#!/usr/bin/env python3
"""Puts trained weights into the package with their digests, and the held-out figures into the model card.

python -m training.ship --out FOLDER --bench FOLDER --tiers fast accurate
"""

from __future__ import annotations

import argparse
import hashlib
import lzma
import os
import re
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

from training import sets
from training.measure import built, documents, harness, labelled, measure
from troth.redact.detect import rules_detector

ROOT = Path(__file__).resolve().parents[1]
_MODEL = ROOT / "src" / "troth" / "redact" / "model"
# Tables of 4-byte columns pack best so; the dictionary holds the largest file.
_PACKED = [
    {"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": 8 << 20, "lc": 0, "lp": 2, "pb": 2}
]
_CARD = ROOT / "docs" / "reference" / "model-card.md"


def digests(out: Path, tiers: list[str]) -> None:
    """Copy the files and write `digests.py`."""
    (_MODEL / "weights").mkdir(exist_ok=True)
    lines = ['"""SHA-256 of the shipped weights; written by `training/ship.py`."""\n\nDIGESTS = {\n']
    for name in ("knowledge", *tiers):
        content = (out / f"{name}.bin").read_bytes()
        (_MODEL / "weights" / f"{name}.bin.xz").write_bytes(lzma.compress(content, filters=_PACKED))
        lines.append(f'    "{name}": "{hashlib.sha256(content).hexdigest()}",\n')
    (_MODEL / "digests.py").write_text("".join([*lines, "}\n"]), encoding="utf-8")


def figures(bench_folder: Path, out: Path, tiers: list[str]) -> str:
    """The table of held-out figures: P, R, F1, leak and over of each tier."""
    bench = harness(bench_folder)
    both = [*tiers, "cascade"] if {"fast", "accurate"} <= set(tiers) else tiers
    detectors = {"rules": rules_detector(), **{tier: built(out, tier) for tier in both}}
    head = "| set | held-out documents | " + " | ".join(f"{name}: P / R / F1, leak, over" for name in detectors) + " |"
    lines = [head, "|---" * (2 + len(detectors)) + "|"]
    for name, chosen, scope in documents(bench, bench_folder / "data", "test"):
        cells = []
        for one in detectors.values():
            r, _, _ = measure(bench, labelled(one), chosen, scope)
            m = r["micro"]
            cells.append(f"{m['P'] or 0:.2f} / {m['R'] or 0:.2f} / **{m['F1']:.2f}**, {r['leak']:.3f}, {r['over']:.4f}")
        lines.append(f"| {name} | {len(chosen)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def facts(out: Path, tiers: list[str], data: Path) -> str:
    """Digests and sizes of the shipped files and of the data."""
    lines = ["| file, unpacked | bytes | SHA-256 |", "|---|---|---|"]
    for name in ("knowledge", *tiers):
        content = (out / f"{name}.bin").read_bytes()
        lines.append(f"| {name}.bin | {len(content)} | `{hashlib.sha256(content).hexdigest()}` |")
    return "\n".join(
        [*lines, "", "| data | SHA-256 |", "|---|---|", *(f"| {k} | `{v}` |" for k, v in sets.digests(data).items())]
    )


def main() -> None:
    """Copy, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--bench", type=Path, required=True)
    parser.add_argument("--tiers", nargs="+", default=["fast"])
    args = parser.parse_args()
    digests(args.out, args.tiers)
    card = _CARD.read_text(encoding="utf-8")
    for name, block in (
        ("figures", figures(args.bench, args.out, args.tiers)),
        ("digests", facts(args.out, args.tiers, args.bench / "data")),
    ):
        card = re.sub(
            rf"(<!-- {name} -->\n).*?(\n<!-- end -->)", lambda m, b=block: m[1] + b + m[2], card, flags=re.DOTALL
        )
    _CARD.write_text(card, encoding="utf-8")


if __name__ == "__main__":
    main()
