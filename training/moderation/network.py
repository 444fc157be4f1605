"""The network of `troth.gateway.moderation.classifier` in torch: learnt here, run there by numpy."""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from training.moderation.examples import Example, dressed
from troth.gateway.moderation.classifier import Words
from troth.gateway.moderation.legible import PASSAGE, passages
from troth.gateway.moderation.policy import CATEGORIES
from troth.redact.tiers import knowledge

ORDER = tuple(sorted(CATEGORIES))
BUCKETS, LEARNT, WIDTH, HIDDEN = 4096, 24, 64, 64
EPOCHS, BATCH, STEP = 9, 384, 3e-3
NOISE = 0.25  # of a standard deviation, on what is known of words: a neighbour of the word would do as well
COMMON = 0.12  # share of texts from which on a category that holds weighs no more than one that does not (twice)
JOINED = 0.2  # share of texts with a harmless one before or behind them


class Vectors(nn.Module):
    """Words as numbers: what is known (fixed) and a table that is learnt."""

    def __init__(self) -> None:
        super().__init__()
        known = knowledge()
        self.words = Words(known, BUCKETS)
        self.pieces = np.vstack([known.vectors, np.zeros((1, 64), np.int8)]).astype(np.float32) / 32
        self.whole = known.words.astype(np.float32) / 32
        self._rows: dict[str, tuple[int, int]] = {}
        self._known = [np.zeros(128, np.float32)]
        self.table = nn.Embedding(BUCKETS, LEARNT)
        nn.init.normal_(self.table.weight, std=0.1)

    def fixed(self, text: str) -> tuple[np.ndarray, np.ndarray]:
        """(rows of `known`, buckets) of a text's first passage."""
        read = [self._row(word) for word in next(iter(passages(text, self.words.vocabulary)), ["?"])]
        return np.array([row for row, _ in read]), np.array([bucket for _, bucket in read])

    def known(self) -> np.ndarray:
        """Words that were read x 128; row 0 is zero."""
        return np.stack(self._known)

    def _row(self, word: str) -> tuple[int, int]:
        if word not in self._rows:
            pieces, whole, bucket = self.words.read(word)
            self._rows[word] = len(self._known), bucket
            self._known.append(np.concatenate([self.pieces[list(pieces)].mean(0), self.whole[whole]]))
        return self._rows[word]


class Convolution(nn.Module):
    """Each word with the ones `reach` before and behind it, as one product and two moves (as the classifier has it)."""

    def __init__(self, inputs: int, reach: int) -> None:
        super().__init__()
        self.products = nn.Linear(inputs, 3 * WIDTH, bias=False)
        nn.init.uniform_(self.products.weight, -((3 * inputs) ** -0.5), (3 * inputs) ** -0.5)
        self.bias = nn.Parameter(torch.zeros(WIDTH))
        self.reach = reach

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """texts x words x inputs to texts x words x WIDTH."""
        before, at, behind = self.products(rows).split(WIDTH, 2)
        before = nn.functional.pad(before, (0, 0, self.reach, 0))[:, : rows.shape[1]]
        behind = nn.functional.pad(behind, (0, 0, 0, self.reach))[:, self.reach :]
        return before + at + behind + self.bias

    def weights(self) -> np.ndarray:
        """3 x inputs x outputs."""
        both: np.ndarray = self.products.weight.detach().numpy()
        return both.reshape(3, WIDTH, -1).transpose(0, 2, 1)


class Network(nn.Module):
    """As the classifier's own words say."""

    def __init__(self) -> None:
        super().__init__()
        self.vectors = Vectors()
        self.first = Convolution(128 + LEARNT, 1)
        self.second = Convolution(WIDTH, 2)
        self.hidden = nn.Linear(2 * WIDTH, HIDDEN)
        self.out = nn.Linear(HIDDEN, len(ORDER))
        self.leave_out = nn.Dropout(0.4)

    def forward(self, known: torch.Tensor, buckets: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """known: texts x words x 128; buckets: texts x words; real: where there is a word. Gives texts x categories."""
        learnt = self.vectors.table(buckets) * real[..., None]
        if self.training:  # a third of the texts must do without the learnt vectors, some words are not seen at all
            learnt = learnt * (torch.rand(len(known), 1, 1) > 0.35)
            seen = (torch.rand(real.shape) > 0.05)[..., None]
            known = (known + NOISE * torch.randn_like(known)) * seen * real[..., None]
            learnt = learnt * seen
        mask = real[..., None]
        first = torch.relu(self.first(torch.cat([known, learnt], 2))) * mask
        second = (torch.relu(self.second(first)) + first) * mask
        both = torch.cat([second.amax(1), second.sum(1) / mask.sum(1)], 1)
        return self.out(self.leave_out(torch.relu(self.hidden(self.leave_out(both)))))


@dataclass(frozen=True)
class Rows:
    """Texts as numbers, each of its own length: rows of `vectors`, and buckets."""

    vectors: np.ndarray
    known: list[np.ndarray]
    buckets: list[np.ndarray]
    labels: np.ndarray
    weights: np.ndarray

    def batch(self, chosen: Sequence[int]) -> tuple[torch.Tensor, ...]:
        """The chosen texts, filled up with nothing."""
        longest = max(len(self.buckets[n]) for n in chosen)
        known, buckets = np.zeros((2, len(chosen), longest), np.int64)
        real = np.zeros((len(chosen), longest), np.float32)
        for at, n in enumerate(chosen):
            size = len(self.buckets[n])
            known[at, :size], buckets[at, :size], real[at, :size] = self.known[n], self.buckets[n], 1
        return torch.from_numpy(self.vectors[known]), torch.from_numpy(buckets), torch.from_numpy(real)


def rows_of(network: Network, examples: Sequence[Example], seed: int) -> Rows:
    """Examples in some dress, some of them joined with harmless ones."""
    draw = random.Random(seed)
    harmless = [one.text for one in examples if not one.labels]
    known, buckets = [], []
    for one in examples:
        text = dressed(one.text, draw)
        if draw.random() < JOINED and len(text.split()) < PASSAGE // 2:
            other = draw.choice(harmless)
            text = f"{other}. {text}" if draw.random() < 0.5 else f"{text}. {other}"
        vectors, those = network.vectors.fixed(text)
        known.append(vectors)
        buckets.append(those)
    labels = np.array([[name in one.labels for name in ORDER] for one in examples], np.float32)
    return Rows(
        network.vectors.known(), known, buckets, labels, np.array([weight_of(one) for one in examples], np.float32)
    )


def weight_of(one: Example) -> float:
    """Real texts count half: nobody looked whether each is harmless."""
    return 0.5 if one.line.startswith("real:") else 1.0


def trained(network: Network, rows: Rows, epochs: int = EPOCHS, seed: int = 1) -> None:
    """Learn in place (AdamW, one cycle; Loshchilov and Hutter 2019)."""
    torch.manual_seed(seed)
    draw = random.Random(seed)
    rare = torch.from_numpy(np.clip(2 * np.sqrt(COMMON / rows.labels.mean(0)), 2, 5)).float()
    steps = epochs * (len(rows.buckets) // BATCH + 1)
    learner = torch.optim.AdamW(network.parameters(), STEP, weight_decay=0.02)
    pace = torch.optim.lr_scheduler.OneCycleLR(learner, STEP, total_steps=steps)
    network.train()
    for epoch in range(epochs):
        lost = 0.0
        for chosen in _batches(rows, draw):
            truth = torch.from_numpy(rows.labels[chosen])
            weight = torch.from_numpy(rows.weights[chosen])[:, None] * (1 + (rare - 1) * truth)
            loss = nn.functional.binary_cross_entropy_with_logits(
                network(*rows.batch(chosen)), truth * 0.98 + 0.01, weight, reduction="sum"
            ) / len(chosen)
            learner.zero_grad()
            loss.backward()
            learner.step()
            pace.step()
            lost += loss.item() * len(chosen)
        print(f"epoch {epoch + 1}: {lost / len(rows.buckets):.4f}", flush=True)
    network.eval()


def _batches(rows: Rows, draw: random.Random) -> list[list[int]]:
    """Texts of like length together, in another order each time."""
    order = sorted(range(len(rows.buckets)), key=lambda n: len(rows.buckets[n]) + draw.random() * 4)
    batches = [order[at : at + BATCH] for at in range(0, len(order), BATCH)]
    draw.shuffle(batches)
    return batches


def logits(network: Network, rows: Rows) -> np.ndarray:
    """Texts x categories."""
    with torch.no_grad():
        parts = [
            network(*rows.batch(range(at, min(at + BATCH, len(rows.buckets)))))
            for at in range(0, len(rows.buckets), BATCH)
        ]
    result: np.ndarray = torch.cat(parts).numpy()
    return result


def left_out(line: str) -> bool:
    """Whether a line is for scaling and thresholds, not for learning: an eighth of them."""
    return zlib.crc32(line.encode()) % 8 == 0
