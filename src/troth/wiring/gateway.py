"""Builds what goes to vendors and comes back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from troth.gateway.answer_operations import AnswerOperations
from troth.gateway.chat import ChatDesk
from troth.gateway.clearance import Clearance
from troth.gateway.embeddings import EmbeddingDesk
from troth.gateway.exposure import Exposures
from troth.gateway.files import Files
from troth.gateway.intake.clamd import Clamd
from troth.gateway.limits.counting import brought
from troth.gateway.limits.metered import Metered
from troth.gateway.models import ModelList
from troth.gateway.operations import GatewayOperations, VendorOperations
from troth.gateway.picture_operations import PictureOperations
from troth.gateway.receipts import Receipts
from troth.gateway.redaction import Redactor
from troth.gateway.responses.desk import ResponseDesk
from troth.gateway.responses.kept import KeptResponses
from troth.gateway.responses.painter import Painter
from troth.gateway.restoring import PLACEHOLDER
from troth.gateway.routing_operations import RoutingOperations
from troth.gateway.routing_policies import RoutingPolicies
from troth.gateway.studio.chat import answer
from troth.gateway.studio.compose import compose
from troth.gateway.studio.edit import apply
from troth.gateway.sub_processors import SubProcessorOperations
from troth.gateway.vendor_care import VendorCareOperations
from troth.gateway.vendors.announcing import Notice
from troth.gateway.vendors.bounds import Limits
from troth.gateway.vendors.local_studio import LOCAL_STUDIO, LocalStudio
from troth.gateway.vendors.ports import Ports
from troth.gateway.vendors.registry import Vendors
from troth.kernel.operation import Call
from troth.keys.deployment import DeploymentSeal
from troth.promises.system import Base, Gateway, Vault
from troth.redact.detect import Span
from troth.redact.finding import Finder
from troth.redact.loading import Loading
from troth.redact.policy import load_policy, vendor_policy
from troth.redact.policy_operations import RedactionPolicyOperations
from troth.redact.tenant_policies import TenantPolicies
from troth.redact.text_operations import TextOperations
from troth.vault.fences import fence_tenant
from troth.vault.rights.clocks import calendar_of
from troth.wiring.limits import build_limiting
from troth.wiring.moderation import build_office, moderation_operations
from troth.wiring.provenance import build_provenance
from troth.wiring.videos import build_media


def build_gateway(base: Base, vault: Vault) -> Gateway:
    settings, clock, objects = base.settings, base.clock, vault.objects
    vendors = _vendors(base)
    studio = LocalStudio(compose, apply, answer, PLACEHOLDER)
    limits = Limits(seconds=settings.gateway.vendor_timeout_seconds)
    watch, plain = base.instruments.watch, settings.gateway.allow_plain_loopback_vendors
    ports, roads = (
        Ports(vendors, studio, limits, plain_loopback=plain, watch=watch, meter=base.meters) for _ in range(2)
    )
    moderator, receipts = build_office(base, objects), Receipts(base.database, objects, clock, base.meters)
    detector = Loading(settings.gateway.redaction_tier)
    policies = _policies(base, detector)
    secret = base.secrets.named("vendor-pseudonyms")
    redactor = Redactor(detector, policies.floor, secret, policy_of=policies.of, watch=watch)
    routing = RoutingPolicies(base.database, clock, fence_tenant)
    clearance = Clearance(
        vendors,
        ports,
        redactor=redactor,
        moderator=moderator,
        receipts=receipts,
        consents=vault.consents,
        clock=clock,
        policies=routing,
    )
    limiting = build_limiting(base, clearance)
    media = build_media(base, vault, clearance, moderator, vendors=vendors, ports=(ports, roads))
    desks, assets = (ChatDesk(clearance, objects), media.pictures), media.assets
    kept = KeptResponses(objects, receipts)
    files, models = Files(objects, limiting.metered), ModelList(vendors, clock, routing)
    operations = GatewayOperations(*desks, files=files, models=models, receipts=receipts, assets=assets)
    clamd = settings.gateway.clamd
    return Gateway(
        vendors=vendors,
        ports=ports,
        credentials=media.credentials,
        watermark=media.watermark,
        fingerprints=media.fingerprints,
        moderator=moderator,
        detector=detector,
        redactor=redactor,
        assets=assets,
        antivirus=None if clamd is None else Clamd(clamd),
        videos=media.runner,
        usage=limiting.usage,
        operations=(
            operations,
            AnswerOperations(ResponseDesk(clearance, kept, Painter(media.pictures)), kept, EmbeddingDesk(clearance)),
            media.videos,
            build_provenance(media.credentials, media.watermark, media.fingerprints),
            VendorOperations(vendors),
            SubProcessorOperations(vendors, clock),
            RoutingOperations(routing),
            *limiting.operations,
            VendorCareOperations(vendors, Exposures(base.database, vendors), clock),
            *moderation_operations(moderator, limiting.metered),
            RedactionPolicyOperations(policies=policies),
            TextOperations(policies=policies, prompts=detector, metered=_words(limiting.metered)),
            PictureOperations(redactor=redactor, metered=limiting.metered),
        ),
    )


def _vendors(base: Base) -> Vendors:
    sealed = DeploymentSeal(base.secrets.named("vendor-credentials"))
    notice = Notice(base.settings.gateway.notice_days, calendar_of(base.settings.data.jurisdiction))
    return Vendors(base.database, sealed, base.clock, [LOCAL_STUDIO], notice)


@dataclass(frozen=True, slots=True)
class _Unread:
    """Stands in for a detector while a policy is tried out without a text: a start need not wait for the model."""

    version: str

    def detect(self, _text: str) -> list[Span]:
        raise AssertionError(self.version)


def _words(metered: Metered) -> Callable[[Call, str, int], AbstractContextManager[None]]:
    """For a room that does not know limits: work on so many bytes of text."""
    return lambda call, operation, size: metered.doing(call, operation, brought(size, words=True))


def _policies(base: Base, detector: Loading) -> TenantPolicies:
    """Policies of tenants over that of the installation, which is tried out: what does not work stops the start."""
    settings = base.settings.gateway
    floor = load_policy(settings.redaction_policy) if settings.redaction_policy else vendor_policy()
    Finder(_Unread(f"{detector.tier}-unread"), floor)
    return TenantPolicies(
        base.database,
        base.fields,
        base.outbox,
        base.clock,
        floor=floor,
        fence=fence_tenant,
        may_keep=settings.tenants_may_keep,
        require_usable=lambda policy: Finder(detector, policy),
    )
