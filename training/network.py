"""The tagger in PyTorch: features of words, a few convolutions over words, one tag for each word."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from training.encode import TAGS
from troth.redact.model.words import NORM_ROWS, PREFIX_ROWS, SHAPE_ROWS, SUFFIX_ROWS

BITS = 16
COUNTS = 8  # how many pieces a word has
SIZES = {"norm": 32, "prefix": 16, "suffix": 24, "shape": 16}


@dataclass(frozen=True)
class Shape:
    """Width of the network and how far each layer reaches."""

    width: int
    reach: tuple[int, ...]


FAST = Shape(96, (1, 2, 4, 1))
ACCURATE = Shape(192, (1, 2, 4, 8, 2, 1))


class Layer(nn.Module):
    """x + relu(norm(convolution over (i - reach, i, i + reach)))."""

    def __init__(self, width: int, reach: int, dropout: float) -> None:
        super().__init__()
        self.reach = reach
        self.mix = nn.Linear(3 * width, width, bias=False)
        self.norm = nn.BatchNorm1d(width)
        self.drop = dropout

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x [rows, words, width]; mask [rows, words, 1]."""
        n = x.shape[1]
        wide = functional.pad(x, (0, 0, self.reach, self.reach))
        window = torch.cat([wide[:, :n], x, wide[:, 2 * self.reach : 2 * self.reach + n]], dim=2)
        flat = self.mix(window).flatten(0, 1)
        y = functional.relu(self.norm(flat)).view(x.shape)
        return (x + functional.dropout(y, self.drop, self.training)) * mask


class Tagger(nn.Module):
    """`vectors`: [pieces + 1, dimensions] and `whole`: [words, dimensions], row 0 of both is zero; not trained."""

    def __init__(self, vectors: np.ndarray, whole: np.ndarray, shape: Shape, dropout: float = 0.1) -> None:
        super().__init__()
        self.vectors: Tensor
        self.whole: Tensor
        self.register_buffer("vectors", torch.from_numpy(vectors.astype(np.float32)))
        self.register_buffer("whole", torch.from_numpy(whole.astype(np.float32)))
        self.norm = nn.Embedding(NORM_ROWS, SIZES["norm"])
        self.prefix = nn.Embedding(PREFIX_ROWS, SIZES["prefix"])
        self.suffix = nn.Embedding(SUFFIX_ROWS, SIZES["suffix"])
        self.shape = nn.Embedding(SHAPE_ROWS, SIZES["shape"])
        for table in (self.norm, self.prefix, self.suffix, self.shape):
            nn.init.normal_(table.weight, std=0.3)
        total = 2 * vectors.shape[1] + sum(SIZES.values()) + BITS + COUNTS + whole.shape[1]
        self.enter = nn.Linear(total, shape.width)
        self.space = nn.Embedding(2, shape.width)
        nn.init.normal_(self.space.weight, std=0.1)
        self.layers = nn.ModuleList(Layer(shape.width, reach, dropout) for reach in shape.reach)
        self.leave = nn.Linear(shape.width, TAGS)

    def words(self, features: Tensor) -> Tensor:
        """[words, width] of features [words, PIECES + 7]: pieces, hashed norm and affixes, shape, lists, whole word."""
        pieces, count = features[:, :6], features[:, 6]
        found = self.vectors[pieces]
        mean = found.sum(1) / count.clamp(min=1).unsqueeze(1)
        bits = (features[:, 11:12] >> torch.arange(BITS)) & 1
        blocks = [
            mean, found[:, 0], functional.one_hot(count.clamp(max=COUNTS - 1), COUNTS).float(),
            self.norm(features[:, 7]), self.prefix(features[:, 8]), self.suffix(features[:, 9]), self.shape(features[:, 10]), bits.float(), self.whole[features[:, 12]],
        ]  # fmt: skip
        if self.training:  # whole blocks fall out, so that no list and no single word is relied on
            keep = [0.85, 0.85, 1.0, 0.75, 0.9, 0.9, 1.0, 0.65, 0.8]
            n = len(features)
            blocks = [b if k == 1.0 else b * (torch.rand(n, 1) < k) for b, k in zip(blocks, keep, strict=True)]
        return functional.relu(self.enter(torch.cat(blocks, dim=1)))

    def forward(self, features: Tensor, rows: Tensor, spaces: Tensor, mask: Tensor) -> Tensor:
        """Scores of tags [rows, words, TAGS] for unique words `features` and, in each place, the row of its word."""
        x = (self.words(features)[rows] + self.space(spaces)) * mask
        for layer in self.layers:
            x = layer(x, mask)
        return self.leave(x)


def loss(scores: Tensor, allowed: Tensor, mask: Tensor) -> Tensor:
    """Minus log of the probability of all allowed tags together, over the words of `mask` [rows, words]."""
    good = torch.logsumexp(scores + allowed, dim=-1)
    return ((torch.logsumexp(scores, dim=-1) - good) * mask).sum() / mask.sum()
