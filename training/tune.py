#!/usr/bin/env python3
"""Weighs the labels of a trained tagger on the split `tune`, and writes the weights into its file.

    python -m training.tune --bench FOLDER --out FOLDER --tier fast

One label after the other: the factor that gives the best mean of F1 and of what does not leak, over all sets alike.
"""

from __future__ import annotations

import argparse
import hashlib
import os
from pathlib import Path
from typing import Any

for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

from training import sets
from training.measure import harness, labelled
from troth.redact.detect import rules_detector
from troth.redact.model.detector import ModelDetector
from troth.redact.model.knowledge import Knowledge
from troth.redact.model.tagger import Tagger
from troth.redact.model.weights import parse, write

LABELS = ("PERSON", "LOCATION", "ORG", "DATE", "ID", "USERNAME", "EMAIL", "PHONE")
FACTORS = (0.5, 0.7, 1.3)
_LARGEST = 150_000  # characters of one set that are looked at


def documents(bench: Any, folder: Path) -> list[tuple[list[Any], set[str]]]:
    """(documents of the split, scope) of every set that has some."""
    found = []
    for path in sets.paths(folder):
        chosen, size = [], 0
        for d in bench.load(str(path))[0]:
            if path.stem not in sets.MEASURED_ONLY and sets.split_of(d["id"]) == "tune" and size < _LARGEST:
                chosen.append(d)
                size += len(d["text"])
        if chosen:
            found.append((chosen, bench.load(str(path), max_docs=1)[1]))
    return found


def main() -> None:
    """Tune and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tier", default="fast")
    args = parser.parse_args()
    bench, file = harness(args.bench), args.out / f"{args.tier}.bin"
    content, known = file.read_bytes(), (args.out / "knowledge.bin").read_bytes()
    facts, arrays = parse(content, hashlib.sha256(content).hexdigest())
    tagger = Tagger(Knowledge.parse(known, hashlib.sha256(known).hexdigest()), {**facts, "bias": {}}, arrays)
    detect = labelled(ModelDetector(args.tier, rules_detector(), tagger, ("tuned",)))
    chosen = documents(bench, args.bench / "data")

    def worth() -> float:
        total = 0.0
        for texts, scope in chosen:
            result, _ = bench.evaluate(texts, [detect(d["text"]) for d in texts], scope)
            total += result["micro"]["F1"] - result["leak"] / 10 - 2 * result["over"]
        return total / len(chosen)

    best = worth()
    print(f"untuned: {best:.4f}", flush=True)
    for label in LABELS:
        k, kept = tagger.labels.index(label), 1.0
        for factor in FACTORS:
            tagger.bias[k] = factor
            value = worth()
            if value > best + 0.0003:
                best, kept = value, factor
        tagger.bias[k] = kept
        print(f"{label}: {kept} ({best:.4f})", flush=True)
    facts["bias"] = {label: float(b) for label, b in zip(tagger.labels, tagger.bias.tolist(), strict=True) if b != 1.0}
    write(file, facts, arrays)


if __name__ == "__main__":
    main()
