"""The training loop: fixed seeds, one thread, an epoch of fresh noise and fresh generated text each time."""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from training import generate, sets
from training.encode import Allowed, Row, Vocabulary, encode, noisy, pieces, rewritten
from training.network import Shape, Tagger, loss
from training.sets import Document

LONGEST = 256  # words of one row
_MEMORY = 0.998  # of the running mean of the weights, which is what is kept
SILVER_SCOPE = frozenset({"PERSON", "LOCATION", "ORG", "DATE"})


@dataclass(frozen=True)
class Plan:
    """What one training run does."""

    shape: Shape
    epochs: int
    batch: int = 5000  # words
    rate: float = 3e-3
    generated: int = 7500  # documents of one epoch
    silver: int = 4500
    plain: int = 1400
    seed: int = 20261122
    last: bool = False  # whether these are the last epochs, which go on from saved weights


def silver(path: Path) -> list[Document]:
    """The silver set."""
    with path.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [
        Document(f"silver-{i}", d["text"], tuple((s["start"], s["end"], s["label"], s["mask"] == "must") for s in d["spans"]), SILVER_SCOPE, "silver")
        for i, d in enumerate(rows)
    ]  # fmt: skip


def epoch(
    plan: Plan, number: int, gold: list[Document], machine: list[Document], plain: Sequence[Document]
) -> Iterator[Document]:
    """The documents of one epoch."""
    r = random.Random(plan.seed * 1000 + number)
    for d in gold:
        weight = sets.WEIGHT[d.source]
        for _ in range(int(weight) + (r.random() < weight % 1)):
            yield noisy(rewritten(d, r, 0.4), r)
    for d in r.sample(machine, min(plan.silver, len(machine))):
        yield noisy(rewritten(d, r, 0.3), r)
    for d in r.sample(plain, min(plan.plain, len(plain))):
        yield noisy(d, r)
    for i in range(plan.generated):
        yield noisy(generate.document(r, i, plan.last), r)


def batches(rows: list[Row], size: int, r: random.Random) -> list[list[Row]]:
    """Rows of like length together, batches in random order."""
    rows.sort(key=lambda row: (len(row[0]), r.random()))
    found: list[list[Row]] = [[]]
    for row in rows:
        if found[-1] and (len(found[-1]) + 1) * len(row[0]) > size:
            found.append([])
        found[-1].append(row)
    r.shuffle(found)
    return found


def stacked(batch: list[Row]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(words, spaces, allowed, mask), padded to the longest row."""
    width = max(len(row[0]) for row in batch)
    words, spaces, target = (np.zeros((len(batch), width), dtype=np.int64) for _ in range(3))
    mask = np.zeros((len(batch), width), dtype=np.float32)
    for i, (w, s, t) in enumerate(batch):
        n = len(w)
        words[i, :n], spaces[i, :n], target[i, :n], mask[i, :n] = w, s, t, 1.0
    return words, spaces, target, mask


class Trainer:
    """Trains one tagger. `vocabulary` and `allowed` grow with every epoch."""

    def __init__(
        self, plan: Plan, vectors: np.ndarray, whole: np.ndarray, vocabulary: Vocabulary, begun: Path | None = None
    ) -> None:
        torch.manual_seed(plan.seed)
        torch.set_num_threads(1)
        self.plan, self.vocabulary, self.allowed = plan, vocabulary, Allowed()
        self.model = Tagger(vectors, whole, plan.shape)
        if begun:
            self.model.load_state_dict(torch.load(begun))
        self.mean = torch.optim.swa_utils.AveragedModel(
            self.model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(_MEMORY), use_buffers=True
        )
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=plan.rate, weight_decay=0.01)
        self.begun, self.steps = time.monotonic(), 0

    def rows(
        self, number: int, gold: list[Document], machine: list[Document], plain: Sequence[Document]
    ) -> list[list[Row]]:
        """The batches of one epoch."""
        r = random.Random(number)
        found: list[Row] = []
        for document in epoch(self.plan, number, gold, machine, plain):
            row = encode(document, self.vocabulary, self.allowed)
            if len(row[0]):
                found += pieces(row, LONGEST, r)
        return batches(found, self.plan.batch, r)

    def run(self, gold: list[Document], machine: list[Document], plain: Sequence[Document], saved: Path) -> Tagger:
        """All epochs; the figures of each are printed, and the weights of each are saved."""
        for number in range(self.plan.epochs):
            made = self.rows(number, gold, machine, plain)
            features = torch.tensor(self.vocabulary.features, dtype=torch.int64)
            table = torch.from_numpy(self.allowed.table())
            self.model.train()
            total = 0.0
            for i, batch in enumerate(made):
                self._rate((number + i / len(made)) / self.plan.epochs)
                total += self._step(batch, features, table)
            torch.save(self.mean.module.state_dict(), saved)
            size = sum(len(row[0]) for batch in made for row in batch)
            minutes = (time.monotonic() - self.begun) / 60
            print(f"epoch {number}: {size} words, loss {total / len(made):.4f}, {minutes:.1f} min", flush=True)
        tagger: Tagger = self.mean.module
        return tagger.eval()

    def _rate(self, part: float) -> None:
        rate = (
            self.plan.rate * min(1.0, self.steps / 200) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, part))))
        )
        for group in self.optimiser.param_groups:
            group["lr"] = rate

    def _step(self, batch: list[Row], features: torch.Tensor, table: torch.Tensor) -> float:
        words, spaces, target, mask = stacked(batch)
        unique, rows = np.unique(words, return_inverse=True)
        there = torch.from_numpy(mask)
        scores = self.model(
            features[torch.from_numpy(unique)],
            torch.from_numpy(rows.reshape(words.shape)),
            torch.from_numpy(spaces),
            there.unsqueeze(2),
        )
        value = loss(scores, table[torch.from_numpy(target)], there)
        self.optimiser.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.mean.update_parameters(self.model)
        self.steps += 1
        return float(value.detach())
