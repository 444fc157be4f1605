"""`python -m training.moderation.train BENCH_DATA`: learn, scale, choose thresholds, write the weights into the package.

Needs torch (training/requirements.txt). Two networks are learnt without an eighth of the lines, each of texts that its own
seed makes; on texts of the left-out lines the mean of their scores is scaled (Platt 1999) and thresholds are chosen. No
held-out sentence is looked at but to leave out what is nearly the same.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from torch import nn

from training.moderation.corpora import everyday, real
from training.moderation.examples import HERE, Example, heldout, made, near, runs
from training.moderation.network import HIDDEN, LEARNT, ORDER, WIDTH, Network, left_out, logits, rows_of, trained
from training.sets import MEASURED_ONLY, paths, read, split_of
from troth.gateway.moderation.classifier import TextClassifier
from troth.redact.model.weights import parse, write
from troth.redact.tiers import knowledge

EACH = dict(abuse=28, hate=28, crime=32, self=36, sexual=36, violence=36, harmless=55, others=26)
EACH |= dict(wide_abuse=90, wide_hate=100, wide_crime=130, wide_self=85, wide_sexual=75, wide_violence=75)
EACH |= dict(wide_harmless=125, wide_others=36, wide_formal=110, free_harm=14, free_harmless=14)
HELDOUT = ("heldout.txt", "heldout2.txt", "heldout3.txt")
REAL = 700  # passages of each set of real texts
ALARMS = 0.03  # share of left-out harmless lines, those written to mislead, that may be flagged at all
REAL_ALARMS = 0.015  # the same of real documents
LEAST, MOST = 0.2, 0.985  # between which a threshold lies
SEEDS = (1, 2)  # of a network each
PACKAGE = HERE.parent.parent / "src" / "troth" / "gateway" / "moderation"


def examples(bench: Path, seed: int) -> list[Example]:
    """All texts, as one seed makes them."""
    held = near([text for name in HELDOUT for part in heldout(name).values() for _, text in part])
    found = [
        one for one in made(seed, EACH) if sum(run in held for run in runs(one.text)) * 2 < max(1, len(runs(one.text)))
    ]
    return [*found, *real(bench, REAL, 2 + seed), *everyday()]


def learnt(bench: Path, seed: int) -> Network:
    """A network of texts made by one seed, left-out lines aside."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    network = Network()
    those = [one for one in examples(bench, seed) if not left_out(one.line)]
    print(f"{len(those)} texts, {sum(bool(one.labels) for one in those)} of them with a label", flush=True)
    trained(network, rows_of(network, those, 4 + seed), seed=seed)
    return network


def scaled(found: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(slope, shift) of each category, by which a logit becomes a probability on these texts; harmless weigh half."""
    found, truth = torch.tensor(found), torch.tensor(labels)
    weight = torch.where(truth.sum(1) > 0, 1.0, float((truth.sum(1) > 0).sum() / (truth.sum(1) == 0).sum()))[:, None]
    slope, shift = torch.ones(len(ORDER), requires_grad=True), torch.zeros(len(ORDER), requires_grad=True)
    learner = torch.optim.LBFGS([slope, shift], max_iter=200)

    def closure() -> torch.Tensor:
        learner.zero_grad()
        lost = nn.functional.binary_cross_entropy_with_logits(found * slope + shift, truth, weight)
        lost = lost + 1e-3 * ((slope - 1) ** 2).sum()
        lost.backward()
        return lost

    learner.step(closure)
    return slope.detach().numpy(), shift.detach().numpy()


def thresholds(scores: np.ndarray, labels: np.ndarray, lines: list[str], real: np.ndarray) -> dict[str, float]:
    """From which score each category is said to be there: the lowest at which all flag so few harmless texts together.

    Each category gets the same share of alarms, of misleading texts (each line counts once) and of real documents alike.
    """
    counts = Counter(lines)
    weight = np.array([1 / counts[line] for line in lines])
    harmless = labels.sum(1) == 0
    both = np.vstack([scores[harmless], real])
    share = np.append(weight[harmless] / weight[harmless].sum(), np.full(len(real), 1 / len(real)))
    for each in np.linspace(ALARMS, ALARMS / 100, 300):
        limits = np.array([_quantile(both[:, n], share, 2 * each) for n in range(len(ORDER))]).clip(LEAST, MOST)
        stray = share[len(weight[harmless]) :][(real >= limits).any(1)].sum()
        alarms = share[: len(weight[harmless])][(scores[harmless] >= limits).any(1)].sum()
        if alarms <= ALARMS and stray <= REAL_ALARMS:
            break
    for n, name in enumerate(ORDER):
        reached = np.average(scores[labels[:, n] > 0, n] >= limits[n], weights=weight[labels[:, n] > 0])
        print(f"{name}: from {limits[n]:.3f} on; {reached:.2f} of left-out lines reach it")
    flagged = np.average((scores[~harmless] >= limits).any(1), weights=weight[~harmless])
    print(
        f"any: {flagged:.3f} of left-out lines; harmless ones {alarms:.4f}; real documents {stray:.4f} of {len(real)}"
    )
    return dict(zip(ORDER, limits.round(3).tolist(), strict=True))


def _quantile(scores: np.ndarray, share: np.ndarray, most: float) -> float:
    """The lowest limit that texts of at most this share reach."""
    order = np.argsort(-scores)
    reached = np.cumsum(share[order]) > most
    return float(scores[order][int(reached.argmax())]) + 1e-6 if reached.any() else LEAST


def merged(networks: list[Network]) -> dict[str, np.ndarray]:
    """The arrays of the classifier: networks as groups of channels, and the mean of what they say."""
    many, known = len(networks), 128
    state = [{name: one.detach().numpy() for name, one in network.state_dict().items()} for network in networks]
    first = np.zeros((3, known + many * LEARNT, many * WIDTH), np.float32)
    hidden = np.zeros((2 * many * WIDTH, many * HIDDEN), np.float32)
    for n, network in enumerate(networks):
        channels, rows = slice(n * WIDTH, (n + 1) * WIDTH), slice(known + n * LEARNT, known + (n + 1) * LEARNT)
        weights = network.first.weights()
        first[:, :known, channels], first[:, rows, channels] = weights[:, :known], weights[:, known:]
        own = slice(n * HIDDEN, (n + 1) * HIDDEN)
        inside = state[n]["hidden.weight"].T  # the highest, then the mean
        hidden[channels, own] = inside[:WIDTH]
        hidden[many * WIDTH :][channels, own] = inside[WIDTH:]
    arrays = {
        "buckets": np.hstack([one["vectors.table.weight"] for one in state]),
        "first": first, "second": np.stack([network.second.weights() for network in networks]), "hidden": hidden,
        "out": np.vstack([one["out.weight"].T for one in state]) / many,
    }  # fmt: skip
    biases = {name: np.hstack([one[f"{name}.bias"] for one in state]) for name in ("first", "second", "hidden")}
    biases["out"] = np.mean([one["out.bias"] for one in state], axis=0)
    return arrays | {f"{name}_bias": one for name, one in biases.items()}


def exported(arrays: dict[str, np.ndarray], slope: np.ndarray, shift: np.ndarray, path: Path) -> str:
    """Write the weights, bytes with a scale for each matrix. Gives the SHA-256 of what the packed file holds."""
    scale = {name: float(np.abs(one).max() / 127) for name, one in arrays.items() if one.ndim > 1}
    packed = {
        name: np.ascontiguousarray(np.round(one / scale[name]).astype(np.int8)) if name in scale else one.astype("f4")
        for name, one in arrays.items()
    }
    packed |= {"slope": slope.astype(np.float32), "shift": shift.astype(np.float32)}
    write(path, {"order": list(ORDER), "scale": scale}, packed)
    content = path.read_bytes()
    path.unlink()
    path.with_suffix(".bin.gz").write_bytes(gzip.compress(content, 9, mtime=0))
    return hashlib.sha256(content).hexdigest()


def shipped(networks: list[Network], bench: Path, folder: Path) -> str:
    """Scale what they say, choose thresholds (printed), write the weights. Gives their digest."""
    those = [one for one in examples(bench, 9) if left_out(one.line) and not one.line.startswith("real:")]
    rows = [rows_of(network, those, 6) for network in networks]
    said = np.mean([logits(*both) for both in zip(networks, rows, strict=True)], axis=0)
    slope, shift = scaled(said, rows[0].labels)
    folder.mkdir(exist_ok=True)
    digest = exported(merged(networks), slope, shift, folder / "text.bin")
    content = gzip.decompress((folder / "text.bin.gz").read_bytes())
    judge = TextClassifier(knowledge(), *parse(content, digest))
    real = [judge.scores(text) for text in documents(bench)]
    print(thresholds(1 / (1 + np.exp(-(said * slope + shift))), rows[0].labels, [one.line for one in those],
                     np.array([[one[name] for name in ORDER] for one in real])), flush=True)  # fmt: skip
    return digest


def documents(bench: Path) -> list[str]:
    """Real documents that nothing was learnt from and that no figure is reported of."""
    names = [path for path in paths(bench) if path.stem not in MEASURED_ONLY]
    return [one.text for path in names for one in read(path) if split_of(one.name) == "tune"]


def main(bench: Path, folder: Path = PACKAGE / "weights") -> None:
    """Learn, write the weights and their digest, print the thresholds (for floor.yaml)."""
    with ProcessPoolExecutor(2, get_context("spawn")) as both:
        networks = list(both.map(learnt, [bench] * len(SEEDS), SEEDS))
    digest = shipped(networks, bench, folder)
    print(f"SHA-256 {digest}")
    if folder == PACKAGE / "weights":
        module = PACKAGE / "classifier.py"
        module.write_text(re.sub(r'(?m)^DIGEST = "\w*"', f'DIGEST = "{digest}"', module.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
