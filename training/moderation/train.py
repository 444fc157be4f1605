"""`python -m training.moderation.train BENCH_DATA`: learn, scale, choose thresholds, write the weights into the package.

Needs torch (training/requirements.txt). First a network is learnt without a fifth of the lines: on their texts the scores
are scaled (Platt 1999) and thresholds chosen; then one is learnt from all lines, with that scaling. No held-out sentence is
looked at but to leave out what is nearly the same.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

from training.moderation.corpora import everyday, real
from training.moderation.examples import HERE, Example, heldout, made, near, runs
from training.moderation.network import ORDER, Network, Rows, left_out, logits, rows_of, trained
from troth.redact.model.weights import write

EACH = dict(abuse=50, hate=50, crime=55, self=70, sexual=70, violence=70, harmless=130, others=40)
REAL = 700  # passages of each set of real texts
ALARMS = 0.03  # share of harmless texts of left-out lines, those written to mislead, that may be flagged at all
LEAST, MOST = 0.2, 0.97  # between which a threshold lies
PACKAGE = HERE.parent.parent / "src" / "troth" / "gateway" / "moderation"


def examples(bench: Path) -> list[Example]:
    """All texts to learn from."""
    held = near(
        [text for name in ("heldout.txt", "heldout2.txt") for part in heldout(name).values() for _, text in part]
    )
    found = [
        one for one in made(1, EACH) if sum(run in held for run in runs(one.text)) * 2 < max(1, len(runs(one.text)))
    ]
    return [*found, *real(bench, REAL), *everyday()]


def learnt(those: list[Example]) -> Network:
    """A network of some texts."""
    torch.manual_seed(1)
    network = Network()
    trained(network, rows_of(network, those, 5))
    return network


def scaled(network: Network, rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """(slope, shift) of each category, by which a logit becomes a probability on these texts; harmless weigh half."""
    found, truth = torch.tensor(logits(network, rows)), torch.tensor(rows.labels)
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


def thresholds(network: Network, rows: Rows, slope: np.ndarray, shift: np.ndarray) -> dict[str, float]:
    """From which score each category is said to be there: the lowest at which all flag so few harmless texts together.

    Each category gets the same share of alarms.
    """
    scores = 1 / (1 + np.exp(-(logits(network, rows) * slope + shift)))
    harmless = scores[(rows.labels.sum(1) == 0) & (rows.weights == 1)]
    for share in np.linspace(ALARMS, ALARMS / len(ORDER) / 4, 200):
        limits = np.clip(np.quantile(harmless, 1 - share, axis=0), LEAST, MOST)
        if (harmless >= limits).any(1).mean() <= ALARMS:
            break
    for n, name in enumerate(ORDER):
        reached = scores[rows.labels[:, n] > 0, n] >= limits[n]
        print(
            f"{name}: from {limits[n]:.2f} on; {reached.mean():.2f} of {len(reached)} texts of left-out lines reach it"
        )
    found, wanted = (scores >= limits).any(1), rows.labels.sum(1) > 0
    print(
        f"any: {found[wanted].mean():.3f} of {wanted.sum()}; of harmless texts {found[~wanted].mean():.4f} of {(~wanted).sum()}"
    )
    return dict(zip(ORDER, limits.round(2).tolist(), strict=True))


def exported(network: Network, slope: np.ndarray, shift: np.ndarray, path: Path) -> str:
    """Write the weights, bytes with a scale for each matrix. Gives the SHA-256 of what the packed file holds."""
    state = {name: one.detach().numpy() for name, one in network.state_dict().items()}
    wide = {
        "buckets": state["vectors.table.weight"], "first": state["first.weight"].transpose(2, 1, 0),
        "second": state["second.weight"].transpose(2, 1, 0), "hidden": state["hidden.weight"].T, "out": state["out.weight"].T,
    }  # fmt: skip
    scale = {name: float(np.abs(one).max() / 127) for name, one in wide.items()}
    arrays = {name: np.ascontiguousarray(np.round(one / scale[name]).astype(np.int8)) for name, one in wide.items()}
    arrays |= {
        f"{name}_bias": state[f"{name}.bias"].astype(np.float32) for name in ("first", "second", "hidden", "out")
    }
    arrays |= {"slope": slope.astype(np.float32), "shift": shift.astype(np.float32)}
    write(path, {"order": list(ORDER), "scale": scale}, arrays)
    content = path.read_bytes()
    path.unlink()
    path.with_suffix(".bin.gz").write_bytes(gzip.compress(content, 9, mtime=0))
    return hashlib.sha256(content).hexdigest()


def main(bench: Path, folder: Path = PACKAGE / "weights") -> None:
    """Learn twice, write the weights and their digest, print the thresholds."""
    torch.set_num_threads(1)
    those = examples(bench)
    print(f"{len(those)} texts, {sum(bool(one.labels) for one in those)} of them with a label", flush=True)
    first = learnt([one for one in those if not left_out(one.line)])
    rows = rows_of(first, [one for one in those if left_out(one.line)], 6)
    slope, shift = scaled(first, rows)
    print(thresholds(first, rows, slope, shift), flush=True)
    folder.mkdir(exist_ok=True)
    digest = exported(learnt(those), slope, shift, folder / "text.bin")
    print(f"SHA-256 {digest}")
    if folder == PACKAGE / "weights":
        module = PACKAGE / "classifier.py"
        module.write_text(re.sub(r'(?m)^DIGEST = "\w*"', f'DIGEST = "{digest}"', module.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
