"""The portal's addresses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from troth.audit.verifier_page import NAME as VERIFIER
from troth.audit.verifier_page import content_policy, verifier_page
from troth.kernel.caller import Caller
from troth.kernel.errors import NotFound
from troth.portal import duty_routes
from troth.portal.binding import NATIVE_BIND, NATIVE_CONFIRM
from troth.portal.desk import Desk, refused
from troth.portal.pages import (
    account,
    auditors,
    certificates,
    connections,
    consent,
    data,
    decisions,
    device_code,
    devices,
    erasure,
    holds,
    keys,
    limits,
    log,
    officer,
    passkeys,
    people,
    pictures,
    placement,
    proof,
    provenance,
    provisioning,
    redact,
    redact_picture,
    redaction,
    retention,
    reviews,
    rights,
    saml,
    sharing,
    sign_in,
    single_sign_on,
    statement,
    status,
    subprocessors,
    trust,
    usage,
    welcome,
)
from troth.portal.render import static

_GPC_SINCE = "2026-11-22"  # since when the signal is honoured (w3c.github.io/gpc)
_SECURITY_TXT_DAYS = 180  # RFC 9116 section 2.5.5 wants an expiry of less than a year


def pages(desk: Desk, published: Callable[[], dict[str, object]], contact: str) -> list[BaseRoute]:
    """Every page. `published` gives the public keys; `contact` is the security contact (RFC 9116)."""
    everything = [
        *_public(desk),
        *_own_data(desk),
        *_own_account(desk),
        *_duties(desk),
        *duty_routes.service_routes(desk),
        *duty_routes.register_routes(desk),
        *duty_routes.room_routes(desk),
    ]
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
        Route("/trust.json", desk.public(trust.table)),
        Route("/.well-known/troth-trust.json", desk.public(trust.table)),
        Route("/trust/changes.atom", desk.public(trust.changes)),
        Route("/trust/{promise}", desk.public(trust.promise)),
        Route("/status", desk.public(status.status)),
        Route("/statement", desk.public(statement.statement)),
        Route("/sub-processors", desk.public(subprocessors.sub_processors)),
        Route("/verify", desk.public(trust.verify), methods=["GET"]),
        Route("/verify", desk.public(trust.verify_given), methods=["POST"]),
        Route("/provenance", desk.public(provenance.ask), methods=["GET"]),
        Route("/provenance", desk.public(provenance.answer), methods=["POST"]),
        Route("/sign-in", desk.public(sign_in.show), methods=["GET"]),
        Route("/sign-in", desk.public(sign_in.sign_in), methods=["POST"]),
        Route("/sign-in/sso", desk.public(single_sign_on.show), methods=["GET"]),
        Route("/sign-in/sso", desk.public(single_sign_on.find), methods=["POST"]),
        Route("/sign-in/sso/{connection_id}", desk.public(single_sign_on.begin), methods=["GET"]),
        Route("/sign-in/sso/{connection_id}/callback", desk.public(single_sign_on.callback), methods=["GET"]),
        Route("/sign-in/saml/{connection_id}", desk.public(saml.begin), methods=["GET"]),
        Route("/sign-in/saml/{connection_id}/acs", desk.foreign(saml.consume), methods=["POST"]),
        Route("/sign-in/passkey/options", desk.public(passkeys.sign_in_options), methods=["POST"]),
        Route("/sign-in/passkey", desk.public(passkeys.sign_in), methods=["POST"]),
    ]


def _own_data(desk: Desk) -> list[BaseRoute]:
    return [
        Route("/data", desk.member(data.listing)),
        Route("/data/{object_id}", desk.member(data.show)),
        Route("/data/{object_id}/preview", desk.member(data.preview)),
        Route("/data/{object_id}/custody", desk.member(data.custody)),
        Route("/data/{object_id}/content", desk.member(data.download)),
        Route("/data/{object_id}/erase", desk.member(erasure.one_object), methods=["POST"]),
        Route("/data/{object_id}/owners", desk.member(sharing.share), methods=["POST"]),
        Route("/data/{object_id}/shown", desk.member(sharing.tag), methods=["POST"]),
        Route("/data/{object_id}/leave", desk.member(sharing.leave), methods=["POST"]),
        Route("/usage", desk.member(usage.show)),
        Route("/usage/export", desk.member(usage.export)),
        Route("/limits", desk.member(limits.show), methods=["GET"]),
        Route("/limits", desk.member(limits.set_limit), methods=["POST"]),
        Route("/limits/budgets", desk.member(limits.set_budget), methods=["POST"]),
        Route("/limits/budgets/{budget_id}/remove", desk.member(limits.remove_budget), methods=["POST"]),
        Route("/pictures", desk.member(pictures.listing)),
        Route("/videos/{video_id}", desk.member(pictures.video)),
        Route("/videos/{video_id}/thumbnail", desk.member(pictures.thumbnail)),
        Route("/videos/{video_id}/content", desk.member(pictures.content)),
        Route("/videos/{video_id}/erase", desk.member(pictures.erase), methods=["POST"]),
        Route("/shows-me", desk.member(sharing.listing)),
        Route("/shows-me/{object_id}/deny", desk.member(sharing.deny), methods=["POST"]),
        Route("/receipts", desk.member(data.receipts)),
        Route("/receipts/{request_id}", desk.member(data.receipt)),
        Route("/export", desk.member(data.export), methods=["POST"]),
        Route("/erase", desk.member(erasure.everything), methods=["GET"]),
        Route("/erase", desk.member(erasure.erase_everything), methods=["POST"]),
        Route("/certificates", desk.member(certificates.listing)),
        Route("/certificates/{certificate_id}", desk.member(erasure.certificate)),
        Route("/my-requests", desk.member(rights.listing), methods=["GET"]),
        Route("/my-requests", desk.member(rights.file), methods=["POST"]),
        Route("/my-requests/{request_id}", desk.member(rights.show)),
        Route("/my-requests/{request_id}/confirm", desk.member(rights.confirm), methods=["POST"]),
        Route("/my-requests/{request_id}/withdraw", desk.member(rights.withdraw), methods=["POST"]),
        Route("/objections/{objection_id}/lift", desk.member(rights.lift), methods=["POST"]),
        Route("/statements", desk.member(rights.state), methods=["POST"]),
        Route("/redact", desk.member(redact.show), methods=["GET"]),
        Route("/redact", desk.member(redact.redact), methods=["POST"]),
        Route("/redact/picture", desk.member(redact_picture.show), methods=["GET"]),
        Route("/redact/picture", desk.member(redact_picture.redact), methods=["POST"]),
        Route("/activity", desk.member(log.activity)),
        Route("/activity/{index:int}", desk.member(log.own_proof)),
        Route("/activity/{index:int}/proof", desk.member(log.own_proof_file)),
        Route("/consent", desk.member(consent.show), methods=["GET"]),
        Route("/consent", desk.member(consent.grant), methods=["POST"]),
        Route("/processing/restrict", desk.member(consent.restrict), methods=["POST"]),
        Route("/processing/resume", desk.member(consent.resume), methods=["POST"]),
        Route("/consent/{consent_id}/withdraw", desk.member(consent.withdraw), methods=["POST"]),
        Route("/consent/{consent_id}/receipt", desk.member(consent.receipt)),
    ]


def _own_account(desk: Desk) -> list[BaseRoute]:
    return [
        Route("/sign-out", desk.leaving(sign_in.sign_out), methods=["POST"]),
        Route("/device", desk.foreign(devices.ask), methods=["POST"]),
        Route("/device/bind", desk.foreign(devices.bind), methods=["POST"]),
        Route("/device/confirm", desk.foreign(devices.confirm), methods=["POST"]),
        Route(NATIVE_BIND, desk.foreign(devices.native_bind), methods=["POST"]),
        Route(NATIVE_CONFIRM, desk.foreign(devices.native_confirm), methods=["POST"]),
        Route("/welcome", desk.arriving(welcome.welcome), methods=["GET"]),
        Route("/welcome", desk.arriving(welcome.confirm), methods=["POST"]),
        Route("/welcome/password", desk.arriving(welcome.password), methods=["GET"]),
        Route("/welcome/password", desk.arriving(welcome.choose_password), methods=["POST"]),
        Route("/keys", desk.member(keys.show), methods=["GET"]),
        Route("/keys", desk.member(keys.create), methods=["POST"]),
        Route("/keys/{key_id}/rotate", desk.member(keys.rotate), methods=["POST"]),
        Route("/keys/{key_id}/revoke", desk.member(keys.revoke), methods=["POST"]),
        Route("/passkeys", desk.member(passkeys.show), methods=["GET"]),
        Route("/passkeys", desk.arriving(passkeys.add), methods=["POST"]),
        Route("/passkeys/options", desk.arriving(passkeys.options), methods=["POST"]),
        Route("/prove", desk.arriving(proof.show), methods=["GET"]),
        Route("/prove/passkey", desk.arriving(proof.by_passkey), methods=["POST"]),
        Route("/prove/passkey/options", desk.arriving(proof.options), methods=["POST"]),
        Route("/prove/code", desk.arriving(proof.by_code), methods=["POST"]),
        Route("/passkeys/{passkey_id}/name", desk.member(passkeys.rename), methods=["POST"]),
        Route("/passkeys/{passkey_id}/remove", desk.member(passkeys.remove), methods=["POST"]),
        Route("/activate", desk.member(device_code.show), methods=["GET"]),
        Route("/activate", desk.member(device_code.look), methods=["POST"]),
        Route("/activate/approve", desk.member(device_code.approve), methods=["POST"]),
        Route("/activate/deny", desk.member(device_code.deny), methods=["POST"]),
        Route("/account", desk.member(account.show)),
        Route("/my-links", desk.member(connections.own), methods=["GET"]),
        Route("/my-links/{link_id}/accept", desk.member(connections.accept), methods=["POST"]),
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
        Route("/provisioning", desk.member(provisioning.show), methods=["GET"]),
        Route("/provisioning", desk.member(provisioning.create), methods=["POST"]),
        Route("/provisioning/{token_id}/rotate", desk.member(provisioning.rotate), methods=["POST"]),
        Route("/provisioning/{token_id}/revoke", desk.member(provisioning.revoke), methods=["POST"]),
        Route("/single-sign-on", desk.member(connections.show), methods=["GET"]),
        Route("/single-sign-on", desk.member(connections.connect), methods=["POST"]),
        Route("/single-sign-on/saml", desk.member(connections.connect_saml), methods=["POST"]),
        Route("/single-sign-on/{connection_id}", desk.member(connections.one), methods=["GET"]),
        Route("/single-sign-on/{connection_id}/test", desk.member(connections.test), methods=["POST"]),
        Route("/single-sign-on/{connection_id}/links", desk.member(connections.link), methods=["POST"]),
        Route("/single-sign-on/{connection_id}/enforce", desk.member(connections.enforce), methods=["POST"]),
        Route("/single-sign-on/{connection_id}/delete", desk.member(connections.delete), methods=["POST"]),
        Route("/single-sign-on/links/{link_id}/{what}", desk.member(connections.judge), methods=["POST"]),
        Route("/people/{user_id}/replace", desk.member(people.replace_roles), methods=["POST"]),
        Route("/people/{user_id}/offboard", desk.member(people.offboard), methods=["POST"]),
        *duty_routes.access_routes(desk),
        *duty_routes.machines_routes(desk),
        Route("/desk", desk.member(officer.queue)),
        Route("/desk/{request_id}", desk.member(officer.show), methods=["GET"]),
        Route("/desk/{request_id}/{move}", desk.member(officer.move), methods=["POST"]),
        Route("/holds", desk.member(holds.show), methods=["GET"]),
        Route("/holds", desk.member(holds.place), methods=["POST"]),
        Route("/holds/{hold_id}/lift", desk.member(holds.lift), methods=["POST"]),
        Route("/restrictions", desk.member(holds.restrict), methods=["POST"]),
        Route("/restrictions/{subject}/lift", desk.member(holds.resume), methods=["POST"]),
        *duty_routes.moderation_routes(desk),
        Route("/redaction", desk.member(redaction.show), methods=["GET"]),
        Route("/redaction", desk.member(redaction.change), methods=["POST"]),
        Route("/redaction/clear", desk.member(redaction.clear), methods=["POST"]),
        Route("/retention", desk.member(retention.show), methods=["GET"]),
        Route("/retention", desk.member(retention.change), methods=["POST"]),
        Route("/retention/clear", desk.member(retention.clear), methods=["POST"]),
        Route("/erasures/{erasure_id}/approve", desk.member(erasure.approve), methods=["POST"]),
        Route("/erasures/{erasure_id}/cancel", desk.member(erasure.cancel), methods=["POST"]),
        Route("/requests", desk.member(erasure.on_request), methods=["GET"]),
        Route("/requests", desk.member(erasure.erase_on_request), methods=["POST"]),
        Route("/log", desk.member(log.log)),
        Route("/log/export", desk.member(log.export)),
        *duty_routes.choice_routes(desk),
        Route("/auditors", desk.member(auditors.show), methods=["GET"]),
        Route("/auditors", desk.member(auditors.grant), methods=["POST"]),
        Route("/auditors/{user_id}/end", desk.member(auditors.revoke), methods=["POST"]),
        Route("/entries/{index:int}", desk.member(log.proof)),
        Route("/entries/{index:int}/proof", desk.member(log.proof_file)),
        Route("/entries/{index:int}/details", desk.member(log.details), methods=["POST"]),
        Route("/placement", desk.member(placement.show)),
        Route("/decisions", desk.member(decisions.decisions)),
        Route("/reviews", desk.member(reviews.table), methods=["GET"]),
        Route("/reviews", desk.member(reviews.begin), methods=["POST"]),
        Route("/reviews/{review_id}", desk.member(reviews.show)),
        Route("/reviews/{review_id}/closing", desk.member(reviews.close), methods=["POST"]),
        Route("/reviews/{review_id}/acts/{index:int}/verdict", desk.member(reviews.judge), methods=["POST"]),
        Route("/reviews/{review_id}/acts/{index:int}/follow-up", desk.member(reviews.clear_up), methods=["POST"]),
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

    async def verifier(_request: Request) -> Response:
        headers = {"content-security-policy": content_policy(), "cache-control": "no-cache"}
        return HTMLResponse(verifier_page(), headers=headers)

    async def gpc(_request: Request) -> Response:
        return JSONResponse({"gpc": True, "lastUpdate": _GPC_SINCE})

    return [
        Route("/.well-known/gpc.json", gpc),
        Route("/.well-known/troth.json", published_keys),
        Route("/.well-known/security.txt", security),
        Route("/static/{digest}/{name}", file),
        Route(f"/{VERIFIER}", verifier),
    ]
