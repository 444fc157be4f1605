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
EPOCHS, BATCH, STEP = 12, 384, 3e-3
NOISE = 0.25  # of a standard deviation, on what is known of words: a neighbour of the word would do as well
COMMON = 0.12  # share of texts from which on a category that holds weighs no more than one that does not (twice)
JOINED = 0.2  # share of texts with a harmless one before or behind them


class Vectors(nn.Module):
    """Words as numbers: what is known (fixed) and a table that is learnt."""

    def __init__(self) -> None:
        super().__init__()
        known = knowledge()
        self.words = Words(known, BUCKETS)
        pieces = np.vstack([known.vectors, np.zeros((1, 64), np.int8)])
        self.register_buffer("pieces", torch.tensor(pieces).float() / 32)
        self.register_buffer("whole", torch.tensor(known.words.copy()).float() / 32)
        self.table = nn.Embedding(BUCKETS, LEARNT)
        nn.init.normal_(self.table.weight, std=0.1)

    def fixed(self, text: str) -> tuple[np.ndarray, np.ndarray]:
        """(words x 128, buckets) of a text's first passage."""
        read = [self.words.read(word) for word in next(iter(passages(text, self.words.vocabulary)), ["?"])]
        known = np.stack(
            [np.concatenate([self.pieces[list(p)].mean(0).numpy(), self.whole[row].numpy()]) for p, row, _ in read]
        )
        return known.astype(np.float16), np.array([bucket for _, _, bucket in read])


class Network(nn.Module):
    """As the classifier's own words say."""

    def __init__(self) -> None:
        super().__init__()
        self.vectors = Vectors()
        self.first = nn.Conv1d(128 + LEARNT, WIDTH, 3, padding=1)
        self.second = nn.Conv1d(WIDTH, WIDTH, 3, padding=2, dilation=2)
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
        mask = real[:, None, :]
        rows = torch.cat([known, learnt], 2).transpose(1, 2)
        first = torch.relu(self.first(rows)) * mask
        second = (torch.relu(self.second(first)) + first) * mask
        both = torch.cat([second.amax(2), second.sum(2) / mask.sum(2)], 1)
        return self.out(self.leave_out(torch.relu(self.hidden(self.leave_out(both)))))


@dataclass(frozen=True)
class Rows:
    """Texts as numbers, each of its own length."""

    known: list[np.ndarray]
    buckets: list[np.ndarray]
    labels: np.ndarray
    weights: np.ndarray

    def batch(self, chosen: Sequence[int]) -> tuple[torch.Tensor, ...]:
        """The chosen texts, filled up with nothing."""
        longest = max(len(self.buckets[n]) for n in chosen)
        known = np.zeros((len(chosen), longest, 128), np.float32)
        buckets, real = np.zeros((len(chosen), longest), np.int64), np.zeros((len(chosen), longest), np.float32)
        for at, n in enumerate(chosen):
            size = len(self.buckets[n])
            known[at, :size], buckets[at, :size], real[at, :size] = self.known[n], self.buckets[n], 1
        return torch.from_numpy(known), torch.from_numpy(buckets), torch.from_numpy(real)


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
    return Rows(known, buckets, labels, np.array([weight_of(one) for one in examples], np.float32))


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
    """Whether a line is for scaling and thresholds: a fifth of them."""
    return zlib.crc32(line.encode()) % 5 == 0
