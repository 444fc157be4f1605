#!/usr/bin/env python3
"""Weighs the labels of a trained tagger on the split `tune`, and writes the weights into its file.

    python -m training.tune --bench FOLDER --out FOLDER --tier fast

One label after the other: the factor that gives the best mean of F1, leak and over, over all sets alike. A character that
leaks counts more than one that is masked in vain, as long as those stay few.
"""

from __future__ import annotations

import argparse
import hashlib
import os
from pathlib import Path
from typing import Any

for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

from collections.abc import Sequence

from training import sets
from training.measure import documents, harness, labelled
from troth.redact.detect import Detector, Span, rules_detector
from troth.redact.model.cut import Cut, cut
from troth.redact.model.detector import ModelDetector
from troth.redact.model.knowledge import Knowledge
from troth.redact.model.lookup import Array
from troth.redact.model.tagger import Decoder, Reading, Tagger, blocks
from troth.redact.model.weights import parse, write

LABELS = ("PERSON", "LOCATION", "ORG", "DATE", "ID", "USERNAME", "EMAIL", "PHONE")
FACTORS = (0.35, 0.5, 0.7, 1.4, 2.0)
_LARGEST = 150_000  # characters of one set that are looked at
_LEAK, _OVER, _FEW = 1.0, 5.0, 0.015  # weights of the measures, and the part of other characters that may be masked


class Remembered:
    """A tagger and the rules that read each text once: only the labels are weighed anew."""

    def __init__(self, tagger: Tagger) -> None:
        self._tagger, self._rules = tagger, rules_detector()
        self._chances: dict[str, tuple[Cut, list[Array]]] = {}
        self._finds: dict[str, list[Span]] = {}
        self.version = "tuned"

    def tag_many(self, texts: Sequence[str]) -> list[Reading]:
        """As `Tagger.tag_many`."""
        found = []
        for text in texts:
            if text not in self._chances:
                words = cut(text)
                self._chances[text] = words, list(self._tagger.chances(blocks(words)))
            words, chances = self._chances[text]
            decoder = Decoder(words, self._tagger.labels, self._tagger.bias)
            for block in chances:
                decoder.add(block)
            found.append(Reading(words, decoder.close()))
        return found

    def detect(self, text: str) -> list[Span]:
        """What the rules find."""
        if text not in self._finds:
            self._finds[text] = self._rules.detect(text)
        return self._finds[text]


def chosen(bench: Any, folder: Path) -> list[tuple[list[Any], set[str]]]:
    """(documents of the split, scope) of every set that has some and may be learnt from."""
    found = []
    for name, every, scope in documents(bench, folder, "tune"):
        some, size = [], 0
        for d in every if name in sets.WEIGHT else ():
            if size < _LARGEST:
                some.append(d)
                size += len(d["text"])
        if some:
            found.append((some, scope))
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
    once = Remembered(tagger)
    rules: Detector = once
    detect = labelled(ModelDetector(args.tier, rules, once, ("tuned",)))
    every = chosen(bench, args.bench / "data")

    def worth() -> float:
        total = 0.0
        for texts, scope in every:
            result, _ = bench.evaluate(texts, [detect(d["text"]) for d in texts], scope)
            total += result["micro"]["F1"] - _LEAK * result["leak"] - _OVER * max(0.0, result["over"] - _FEW)
        return total / len(every)

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
