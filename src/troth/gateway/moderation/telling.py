"""Cases in words and numbers: what people are shown, what their statement of reasons says, and error rates. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from troth.gateway.moderation.cases import APPEALED, CLOSED, OPEN, OVERTURNED
from troth.gateway.moderation.messages import CaseShown, Figures, OwnCase, StatementOfReasons
from troth.gateway.moderation.policy import HASH_LIST, PROMPT_ATTACK, Periods

_DAY = 86_400_000
_DONE = {
    "refuse": "This {thing} was stopped: it was not sent on and not delivered. Nothing else was restricted.",
    "review": "This {thing} passed, and a person looks at it. Nothing was restricted.",
    "flag": "This {thing} passed, and was noted. Nothing was restricted.",
}
_GROUND = {
    HASH_LIST: "The content policy of this service: the picture is on the list of pictures that were taken down.",
    PROMPT_ATTACK: "The content policy of this service: the text reads like an attack upon the model.",
}


def shown(row: Mapping[str, Any], now: int, actor: str = "") -> CaseShown:
    """A row as people see it. `actor`: who asks, where it matters whether they decided first."""
    members = {name: row[name] for name in CaseShown.model_fields if name in row and name != "score"}
    overdue = row["due_at"] is not None and row["due_at"] < now
    first = bool(actor) and row["decided_by"] == actor
    return CaseShown(**members, score=row["score"] / 1000, overdue=overdue, mine_first=first)


def own(row: Mapping[str, Any], now: int, periods: Periods) -> OwnCase:
    """One's own case with its statement of reasons."""
    ends = (row["decided_at"] or row["opened_at"]) + periods.appeal_window_days * _DAY
    may = row["appealed_at"] is None and row["state"] != CLOSED and now <= ends
    return OwnCase(
        case=shown(row, now),
        statement_of_reasons=_reasons(row, periods),
        statement=row["statement"],
        appeal=row["appeal"],
        answer=row["answer"],
        may_appeal=may,
    )


def figures(rows: Iterable[Mapping[str, Any]], now: int) -> Figures:
    """Error rates: of what people decided, the share that the machine had wrong."""
    total, by_category = Counter[str](), dict[str, Counter[str]]()
    for row in rows:
        found = Counter(cases=1)
        found["refused"] += row["action"] == "refuse"
        found["waiting"] += row["state"] in (OPEN, APPEALED)
        found["overdue"] += row["due_at"] is not None and row["due_at"] < now
        final = row["answer_outcome"] or row["outcome"]
        found["decided"] += final is not None
        found["overturned"] += final == OVERTURNED
        found["appeals"] += row["appealed_at"] is not None
        found["appeals_won"] += row["answer_outcome"] == OVERTURNED
        total += found
        by_category[row["category"]] = by_category.get(row["category"], Counter()) + found
    names = [name for name in Figures.model_fields if name not in ("error_rate", "by_category")]
    rate = round(total["overturned"] / total["decided"], 4) if total["decided"] else None
    return Figures(
        **{name: total[name] for name in names},
        error_rate=rate,
        by_category={name: dict(count) for name, count in sorted(by_category.items())},
    )


def _reasons(row: Mapping[str, Any], periods: Periods) -> StatementOfReasons:
    thing = f"{'request' if row['side'] == 'input' else 'answer'} ({row['medium']})"
    ground = _GROUND.get(row["category"], f"The content policy of this service, class {row['category']}.")
    return StatementOfReasons(
        restriction=_DONE[row["action"]].format(thing=thing),
        facts=f"Class {row['category']}, score {row['score'] / 1000:.3f}, judged by {row['policy']} in request "
        f"{row['request']}.",
        automated=row["outcome"] is None,
        ground=ground,
        redress=f"You can appeal within {periods.appeal_window_days} days, free of charge; a person who did not decide "
        f"before answers within {periods.appeal_days} days. You can also go to a certified out-of-court body (Art. 21) "
        "or to a court.",
    )
