"""`python -m training.moderation`: judge the held-out sentences by the list, the classifier and both, and time it.

Writes figures.md beside this file. `python -m training.moderation.train BENCH_DATA` makes the weights anew (torch).
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from training.moderation.examples import HERE, Labels, heldout
from troth.gateway.moderation import CATEGORIES, Moderator, attacks
from troth.gateway.moderation.classifier import classifier
from troth.gateway.moderation.policy import Policy

ORDER = sorted(CATEGORIES)
SETS = (
    ("heldout.txt", "", "first set"),
    ("heldout2.txt", "", "second set"),
    ("heldout2.txt", "others", "second set, other languages"),
    ("heldout3.txt", "", "third set"),
    ("heldout3.txt", "others", "third set, other languages"),
)
HEAD = """| Category | Items | Found by the list | by the classifier | by both | Harmless flagged by the list | by both |
|---|---|---|---|---|---|---|"""


def table(items: list[tuple[Labels, str]]) -> list[str]:
    """Markdown rows of one set: by category, then whatever was flagged at all."""
    moderator, network = Moderator(), classifier()
    by_list = [_said(moderator.policy, moderator.listed(text)) for _, text in items]
    by_network = [_said(moderator.policy, network.scores(text)) for _, text in items]
    harmless = [n for n, (labels, _) in enumerate(items) if not labels]
    rows = [HEAD]
    for name in (*ORDER, "any"):
        wanted = [n for n, (labels, _) in enumerate(items) if (labels if name == "any" else name in labels)]
        hits = [
            {n for n, one in enumerate(by) if (one if name == "any" else name in one)} for by in (by_list, by_network)
        ]
        found = [len(hit.intersection(wanted)) for hit in (*hits, hits[0] | hits[1])]
        alarms = [len(hit.intersection(harmless)) for hit in (hits[0], hits[0] | hits[1])]
        rows.append("| " + " | ".join(map(str, [name, len(wanted), *found, *alarms])) + " |")
    acted = [
        one
        for one in harmless
        if any(moderator.policy.action(k, v).weight > 1 for k, v in moderator.scores(items[one][1]).items())
    ]
    stopped = sum(
        any(moderator.policy.action(k, v).weight > 1 for k, v in moderator.scores(t).items())
        for found, t in items
        if found
    )
    rows += ["", f"Chats: {stopped} of {len(items) - len(harmless)} would be refused or reviewed, and {len(acted)} of "
             f"{len(harmless)} harmless ones."]  # fmt: skip
    return rows


def _said(policy: Policy, scores: Mapping[str, float]) -> set[str]:
    return {name for name, score in scores.items() if policy.rules[name].said(score)}


def cost() -> str:
    """CPU of the classifier for 1,000 characters of the held-out sentences, after it is loaded."""
    text = " ".join(sentence for name in ("heldout.txt", "heldout2.txt") for _, sentence in heldout(name)[""])
    long, short = text[:10_000], text[:1_000]
    network, spent = classifier(), []
    for part, times in ((long, 10), (short, 100)):
        network.scores(part)
        begun = time.process_time()
        for _ in range(times):
            network.scores(part)
        spent.append((time.process_time() - begun) * 1000 / times / (len(part) / 1000))
    return (
        f"CPU: {spent[1]:.2f} ms for a text of 1,000 characters, {spent[0]:.2f} ms for each 1,000 of a text of 10,000."
    )


def main() -> None:
    """Print and write the figures."""
    lines = ["# Moderation of text on held-out sentences", ""]
    for name, part, title in SETS:
        items = heldout(name)[part]
        lines += [f"## {title}: {sum(not labels for labels, _ in items)} harmless sentences", "", *table(items), ""]
    tried = [line for line in (HERE / "attacks.txt").read_text("utf-8").splitlines() if not line.startswith("#")]
    harmless = [text for labels, text in heldout()[""] if not labels]
    lines += [f"Attacks upon the model (securevector-guardian-model): {sum(attacks.score(text) > 0 for text in tried)} of "
              f"{len(tried)} found, {sum(attacks.score(text) > 0 for text in harmless)} of {len(harmless)} harmless sentences flagged.",
              "", cost()]  # fmt: skip
    (HERE / "figures.md").write_text("\n".join(lines) + "\n", "utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
