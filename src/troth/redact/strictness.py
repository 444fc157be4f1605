"""Two policies as one, the stricter decision winning: what an installation takes out, none of its tenants keeps.

Strictness has two steps, kept and taken out; in which way something is taken out is the tenant's own affair.
"""

from __future__ import annotations

from collections.abc import Iterator

from troth.redact.decisions import Action, Decision, Policy
from troth.redact.detect.kinds import CATEGORIES, KINDS


def weaker(policy: Policy, floor: Policy) -> Iterator[str]:
    """Kinds that `floor` takes out and `policy` keeps, in the order of the taxonomy."""
    for kind in KINDS:
        if floor.action(kind) is not Action.KEEP and policy.action(kind) is Action.KEEP:
            yield kind


def combined(policy: Policy, floor: Policy, *, may_keep: bool) -> Policy:
    """`policy` over `floor`: a kind that `floor` takes out stays taken out, its detectors run too, and an allow-list
    counts only when it is its own. With `may_keep`, all that `policy` decides counts.

    Raises ValueError when a detector of `policy` has the name of one of `floor`.
    """
    settled: dict[str, Decision] = {}
    for kind in KINDS:
        wish, least = policy.decision(kind), floor.decision(kind)
        kept = wish.action is Action.KEEP and least.action is not Action.KEEP
        settled[kind] = least if kept and not may_keep else wish
    first = {KINDS[kind].category: settled[kind] for kind in reversed(KINDS)}
    kinds = {kind: one for kind, one in settled.items() if one != first[KINDS[kind].category]}
    fields = policy.model_dump() | {
        "decisions": {name: first.get(name, policy.decisions[name]) for name in CATEGORIES},
        "kinds": kinds,
        "allow": (*floor.allow, *(policy.allow if may_keep else ())),
        "detectors": (*floor.detectors, *policy.detectors),
        "pictures": policy.pictures if may_keep else policy.pictures.over(floor.pictures),
    }
    return Policy.model_validate(fields)
