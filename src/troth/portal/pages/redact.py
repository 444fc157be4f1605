"""A text of one's own, redacted on one page: what is found, how sure, by whom, and what stays. Nothing is kept."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from troth.kernel.caller import Caller
from troth.kernel.errors import TrothError
from troth.portal.desk import Desk
from troth.portal.downloads import inside
from troth.portal.forms import filled, form_of, text, typed
from troth.portal.render import Page, page
from troth.redact.detect.kinds import KINDS
from troth.redact.text_operations import Found, RedactedText, RedactText

LONGEST = 20_000  # characters; as a form they may take twelve times as many bytes
_SHOWN = 200  # rows of the table; everything is in the download
_ADVICE = f"Paste a text of at most {LONGEST:,} characters."
TIERS = (
    ("rules", "Rules", "What has a shape: numbers with check digits, addresses, secrets."),
    ("fast", "Fast", "And names, places and organisations, by a small model."),
    ("accurate", "Accurate", "The same by a larger model."),
    ("cascade", "Cascade", "The fast one; the larger one where it is unsure."),
)
POLICIES = (
    ("tenant", "Your tenant's, as for prompts"),
    ("vendor", "Shipped: prompts to vendors"),
    ("training", "Shipped: training sets"),
)
# How a reader tells the kinds apart: a colour for each family, and always the label in words beside it.
_FAMILIES: dict[str, tuple[str, str]] = {
    "who": ("People", "person_name account_name job_title demographic age birth_date special_category"),
    "reach": ("Contact", "email phone url"),
    "place": ("Places", "postal_address location"),
    "money": ("Money", "payment_card bank_account crypto_wallet"),
    "papers": ("Papers and numbers", "national_id tax_id health_id travel_document vehicle"),
    "machine": ("Machines", "network_address device"),
    "secret": ("Secrets", "secret"),
    "firm": ("Organisations", "organisation"),
    "other": ("Other", "date"),
}
_FAMILY_OF = {category: name for name, (_, members) in _FAMILIES.items() for category in members.split()}
SAMPLE = """\
Ticket 48213 - refund for the harbour posters

Hi team, this is Priya Raghunathan (born 14 March 1988). I moved last week from Lisbon to 27 Rosewood Avenue, \
Bristol BS1 4DJ. Please refund order 7731-A to my card 4111 1111 1111 1111, or by transfer to \
DE89 3704 0044 0532 0130 00, and tell tomasz wieczorek at Lufthansa Cargo that Priya called. You reach me at \
priya.r@example.org or +44 20 7946 0958, evenings after 18:30.

My last sign-in was from 203.0.113.42. The old password was password: Tide-Lantern-42, please remove it from the log. \
Version 2.4.1 still shows the bug; the total was 129.90 EUR for 3 prints.

Thanks, P. Raghunathan
"""


class Piece(NamedTuple):
    """A part of the text: plain when `label` is empty."""

    text: str
    label: str = ""
    family: str = ""
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class Shown:
    """A result as the page shows it."""

    result: RedactedText
    pieces: list[Piece]
    rows: list[tuple[str, Found, str]]  # the value, what it is, its family
    legend: list[tuple[str, str, int]]  # family, its name, how many
    share: int  # percent of the characters that were taken out
    finders: list[tuple[str, int]]
    file: str
    marks: str


async def show(_desk: Desk, _request: Request, caller: Caller) -> Response:
    """The empty form."""
    return _page(caller, "", {"policy": "tenant", "tier": ""})


async def redact(desk: Desk, request: Request, caller: Caller) -> Response:
    """The text, redacted; or the sample, when that was asked for."""
    form = await form_of(request)
    given = typed(form, "text").replace("\r\n", "\n")
    chosen = {"policy": text(form, "policy") or "tenant", "tier": text(form, "tier")}
    if text(form, "do") == "sample":
        given = SAMPLE
    try:
        if len(given) > LONGEST:
            given = given[: LONGEST + 1]  # refused below, by the same sentence
        wish = filled(RedactText, _ADVICE, text=given, policy=chosen["policy"], tier=chosen["tier"] or None)
        result: RedactedText = await desk.run("text.redact", caller, wish)
    except TrothError as error:
        return _page(caller, given, chosen, error=error)
    return _page(caller, given, {"policy": chosen["policy"], "tier": result.tier}, shown=shown(given, result))


def shown(given: str, result: RedactedText) -> Shown:
    """What a person sees of a result: the text in pieces, the table, the legend and the files."""
    families = [family_of(span.kind) for span in result.spans]
    pieces, position = [], 0
    for span, family in zip(result.spans, families, strict=True):
        pieces.append(Piece(given[position : span.start]))
        pieces.append(Piece(given[span.start : span.end], span.label, family, span.score))
        position = span.end
    pieces.append(Piece(given[position:]))
    counts = Counter(families)
    rows = [(given[s.start : s.end], s, f) for s, f in zip(result.spans, families, strict=True)]
    taken = sum(span.end - span.start for span in result.spans)
    marks = {"version": result.version, "spans": [span.model_dump() for span in result.spans]}
    return Shown(
        result=result,
        pieces=[piece for piece in pieces if piece.text],
        rows=rows[:_SHOWN],
        legend=[(name, title, counts[name]) for name, (title, _) in _FAMILIES.items() if counts[name]],
        share=round(100 * taken / max(1, len(given))),
        finders=sorted(Counter(span.detector for span in result.spans).items()),
        file=inside(result.text.encode(), "text/plain;charset=utf-8"),
        marks=inside(json.dumps(marks, indent=1).encode(), "application/json"),
    )


def family_of(kind: str) -> str:
    """The family of a kind; a tenant's own detectors find what is `other`."""
    return _FAMILY_OF.get(KINDS[kind].category, "other") if kind in KINDS else "other"


def _page(caller: Caller, given: str, chosen: dict[str, str], *, shown: Shown | None = None,
          error: TrothError | None = None) -> Response:  # fmt: skip
    frame = Page("Redact a text", "/redact", caller)
    return page("redact.html", frame, error.status if error else 200, given=given, chosen=chosen, shown=shown,
                error=error, tiers=TIERS, policies=POLICIES, longest=LONGEST)  # fmt: skip
