"""Commands made from the operation registry: one declaration, one command. They speak to a server over HTTPS."""

from __future__ import annotations

import json
import os
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from troth.cli import kept
from troth.cli.client import Answer, Client
from troth.cli.options import given, option
from troth.cli.showing import show
from troth.kernel.errors import Invalid
from troth.kernel.operation import Declaration, declarations

_OWNERS = (
    "troth.audit.operations:AuditOperations",
    "troth.audit.browse_operations:BrowseOperations",
    "troth.audit.decisions:DecisionOperations",
    "troth.audit.pruning_operations:PruningOperations",
    "troth.audit.review.operations:ReviewOperations",
    "troth.gateway.answer_operations:AnswerOperations",
    "troth.gateway.moderation.operations:ModerationOperations",
    "troth.gateway.moderation.operations:ModerationCaseOperations",
    "troth.gateway.moderation.list_operations:PreservedOperations",
    "troth.gateway.moderation.list_operations:TakedownOperations",
    "troth.gateway.operations:GatewayOperations",
    "troth.gateway.operations:VendorOperations",
    "troth.gateway.picture_operations:PictureOperations",
    "troth.gateway.vendor_care:VendorCareOperations",
    "troth.gateway.sub_processors:SubProcessorOperations",
    "troth.gateway.routing_operations:RoutingOperations",
    "troth.gateway.usage_operations:UsageOperations",
    "troth.gateway.limit_operations:LimitOperations",
    "troth.gateway.videos.operations:VideoOperations",
    "troth.governance.attachment_operations:AttachmentOperations",
    "troth.governance.calendar_operations:CalendarOperations",
    "troth.governance.calendar_operations:WebhookOperations",
    "troth.governance.house_operations:HouseOperations",
    "troth.governance.operations:RegisterOperations",
    "troth.governance.review_operations:ConfigReviewOperations",
    "troth.governance.review_operations:PopulationOperations",
    "troth.governance.room.operations:RoomOperations",
    "troth.identity.key_operations:ApiKeyOperations",
    "troth.identity.auditor_operations:AuditorOperations",
    "troth.identity.governing.elevation_operations:ElevationOperations",
    "troth.identity.governing.elevation_operations:EmergencyOperations",
    "troth.identity.governing.review_operations:AccessReviewOperations",
    "troth.identity.governing.role_operations:CustomRoleOperations",
    "troth.identity.governing.role_operations:LifecycleOperations",
    "troth.identity.certificates.operations:AuthorityOperations",
    "troth.identity.certificates.operations:DeviceOperations",
    "troth.identity.certificates.operations:FleetOperations",
    "troth.identity.certificates.operations:ServiceCertificateOperations",
    "troth.identity.device_operations:DeviceOperations",
    "troth.identity.operations:IdentityOperations",
    "troth.redact.policy_operations:RedactionPolicyOperations",
    "troth.redact.text_operations:TextOperations",
    "troth.identity.operators:OperatorOperations",
    "troth.identity.passkey_operations:PasskeyOperations",
    "troth.identity.people_operations:PeopleOperations",
    "troth.identity.rectification:RectificationOperations",
    "troth.identity.oauth.operations:ServiceOperations",
    "troth.identity.scim.token_operations:ProvisioningOperations",
    "troth.identity.sso.saml.operations:SamlOperations",
    "troth.identity.sso.saml.operations:SamlSignInOperations",
    "troth.identity.sso.link_operations:OwnLinkOperations",
    "troth.identity.sso.link_operations:SsoLinkOperations",
    "troth.identity.sso.operations:SsoDomainOperations",
    "troth.identity.sso.operations:SsoOperations",
    "troth.identity.sso.operations:SsoSignInOperations",
    "troth.governance.statement.operations:StatementOperations",
    "troth.promises.paper_operations:PaperOperations",
    "troth.promises.schedule_operations:ScheduleOperations",
    "troth.promises.trust:TrustOperations",
    "troth.vault.inventory_operations:PlacementOperations",
    "troth.telemetry.operations:StatusOperations",
    "troth.vault.custody_operations:CustodyOperations",
    "troth.vault.erasure_operations:ErasureOperations",
    "troth.vault.erasure_operations:OffboardingOperations",
    "troth.vault.moving.pin_operations:MoveOperations",
    "troth.vault.holding_operations:HoldOperations",
    "troth.vault.holding_operations:ProcessingOperations",
    "troth.vault.holding_operations:RestrictionOperations",
    "troth.vault.holding_operations:RetentionOperations",
    "troth.keys.domain_operations:KeyDomainOperations",
    "troth.keys.operations:KeyOperations",
    "troth.keys.operations:ReplacementOperations",
    "troth.vault.operations:ConsentOperations",
    "troth.vault.operations:ObjectOperations",
    "troth.vault.sharing_operations:SharingOperations",
    "troth.vault.rights.officer_operations:OfficerOperations",
    "troth.vault.rights.operations:RequestOperations",
    "troth.vault.rights.operations:StandingOperations",
)
# What cannot be taken back, and what to say before it.
_DESTRUCTIVE: dict[tuple[str, ...], str] = {
    ("authority", "rotate"): "With --distrust true no certificate that exists counts any more.",
    ("device", "revoke"): "This takes the device out for good and ends its sessions.",
    ("device", "withdraw"): "This takes somebody's device out for good and ends its sessions.",
    ("erasure", "approve"): "With your approval this erases everything it names, in every backup too.",
    ("erasure", "own"): "This erases everything about you, in every backup too, and cannot be taken back.",
    ("erasure", "period"): "This erases what everybody of your tenant has of that class and time, in every backup too.",
    ("erasure", "request"): "This erases everything about this person, in every backup too, and cannot be taken back.",
    ("file", "delete"): "This erases the file and everything derived from it, and cannot be taken back.",
    ("log", "prune"): "This drops log entries that are older than the policy keeps, and cannot be taken back.",
    ("register", "detach"): "This erases the file of the record in every backup too, and cannot be taken back.",
    ("offboarding", "approve"): "With your approval this erases the whole tenant, in every backup too.",
    ("offboarding", "request"): "This asks to erase a whole tenant, in every backup too.",
    ("response", "delete"): "This erases the response and what led to it, and cannot be taken back.",
    (
        "keys",
        "approve",
    ): "With your approval these keys are replaced and destroyed; older backups open nothing then.",
    ("keys", "compromise"): "This replaces exposed keys and destroys them; without a tenant every page is re-keyed.",
    ("keys", "retire"): "This takes the key domain out of use for good; a name that was given up is not used again.",
    ("object", "share"): "This makes somebody else an owner of the object; only they can end that again.",
    ("preserved", "release"): "This erases evidence of illegal imagery, and cannot be taken back.",
    ("object", "delete"): "This erases the object and everything derived from it, and cannot be taken back.",
    ("service", "disable"): "This switches the service account off for good and ends its tokens.",
    ("provisioning", "rotate"): "The provider can do nothing until it is given the new secret.",
    ("provisioning", "revoke"): "The provider can neither create nor shut out anybody with this token from now on.",
    ("sso", "delete"): "This takes the connection and its links away and ends the sessions that it opened.",
    ("custom-role", "delete"): "This takes the role away from everybody who has it.",
    ("emergency", "use"): "Every owner is told at once, and somebody else judges this afterwards.",
    ("user", "offboard"): "This ends everything that the person has here: sign-in, keys, roles, factors.",
    ("user", "disable"): "This shuts the person out at once and ends their sessions and API keys.",
    ("webhook", "remove"): "What waits for the webhook goes with it.",
    ("vendor", "suspend"): "This stops every further call to the vendor.",
}
_JOBS = frozenset({("keys", "replacement")})  # show work of the server that goes on
_SESSION = "TROTH_SESSION"
# Answers with a fresh token, and where it goes.
_TOKENS: dict[tuple[str, ...], str] = {
    ("account", "password"): _SESSION,
    ("key", "create"): "TROTH_API_KEY",
    ("key", "rotate"): "TROTH_API_KEY",
    ("passkey", "add"): _SESSION,
    ("provisioning", "create"): "TROTH_SCIM_TOKEN",
    ("provisioning", "rotate"): "TROTH_SCIM_TOKEN",
    ("session", "create"): _SESSION,
    ("session", "passkey"): _SESSION,
    ("session", "step-up-passkey"): _SESSION,
    ("session", "step-up"): _SESSION,
    ("totp", "confirm"): _SESSION,
}
_NEWCOMERS = frozenset({("session", "create")})  # open a session: with a fresh key, which it is bound to


def commands() -> dict[tuple[str, ...], tuple[Declaration, str]]:
    """Every declared command with its operation and help line."""
    found: dict[tuple[str, ...], tuple[Declaration, str]] = {}
    for place in _OWNERS:
        module, _, name = place.partition(":")
        owner = getattr(import_module(module), name)
        for attribute, declaration in declarations(owner):
            if declaration.command and declaration.route:
                summary = (getattr(owner, attribute).__doc__ or declaration.name).strip().splitlines()[0]
                found[declaration.command] = (declaration, summary)
    return found


def group(noun: str, text: str) -> click.Group:
    """The commands of one noun."""
    made = click.Group(noun, help=text)
    for path, (declaration, summary) in commands().items():
        if path[0] == noun:
            made.add_command(_command(path[-1], declaration, summary))
    return made


def _command(name: str, declaration: Declaration, summary: str) -> click.Command:
    fields = declaration.request.model_fields
    options: list[click.Parameter] = [option(field, info, list(fields)) for field, info in fields.items()]
    options.append(click.Option(["--json", "as_json"], is_flag=True, help="Print the answer as JSON."))
    options.append(click.Option(["--out"], type=click.Path(dir_okay=False), help="Write the answer to this file."))
    path = declaration.command or ()
    if warning := _DESTRUCTIVE.get(path):
        options.append(click.Option(["--yes"], is_flag=True, help="Do not ask for confirmation."))

    if path in _JOBS:
        options.append(click.Option(["--wait", "waits"], is_flag=True, help="Show a bar until it has ended."))

    def run(as_json: bool, out: str | None, yes: bool = False, waits: bool = False, **values: Any) -> None:
        if warning and not yes and not click.confirm(f"{warning} Go on?", err=True):
            raise click.ClickException("Nothing was done.")
        client = _client(path)
        if waits:
            import_module("troth.cli.waiting").wait(lambda: _send(client, declaration, values).json())
        answer = _send(client, declaration, values)
        if path in _TOKENS:
            answer = _with_token(path, client, answer, as_json=as_json)
        _show(answer, as_json=as_json, out=out)

    return click.Command(name, params=options, callback=run, help=summary)


def _client(path: tuple[str, ...]) -> Client:
    client = Client.from_environment()
    return client.newcomer() if path in _NEWCOMERS else client


def _with_token(path: tuple[str, ...], client: Client, answer: Answer, *, as_json: bool) -> Answer:
    """Keep a session's fresh token beside its key; a person sees it only where their environment has the former one."""
    if _TOKENS[path] != _SESSION or client.holder is None:
        click.echo(f"set {_TOKENS[path]} to this token", err=True)
        return answer
    said = answer.json()
    before = kept.load(client.url)
    refresh = before.refresh if before is not None and client.token == before.token else None
    kept.keep(client.url, client.to_keep(said["token"], refresh))
    click.echo(f"kept in {kept.place()}; commands for this server use it", err=True)
    if os.environ.get(_SESSION):
        click.echo(f"set {_SESSION} to this token, or unset it", err=True)
    elif not as_json:
        said.pop("token")
    return Answer(answer.media_type, json.dumps(said).encode())


def _send(client: Client, declaration: Declaration, values: dict[str, Any]) -> Answer:
    route = declaration.route
    assert route is not None
    body = given(values)
    path = re.sub(r"{(\w+)(:\w+)?}", lambda match: _segment(str(body.pop(match[1]))), route.path)
    return client.call(route.method, path, body)


def _segment(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._@:-]{1,200}", text):
        raise Invalid("An id holds letters, digits, dots, dashes and underscores.", code="bad-id")
    return text


def _show(answer: Answer, *, as_json: bool, out: str | None) -> None:
    if out:
        Path(out).write_bytes(answer.content)
        click.echo(f"{len(answer.content)} bytes written to {out}", err=True)
    elif answer.media_type != "application/json":
        sys.stdout.buffer.write(answer.content)  # a document, to be kept byte by byte
    elif as_json:
        click.echo(json.dumps(answer.json(), indent=2))
    else:
        show(answer.json())
