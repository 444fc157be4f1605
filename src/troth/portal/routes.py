"""The portal's addresses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from troth.kernel.caller import Caller
from troth.kernel.errors import NotFound
from troth.portal.desk import Desk, refused
from troth.portal.pages import (
    account,
    consent,
    data,
    erasure,
    holds,
    keys,
    log,
    officer,
    operate,
    people,
    retention,
    rights,
    sign_in,
    trust,
    welcome,
)
from troth.portal.render import static

_GPC_SINCE = "2026-11-22"  # since when the signal is honoured (w3c.github.io/gpc)
_SECURITY_TXT_DAYS = 180  # RFC 9116 section 2.5.5 wants an expiry of less than a year


def pages(desk: Desk, published: Callable[[], dict[str, object]], contact: str) -> list[BaseRoute]:
    """Every page. `published` gives the public keys; `contact` is the security contact (RFC 9116)."""
    everything = [*_public(desk), *_own_data(desk), *_own_account(desk), *_duties(desk)]
    return [*everything, *_documents(desk, published, contact), Lost("/{rest:path}", desk.public(_lost))]


class Lost(Route):
    """An address that leads nowhere, asked for by a browser. Programs get the API's own answer."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Only what wants a page."""
        wants = scope["type"] == "http" and "text/html" in Headers(scope=scope).get("accept", "")
        return super().matches(scope) if wants else (Match.NONE, {})


async def _lost(_desk: Desk, _request: Request, _caller: Caller) -> Response:
    raise NotFound("There is nothing at this address; it may have been erased or mistyped.", code="no-route")


def _public(desk: Desk) -> list[BaseRoute]:
    return [
        Route("/", desk.public(sign_in.home)),
        Route("/trust", desk.public(trust.trust)),
        Route("/verify", desk.public(trust.verify), methods=["GET"]),
        Route("/verify", desk.public(trust.verify_given), methods=["POST"]),
        Route("/sign-in", desk.public(sign_in.show), methods=["GET"]),
        Route("/sign-in", desk.public(sign_in.sign_in), methods=["POST"]),
    ]


def _own_data(desk: Desk) -> list[BaseRoute]:
    return [
        Route("/data", desk.member(data.listing)),
        Route("/data/{object_id}", desk.member(data.show)),
        Route("/data/{object_id}/preview", desk.member(data.preview)),
        Route("/data/{object_id}/content", desk.member(data.download)),
        Route("/data/{object_id}/erase", desk.member(erasure.one_object), methods=["POST"]),
        Route("/receipts", desk.member(data.receipts)),
        Route("/receipts/{request_id}", desk.member(data.receipt)),
        Route("/export", desk.member(data.export), methods=["POST"]),
        Route("/erase", desk.member(erasure.everything), methods=["GET"]),
        Route("/erase", desk.member(erasure.erase_everything), methods=["POST"]),
        Route("/certificates/{certificate_id}", desk.member(erasure.certificate)),
        Route("/my-requests", desk.member(rights.listing), methods=["GET"]),
        Route("/my-requests", desk.member(rights.file), methods=["POST"]),
        Route("/my-requests/{request_id}", desk.member(rights.show)),
        Route("/my-requests/{request_id}/confirm", desk.member(rights.confirm), methods=["POST"]),
        Route("/my-requests/{request_id}/withdraw", desk.member(rights.withdraw), methods=["POST"]),
        Route("/objections/{objection_id}/lift", desk.member(rights.lift), methods=["POST"]),
        Route("/statements", desk.member(rights.state), methods=["POST"]),
        Route("/activity", desk.member(log.activity)),
        Route("/activity/{index:int}", desk.member(log.own_proof)),
        Route("/consent", desk.member(consent.show), methods=["GET"]),
        Route("/consent", desk.member(consent.grant), methods=["POST"]),
        Route("/processing/restrict", desk.member(consent.restrict), methods=["POST"]),
        Route("/processing/resume", desk.member(consent.resume), methods=["POST"]),
        Route("/consent/{consent_id}/withdraw", desk.member(consent.withdraw), methods=["POST"]),
        Route("/consent/{consent_id}/receipt", desk.member(consent.receipt)),
    ]


def _own_account(desk: Desk) -> list[BaseRoute]:
    return [
        Route("/sign-out", desk.arriving(sign_in.sign_out), methods=["POST"]),
        Route("/welcome", desk.arriving(welcome.welcome), methods=["GET"]),
        Route("/welcome", desk.arriving(welcome.confirm), methods=["POST"]),
        Route("/welcome/password", desk.arriving(welcome.password), methods=["GET"]),
        Route("/welcome/password", desk.arriving(welcome.choose_password), methods=["POST"]),
        Route("/keys", desk.member(keys.show), methods=["GET"]),
        Route("/keys", desk.member(keys.create), methods=["POST"]),
        Route("/keys/{key_id}/revoke", desk.member(keys.revoke), methods=["POST"]),
        Route("/account", desk.member(account.show)),
        Route("/account/correct", desk.member(account.rectify), methods=["POST"]),
        Route("/sessions/{session_id}/end", desk.member(account.end_session), methods=["POST"]),
        Route("/password", desk.member(account.change_password), methods=["POST"]),
    ]


def _duties(desk: Desk) -> list[BaseRoute]:
    """What some roles do for others: administrators, privacy officers, auditors, operators."""
    return [
        Route("/people", desk.member(people.show), methods=["GET"]),
        Route("/people", desk.member(people.invite), methods=["POST"]),
        Route("/people/{user_id}/roles", desk.member(people.give_role), methods=["POST"]),
        Route("/people/{user_id}/roles/end", desk.member(people.take_role), methods=["POST"]),
        Route("/people/{user_id}/disable", desk.member(people.disable), methods=["POST"]),
        Route("/desk", desk.member(officer.queue)),
        Route("/desk/{request_id}", desk.member(officer.show), methods=["GET"]),
        Route("/desk/{request_id}/{move}", desk.member(officer.move), methods=["POST"]),
        Route("/holds", desk.member(holds.show), methods=["GET"]),
        Route("/holds", desk.member(holds.place), methods=["POST"]),
        Route("/holds/{hold_id}/lift", desk.member(holds.lift), methods=["POST"]),
        Route("/restrictions", desk.member(holds.restrict), methods=["POST"]),
        Route("/restrictions/{subject}/lift", desk.member(holds.resume), methods=["POST"]),
        Route("/retention", desk.member(retention.show), methods=["GET"]),
        Route("/retention", desk.member(retention.change), methods=["POST"]),
        Route("/retention/clear", desk.member(retention.clear), methods=["POST"]),
        Route("/erasures/{erasure_id}/approve", desk.member(erasure.approve), methods=["POST"]),
        Route("/erasures/{erasure_id}/cancel", desk.member(erasure.cancel), methods=["POST"]),
        Route("/requests", desk.member(erasure.on_request), methods=["GET"]),
        Route("/requests", desk.member(erasure.erase_on_request), methods=["POST"]),
        Route("/log", desk.member(log.log)),
        Route("/entries/{index:int}", desk.member(log.proof)),
        Route("/tenants", desk.member(operate.tenants), methods=["GET"]),
        Route("/tenants", desk.member(operate.create_tenant), methods=["POST"]),
        Route("/vendors", desk.member(operate.vendors), methods=["GET"]),
        Route("/vendors/{vendor_id}/approve", desk.member(operate.approve), methods=["POST"]),
        Route("/vendors/{vendor_id}/suspend", desk.member(operate.suspend), methods=["POST"]),
        Route("/checks", desk.member(operate.run_checks), methods=["POST"]),
    ]


def _documents(desk: Desk, published: Callable[[], dict[str, object]], contact: str) -> list[BaseRoute]:
    async def published_keys(_request: Request) -> Response:
        return JSONResponse(published())

    async def security(_request: Request) -> Response:
        expires = (datetime.now(UTC) + timedelta(days=_SECURITY_TXT_DAYS)).strftime("%Y-%m-%dT00:00:00Z")
        return PlainTextResponse(f"Contact: {contact}\nExpires: {expires}\nPreferred-Languages: en\n")

    async def file(request: Request) -> Response:
        try:
            content, media = static(request.path_params["name"])
        except KeyError:
            return refused(NotFound("There is no such file."), desk.anonymous(request))
        return Response(content, media_type=media, headers={"cache-control": "public, max-age=31536000, immutable"})

    async def gpc(_request: Request) -> Response:
        return JSONResponse({"gpc": True, "lastUpdate": _GPC_SINCE})

    return [
        Route("/.well-known/gpc.json", gpc),
        Route("/.well-known/troth.json", published_keys),
        Route("/.well-known/security.txt", security),
        Route("/static/{digest}/{name}", file),
    ]
