"""The portal's addresses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from troth.kernel.errors import NotFound
from troth.portal.desk import Desk, refused
from troth.portal.pages import account, data, sign_in, trust
from troth.portal.render import static

_SECURITY_TXT_DAYS = 180  # RFC 9116 section 2.5.5 wants an expiry of less than a year


def pages(desk: Desk, published: Callable[[], dict[str, object]], contact: str) -> list[Route]:
    """Every page. `published` gives the public keys; `contact` is the security contact (RFC 9116)."""
    return [*_public(desk), *_own_data(desk), *_own_account(desk), *_documents(desk, published, contact)]


def _public(desk: Desk) -> list[Route]:
    return [
        Route("/", desk.public(data.home)),
        Route("/trust", desk.public(trust.trust)),
        Route("/verify", desk.public(trust.verify), methods=["GET"]),
        Route("/verify", desk.public(trust.verify_given), methods=["POST"]),
        Route("/sign-in", desk.public(sign_in.show), methods=["GET"]),
        Route("/sign-in", desk.public(sign_in.sign_in), methods=["POST"]),
    ]


def _own_data(desk: Desk) -> list[Route]:
    return [
        Route("/data", desk.member(data.listing)),
        Route("/data/{object_id}/preview", desk.member(data.preview)),
        Route("/data/{object_id}/content", desk.member(data.download)),
        Route("/data/{object_id}/erase", desk.member(data.delete), methods=["POST"]),
        Route("/export", desk.member(data.export), methods=["POST"]),
        Route("/erase", desk.member(data.erase), methods=["GET"]),
        Route("/erase", desk.member(data.erase_all), methods=["POST"]),
        Route("/certificates/{certificate_id}", desk.member(data.certificate)),
        Route("/activity", desk.member(account.activity)),
        Route("/consent", desk.member(account.consent), methods=["GET"]),
        Route("/consent", desk.member(account.grant), methods=["POST"]),
        Route("/consent/{consent_id}/withdraw", desk.member(account.withdraw), methods=["POST"]),
    ]


def _own_account(desk: Desk) -> list[Route]:
    return [
        Route("/sign-out", desk.member(sign_in.sign_out), methods=["POST"]),
        Route("/second-factor", desk.member(sign_in.second_factor), methods=["GET"]),
        Route("/second-factor", desk.member(sign_in.confirm), methods=["POST"]),
        Route("/keys", desk.member(account.keys), methods=["GET"]),
        Route("/keys", desk.member(account.create_key), methods=["POST"]),
        Route("/keys/{key_id}/revoke", desk.member(account.revoke_key), methods=["POST"]),
        Route("/account", desk.member(account.account)),
        Route("/sessions/{session_id}/end", desk.member(account.end_session), methods=["POST"]),
        Route("/password", desk.member(account.change_password), methods=["POST"]),
    ]


def _documents(desk: Desk, published: Callable[[], dict[str, object]], contact: str) -> list[Route]:
    async def keys(_request: Request) -> Response:
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

    return [
        Route("/.well-known/troth.json", keys),
        Route("/.well-known/security.txt", security),
        Route("/static/{digest}/{name}", file),
    ]
