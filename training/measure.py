#!/usr/bin/env python3
"""Figures of the bench on held-out documents: P, R, F1, leak, over for each set.

python -m training.measure --bench FOLDER [--weights FOLDER] [--tier fast] [--split test] [--errors FILE]
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

from training import sets
from troth.redact.detect import KINDS, Detector, rules_detector

Detect = Callable[[str], list[tuple[int, int, str]]]


def harness(folder: Path) -> Any:
    """The bench's module."""
    spec = importlib.util.spec_from_file_location("pii_bench", folder / "pii_bench.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def built(weights: Path, tier: str) -> Detector:
    """A detector of weights that are not shipped yet."""
    from troth.redact.model.cascade import Cascade
    from troth.redact.model.detector import ModelDetector
    from troth.redact.model.knowledge import Knowledge
    from troth.redact.model.tagger import Tagger
    from troth.redact.model.weights import parse

    content = (weights / "knowledge.bin").read_bytes()
    known = Knowledge.parse(content, hashlib.sha256(content).hexdigest())
    taggers = []
    for name in ("fast", "accurate") if tier == "cascade" else (tier,):
        content = (weights / f"{name}.bin").read_bytes()
        taggers.append(Tagger(known, *parse(content, hashlib.sha256(content).hexdigest())))
    marks = Cascade(*taggers) if tier == "cascade" else taggers[0]
    return ModelDetector(tier, rules_detector(), marks, ("unshipped",))


def documents(bench: Any, folder: Path, split: str) -> Iterator[tuple[str, list[Any], set[str]]]:
    """(name, documents of one split, scope) of every set; of those that are measured only, and of our own, all documents."""
    for path in sets.paths(folder):
        every, scope = bench.load(str(path))
        whole = split == "all" or path.stem in sets.MEASURED_ONLY
        yield path.stem, [d for d in every if whole or sets.split_of(d["id"]) == split], scope
    for name, every in sets.own().items():
        yield name, every, set(sets.OWN_SCOPE)


def labelled(detector: Detector) -> Detect:
    """Finds under the labels of the bench; a date that only rules see, such as a time stamp, is none of a person."""
    return lambda text: [
        (s.start, s.end, "MISC" if s.kind == "coordinates" else KINDS[s.kind].label)
        for s in detector.detect(text)
        if (s.kind, s.detector) != ("date", "rules")
    ]


def measure(bench: Any, detect: Detect, chosen: list[Any], scope: set[str]) -> tuple[dict[str, Any], list[Any], float]:
    """(measures, errors, MB per CPU second) of documents of one set."""
    begin = time.process_time()
    predicted = [detect(d["text"]) for d in chosen]
    spent = time.process_time() - begin
    result, errors = bench.evaluate(chosen, predicted, scope)
    return result, errors, sum(len(d["text"].encode()) for d in chosen) / 1e6 / spent


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", type=Path, required=True)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--tier", default="fast")
    parser.add_argument("--split", default="test")
    parser.add_argument("--errors", type=Path)
    args = parser.parse_args()
    from troth.redact.tiers import detector

    bench = harness(args.bench)
    detect = labelled(built(args.weights, args.tier) if args.weights else detector(args.tier))
    detect("Warm up: call John Smith.")
    print("| set | P | R | F1 | leak | over | MB/cpu-s | F1 of kinds |\n|---|---|---|---|---|---|---|---|")
    wrong = []
    for name, chosen, scope in documents(bench, args.bench / "data", args.split):
        result, errors, speed = measure(bench, detect, chosen, scope)
        m = result["micro"]
        kinds = " ".join(f"{k}:{v['P'] or 0:.2f}/{v['R'] or 0:.2f}" for k, v in result["per"].items() if v["gold"])
        figures = f"{m['P'] or 0:.3f} | {m['R'] or 0:.3f} | {m['F1']:.3f} | {result['leak']:.3f} | {result['over']:.4f} | {speed:.2f}"
        print(f"| {name} | {figures} | {kinds} |", flush=True)
        wrong += [{"set": name, **e} for e in errors]
    if args.errors:
        args.errors.write_text("".join(json.dumps(e, ensure_ascii=False) + "\n" for e in wrong), encoding="utf-8")


if __name__ == "__main__":
    main()
