"""The model of `svguardian` by matrices: what its own runtime finds, for all windows of a text at once.

Its runtime is pure Python and reads each window anew: 4 ms for a prompt of 500 characters, and 34 MB. This is the same
pipeline (word and character TF-IDF with sublinear tf, L2 norm for each block, linear scores, softmax) with the same
weights; tests compare both. Nothing of a text outlives its call, but for how words that everybody uses are read.
"""

from __future__ import annotations

import re
import string
from array import array
from collections.abc import Callable, Sequence
from importlib import import_module
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

_END = "\0"
_TOKEN = re.compile(r"\b\w\w+\b")
_Columns = NDArray[np.intc]
_Word = tuple["array[int]", list[str]]  # the columns of a word's characters and tokens, and its tokens
_KEPT = 1 << 12  # words that are kept; some 2 MB
_SIGNS = 2  # punctuation marks beside a word that is kept
_LONGEST = 24  # signs of a word that is kept


class Guardian:
    """Judges texts. Safe between threads."""

    def __init__(self, pure: Any, public: Callable[[str], bool] = lambda _word: False) -> None:
        """`pure`: a `PureGuardian`, of which nothing is kept but the words it knows. `public`: whether a word in small
        letters is one that everybody uses; how it is read is remembered, of others never: those may be names."""
        self.threshold, self.window_min_score = pure.threshold, pure.window_min_score
        self._classes, self._benign = list(pure.classes), pure.benign
        self._words = _anew(pure.word["vocab"], 0)
        self._grams = _anew(pure.char["vocab"], pure.n_word)
        self._sizes = range(pure.char["ngram_range"][0], pure.char["ngram_range"][1] + 1)
        self._of_words = pure.n_word
        self._rarity: NDArray[np.float64] = np.array([*pure.word["idf"], *pure.char["idf"]])
        self._weights: NDArray[np.float64] = np.ascontiguousarray(np.array(pure.coef).T)
        self._bias: NDArray[np.float64] = np.array(pure.intercept)
        self._public, self._kept = public, dict[str, _Word]()
        if pure.word["ngram_range"] != [1, 2] or not (pure.word["sublinear_tf"] and pure.char["sublinear_tf"]):
            raise ValueError("another kind of model")

    def judge(self, text: str) -> dict[str, Any]:
        """What `svguardian.window.predict_windowed` says of a text: `verdict`, `category`, `malicious_score`."""
        asked = _Asked(self)
        import_module("svguardian.window").predict_windowed(asked, text)  # which cuts, decodes and turns the text
        whole, *windows = self._found(list(asked.texts))
        least = max(self.threshold, self.window_min_score)  # a window alone must be surer
        worst = max(windows, key=_score, default=whole)
        surer = _score(worst) >= least and _score(worst) > _score(whole)
        return worst | {"verdict": "malicious"} if surer else whole

    def _found(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        scores = self._scores(texts)
        chances = np.exp(scores - scores.max(axis=1, keepdims=True))
        chances /= chances.sum(axis=1, keepdims=True)
        return [self._said(of) for of in chances.tolist()]

    def _said(self, chances: list[float]) -> dict[str, Any]:
        upon = [(chance, name) for chance, name in zip(chances, self._classes, strict=True) if name != self._benign]
        malicious = sum(chance for chance, _ in upon)
        verdict = "malicious" if malicious >= self.threshold else "benign"
        category = max(upon)[1] if verdict == "malicious" else None
        return {"verdict": verdict, "category": category, "malicious_score": round(malicious, 4)}

    def _scores(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """[texts, classes] of the linear model."""
        many, known = len(self._rarity), dict[str, _Word]()
        found = np.concatenate([self._columns(text, known) + number * many for number, text in enumerate(texts)])
        places, counts = np.unique(found, return_counts=True)
        of, columns = np.divmod(places, many)
        values = (1.0 + np.log(counts)) * self._rarity[columns]
        block = 2 * of + (columns >= self._of_words)
        values /= np.sqrt(np.bincount(block, values * values))[block]
        scores = np.tile(self._bias, (len(texts), 1))
        if len(places):
            starts = np.flatnonzero(np.diff(of, prepend=-1))
            scores[of[starts]] += np.add.reduceat(self._weights.take(columns, axis=0) * values[:, None], starts)
        return scores

    def _columns(self, text: str, known: dict[str, _Word]) -> _Columns:
        """Of every word, pair of words and piece of a word that the model knows, as often as it stands there."""
        found, tokens = array("i"), list[str]()
        for word in text.lower().split():
            one = self._kept.get(word) or known.get(word)
            if one is None:
                one = known[word] = self._word(word)
            found += one[0]
            tokens += one[1]
        known_as = self._words.get
        found.extend([at for pair in pairwise(tokens) if (at := known_as(" ".join(pair))) is not None])
        return np.frombuffer(found, dtype=np.intc)

    def _word(self, word: str) -> _Word:
        """Pieces as scikit-learn's `char_wb` takes them: what is no longer than a piece counts once."""
        padded, found, known_as = f" {word} ", array("i"), self._grams.get
        for size in self._sizes:
            last = max(0, len(padded) - size)
            found.extend([at for i in range(last + 1) if (at := known_as(padded[i : i + size])) is not None])
            if not last:
                break
        tokens = _TOKEN.findall(word)
        found.extend([at for term in tokens if (at := self._words.get(term)) is not None])
        read = found, tokens
        bare = word.strip(string.punctuation)
        short = len(bare) <= _LONGEST and len(word) <= len(bare) + _SIGNS  # checksums say who is public: any length may
        if short and len(self._kept) < _KEPT and bare.isalpha() and self._public(bare):
            self._kept[word] = read
        return read


def _anew(places: dict[str, int], first: int) -> dict[str, int]:
    """A copy that shares nothing: what was read from the file can be given back to the system as a whole."""
    names = _END.join(places).split(_END)
    return dict(zip(names, (at + first for at in places.values()), strict=True))


class _Asked:
    """Notes which texts are asked about: first the whole, then its windows and what is encoded in it."""

    def __init__(self, guardian: Guardian) -> None:
        self.threshold, self.window_min_score = guardian.threshold, guardian.window_min_score
        self.texts: dict[str, None] = {}

    def predict(self, text: str) -> dict[str, Any]:
        """Nothing yet."""
        self.texts[text] = None
        return {"malicious_score": 0.0}


def _score(found: dict[str, Any]) -> float:
    return float(found["malicious_score"])
