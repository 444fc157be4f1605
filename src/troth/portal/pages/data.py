"""My data: see it, open it, take it away, erase one object."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from troth.gateway.wire.receipts import Receipt, ShowReceipt
from troth.kernel.caller import Caller
from troth.kernel.errors import Gone, TrothError
from troth.kernel.operation import Binary
from troth.portal import custody_words, receipt_words, words
from troth.portal.desk import Desk
from troth.portal.downloads import PICTURES, attachment
from troth.portal.navigation import may_read_log
from troth.portal.pages.log import who
from troth.portal.render import Page, page
from troth.vault import messages as m
from troth.vault.custody_operations import CustodyAsked, CustodyChain
from troth.vault.sharing_messages import People

_PAGE = 24
_STEPS = 200  # of an object's custody
_RECEIPT = "receipt"
TABS = (("", "Everything"), ("output", "Pictures made"), ("answer", "Answers"))  # kind, text
_READABLE = 100_000  # bytes of text shown in a page; longer texts are downloaded


async def listing(desk: Desk, request: Request, caller: Caller) -> Response:
    """What is kept for this person, newest first; receipts have a page of their own."""
    kind, after = request.query_params.get("kind") or None, request.query_params.get("after")
    found: m.ObjectPage = await desk.run("object.list", caller, m.ObjectList(kind=kind, limit=_PAGE, after=after))
    shown = [one for one in found.objects if one.kind != _RECEIPT]
    frame = Page("My data", "/data", caller)
    return page(
        "data.html",
        frame,
        objects=shown,
        after=found.after,
        first=after is None,
        kind=kind or "",
        tabs=TABS,
        pictures=PICTURES,
    )


async def show(desk: Desk, request: Request, caller: Caller) -> Response:
    """One object: what it is, what it looks like, where it came from, whom it concerns."""
    return await shown(desk, caller, _named(request))


async def shown(desk: Desk, caller: Caller, wanted: m.ObjectNamed, error: TrothError | None = None) -> Response:
    """The page of an object, with a refusal above it when a form was refused."""
    info: m.ObjectShown = await desk.run("object.show", caller, wanted)
    people: People = await desk.run("object.people", caller, wanted)
    text: str | None = None
    answers: list[str] = []
    if info.usable and info.size <= _READABLE and _is_text(info.media_type):
        opened: Binary = await desk.run("object.open", caller, wanted)
        text, answers = _readable(opened)
    frame, status = Page(words.title(info.kind, info.name), "/data", caller), error.status if error else 200
    given = {"text": text, "answers": answers, "pictures": PICTURES, "people": people, "error": error}
    return page("object.html", frame, status, one=info, **given)


async def custody(desk: Desk, request: Request, caller: Caller) -> Response:
    """What the log says of one object, from the moment it came in."""
    after = request.query_params.get("after", "")
    place = int(after) if after.isascii() and after.isdigit() and len(after) < 16 else None
    wanted = CustodyAsked(object_id=request.path_params["object_id"], after=place, limit=_STEPS)
    chain: CustodyChain = await desk.run("object.custody", caller, wanted)
    frame = Page("From the moment it came in", "/data", caller)
    reasons = [custody_words.REASONS.get(code, words.plain(code)) for code in chain.reasons]
    return page(
        "custody.html",
        frame,
        chain=chain,
        reads=may_read_log(caller),
        said=custody_words.STATEMENTS[chain.statement],
        reasons=reasons,
        steps=[(one, who(one.actor, caller)) for one in chain.steps],
        kinds=custody_words.STEPS,
    )


async def preview(desk: Desk, request: Request, caller: Caller) -> Response:
    """A picture, shown in the page; only types that browsers draw without running anything."""
    opened: Binary = await desk.run("object.open", caller, _named(request))
    if opened.media_type not in PICTURES:
        raise Gone("There is no preview for this type; download it.", code="no-preview")
    return Response(opened.content, media_type=opened.media_type, headers={"cache-control": "private, no-store"})


async def download(desk: Desk, request: Request, caller: Caller) -> Response:
    """The object as a file."""
    return attachment(await desk.run("object.open", caller, _named(request)))


async def export(desk: Desk, _request: Request, caller: Caller) -> Response:
    """A zip with everything and a manifest."""
    return attachment(await desk.run("data.export", caller, m.Nothing()))


async def receipts(desk: Desk, request: Request, caller: Caller) -> Response:
    """What left for a vendor, newest first."""
    after = request.query_params.get("after")
    wanted = m.ObjectList(kind=_RECEIPT, limit=_PAGE, after=after)
    found: m.ObjectPage = await desk.run("object.list", caller, wanted)
    frame = Page("What vendors received", "/data", caller)
    return page("receipts.html", frame, receipts=found.objects, after=found.after, tabs=TABS)


async def receipt(desk: Desk, request: Request, caller: Caller) -> Response:
    """One receipt in words."""
    wanted = ShowReceipt(request_id=request.path_params["request_id"])
    shown: Receipt = await desk.run("receipt.show", caller, wanted)
    received = [_Received(one, _texts(one.sent), json.dumps(one.sent, ensure_ascii=False, indent=2))
                for one in (shown, *shown.parts)]  # fmt: skip
    frame = Page("What the vendor received", "/data", caller)
    return page("receipt.html", frame, receipt=shown, received=received, say=receipt_words)


class _Received(NamedTuple):
    """What one vendor received: the receipt, (who speaks, text) for people, and the exact request."""

    receipt: Receipt
    said: list[tuple[str, str]]
    sent: str


def _texts(sent: dict[str, Any]) -> list[tuple[str, str]]:
    parts = [(name, sent[name]) for name in ("prompt", "instructions", "input") if isinstance(sent.get(name), str)]
    messages = sent.get("messages") or sent.get("input")
    for message in messages if isinstance(messages, list) else []:
        content = message.get("content") if isinstance(message, dict) else None
        if isinstance(content, list):
            texts = [part.get("text") for part in content if isinstance(part, dict)]
            content = "\n".join(one for one in texts if isinstance(one, str))
        if isinstance(content, str) and content:
            parts.append((str(message.get("role", "message")), content))
    return parts


def _is_text(media_type: str) -> bool:
    return media_type.startswith("text/") or media_type.partition(";")[0] in (
        "application/json",
        "application/x-ndjson",
    )


def _readable(opened: Binary) -> tuple[str, list[str]]:
    """The text, and what was said when it is the answer of a model."""
    text = opened.content.decode("utf-8", "replace")
    if opened.media_type.partition(";")[0] != "application/json":
        return text, []
    try:
        values = json.loads(text)
    except ValueError:
        return text, []
    return json.dumps(values, ensure_ascii=False, indent=2), _said(values)


def _said(values: Any) -> list[str]:
    choices = values.get("choices") if isinstance(values, dict) else None
    messages = [one.get("message") for one in choices if isinstance(one, dict)] if isinstance(choices, list) else []
    contents = [one.get("content") for one in messages if isinstance(one, dict)]
    return [one for one in contents if isinstance(one, str) and one]


def _named(request: Request) -> m.ObjectNamed:
    return m.ObjectNamed(object_id=request.path_params["object_id"])
