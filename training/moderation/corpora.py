"""Real texts that are taken as harmless: sets of the redaction's bench that may be trained on, cut into passages."""

from __future__ import annotations

import random
import re
from pathlib import Path

from training.moderation.examples import HERE, Example
from training.sets import training_documents

_ROUGH = re.compile(  # texts with such words are not taken: nobody looked at them
    r"fuck|bitch|cunt|nigg|fagg|whore|slut|\bdick|cock(s|suck)?\b|puss(y|ies)|\bass\b|asshole|retard|\bkys\b|\btits?\b|porn|horny"
    r"|nude|shit|bastard|\bstfu|kill (you|u|him|her|all)|\bdie\b|suicid|rape",
    re.IGNORECASE,
)
_TALK = ("btc_", "wnut17_", "ewt_", "sgd_")


def real(bench: Path, each: int, seed: int = 3) -> list[Example]:
    """Up to `each` passages of every set."""
    draw = random.Random(seed)
    by_set: dict[str, list[str]] = {}
    for document in training_documents(bench):
        rough = document.source.startswith(_TALK)
        words = document.text.split()
        at = 0
        while at < len(words):
            size = draw.randint(5, 34)
            text = " ".join(words[at : at + size])
            at += size
            if not (rough and _ROUGH.search(text)):
                by_set.setdefault(document.source, []).append(text)
    found = []
    for name, texts in sorted(by_set.items()):
        draw.shuffle(texts)
        found += [Example(frozenset(), text, f"real:{name}:{n}") for n, text in enumerate(texts[:each])]
    return found


def everyday() -> list[Example]:
    """Sentences of the redaction model's own templates (`training/data`), slots left in as words."""
    found = []
    for name in ("templates.txt", "more.txt"):
        for line in (HERE.parent / "data" / name).read_text("utf-8").splitlines():
            plain = re.sub(r"[{}<>\[\]|_]", " ", line).strip()
            if len(plain) > 20 and not plain.startswith("#"):
                found.append(Example(frozenset(), plain, line))
    return found
