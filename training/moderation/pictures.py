"""`python -m training.moderation.pictures FOLDER ...`: scores of harmless pictures; how many reach which threshold."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from troth.gateway.moderation.pictures import score

_KINDS = {".png", ".jpg", ".jpeg", ".webp"}


def main(folders: list[str]) -> None:
    """Print count, highest score, how many are at 0.2, 0.5 and 0.8, and ms per picture."""
    found = sorted(path for folder in folders for path in Path(folder).rglob("*") if path.suffix.lower() in _KINDS)
    score(found[0].read_bytes())  # the model is loaded
    begun = time.perf_counter()
    scores = [score(path.read_bytes()) for path in found]
    spent = (time.perf_counter() - begun) / len(found) * 1000
    reached = ", ".join(f"{sum(one >= limit for one in scores)} at {limit}" for limit in (0.2, 0.5, 0.8))
    print(f"{len(scores)} pictures, highest {max(scores):.4f}, {reached}; {spent:.0f} ms each")


if __name__ == "__main__":
    main(sys.argv[1:])
