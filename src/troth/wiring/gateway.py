"""Builds what goes to vendors and comes back."""

from __future__ import annotations

from troth.gateway.assets import Assets
from troth.gateway.chat import ChatDesk
from troth.gateway.clearance import Clearance
from troth.gateway.files import Files
from troth.gateway.images import ImageDesk
from troth.gateway.models import ModelList
from troth.gateway.moderation import Moderator
from troth.gateway.operations import GatewayOperations, VendorOperations
from troth.gateway.provenance import Credentials
from troth.gateway.receipts import Receipts
from troth.gateway.redaction import Redactor
from troth.gateway.restoring import PLACEHOLDER
from troth.gateway.studio.chat import answer
from troth.gateway.studio.compose import compose
from troth.gateway.studio.edit import apply
from troth.gateway.vendors.channel import Limits
from troth.gateway.vendors.local_studio import LOCAL_STUDIO, LocalStudio
from troth.gateway.vendors.ports import Ports
from troth.gateway.vendors.registry import Vendors
from troth.keys.deployment import DeploymentSeal
from troth.promises.system import Base, Gateway, Vault
from troth.redact.detect import rules_detector
from troth.redact.policy import vendor_policy


def build_gateway(base: Base, vault: Vault) -> Gateway:
    settings, clock, objects = base.settings, base.clock, vault.objects
    sealed = DeploymentSeal(base.secrets.named("vendor-credentials"))
    vendors = Vendors(base.database, sealed, clock, [LOCAL_STUDIO])
    studio = LocalStudio(compose, apply, answer, PLACEHOLDER)
    limits = Limits(seconds=settings.gateway.vendor_timeout_seconds)
    ports = Ports(vendors, studio, limits, plain_loopback=settings.gateway.allow_plain_loopback_vendors)
    moderator, receipts = Moderator(), Receipts(base.database, objects, clock)
    redactor = Redactor(rules_detector(), vendor_policy(), base.secrets.named("vendor-pseudonyms"))
    clearance = Clearance(
        vendors,
        ports,
        redactor=redactor,
        moderator=moderator,
        receipts=receipts,
        consents=vault.consents,
        clock=clock,
    )
    credentials = Credentials(settings.data.keys / "credentials", clock)
    address = f"https://{settings.server.name}:{settings.server.port}"
    assets = Assets(objects, base.secrets.named("asset-links"), address, clock)
    desks = ChatDesk(clearance, moderator, objects), ImageDesk(clearance, moderator, credentials, objects, assets)
    files, models = Files(objects), ModelList(vendors, clock)
    operations = GatewayOperations(*desks, files=files, models=models, receipts=receipts, assets=assets)
    return Gateway(
        vendors=vendors,
        ports=ports,
        credentials=credentials,
        moderator=moderator,
        redactor=redactor,
        assets=assets,
        operations=(operations, VendorOperations(vendors)),
    )
