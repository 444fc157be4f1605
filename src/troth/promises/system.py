"""The parts of one running installation, as checks may look at them. Filled by `wiring`, never by a check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from troth.access.policy import CedarDecider
from troth.audit.details import Details
from troth.audit.log import LogReader
from troth.audit.proofs import Prover
from troth.audit.review.queue import Reviews
from troth.audit.review.watch import Watch
from troth.audit.sequencer import Sequencer
from troth.backup.backups import Backups
from troth.gateway.assets import Assets
from troth.gateway.intake.malware import Antivirus
from troth.gateway.limits.usage import Usage
from troth.gateway.moderation.office import Office
from troth.gateway.provenance import Credentials
from troth.gateway.provenance.fingerprints import Fingerprints
from troth.gateway.provenance.watermark import Watermark
from troth.gateway.redaction import Redactor
from troth.gateway.vendors.ports import Ports
from troth.gateway.vendors.registry import Vendors
from troth.gateway.videos.runner import VideoRunner
from troth.governance.alarming import SecondChannel
from troth.governance.config_reviews import ConfigReviews
from troth.governance.deliveries import Deliveries
from troth.governance.house import House
from troth.governance.news import News
from troth.governance.obliged import Populations
from troth.governance.registers import Registers
from troth.governance.reminders import Reminders
from troth.governance.statement.publishing import Statements as PlainStatements
from troth.identity.auditors import Auditors
from troth.identity.bootstrap import Bootstrap
from troth.identity.certificates.holding import SessionsOfDevices
from troth.identity.certificates.parts import Certificates
from troth.identity.devices.bindings import Bindings
from troth.identity.governing.campaigns import Campaigns
from troth.identity.governing.custom_roles import CustomRoles
from troth.identity.governing.elevations import Elevations
from troth.identity.governing.emergency import Emergencies
from troth.identity.governing.leaving import Leaving
from troth.identity.holder import IdentityHolder
from troth.identity.keys import ApiKeys
from troth.identity.mfa.passkeys import Passkeys
from troth.identity.oauth.parts import AuthorizationServer
from troth.identity.roles import Roles
from troth.identity.scim.tokens import ProvisioningTokens
from troth.identity.sessions import Sessions
from troth.identity.sso.links import Links
from troth.identity.tenants import Tenants
from troth.identity.throttle import Throttle
from troth.identity.users import Users
from troth.kernel.clock import Clock
from troth.kernel.dispatch import Dispatcher
from troth.kernel.ids import new_id
from troth.kernel.journal import Journal
from troth.kernel.periodic import Periodic
from troth.kernel.personal import Holder
from troth.keys.domains import Domain
from troth.keys.fields import SealedFields
from troth.keys.replacements import Replacements
from troth.keys.secrets import Secrets
from troth.keys.signing import LocalSigner
from troth.keys.tree import KeyTree
from troth.mail.alarms import Alarms
from troth.mail.desk import MailDesk
from troth.mail.listener import Listener as MailListener
from troth.redact.loading import Loading
from troth.settings.load import Settings
from troth.storage.blobs import LocalBlobs
from troth.storage.database import Database
from troth.storage.meters import Meters
from troth.storage.outbox import Outbox
from troth.telemetry.instruments import Instruments
from troth.telemetry.network_time import NetworkTime
from troth.vault.consent import Consents
from troth.vault.erasure import Erasures
from troth.vault.inventory import Stocktaking
from troth.vault.objects import Objects
from troth.vault.retention import Retention
from troth.vault.rights.handling import Handling
from troth.vault.rights.holder import RightsHolder
from troth.vault.rights.intake import Intake
from troth.vault.rights.outgoing import Outgoing
from troth.vault.rights.register import Register
from troth.vault.rights.statements import Statements
from troth.vault.rights.upkeep import Upkeep
from troth.vault.scrubbing import Scrub

PROBE_TENANT = "Troth self-checks"  # synthetic people live here; no customer does
NEIGHBOUR = "Troth self-checks, neighbour"
ALONE = "Troth self-checks, access"  # nobody stays here, so a check may say who the last owner is


@dataclass(frozen=True, slots=True)
class Base:
    """What everything stands on."""

    settings: Settings
    clock: Clock
    journal: Journal
    database: Database
    meters: Meters
    network_time: NetworkTime
    outbox: Outbox
    objects: LocalBlobs
    mirror: LocalBlobs
    secrets: Secrets
    signer: LocalSigner
    domains: tuple[Domain, ...]
    tree: KeyTree
    fields: SealedFields
    sequencer: Sequencer
    prover: Prover
    reader: LogReader
    details: Details
    instruments: Instruments


@dataclass(frozen=True, slots=True)
class Identity:
    """Who people are."""

    tenants: Tenants
    users: Users
    roles: Roles
    sessions: Sessions
    keys: ApiKeys
    bootstrap: Bootstrap
    throttle: Throttle
    passkeys: Passkeys
    bindings: Bindings
    links: Links
    authorization: AuthorizationServer
    auditors: Auditors
    certificates: Certificates
    device_sessions: SessionsOfDevices
    provisioning: ProvisioningTokens
    holder: IdentityHolder
    operations: tuple[object, ...]

    def sweep(self) -> None:
        """Drop sessions and attempts that are over, and the sessions of auditors whose time is."""
        self.sessions.sweep()
        self.auditors.sweep()
        self.throttle.sweep()
        self.certificates.sweep()
        self.authorization.sweep()


@dataclass(frozen=True, slots=True)
class Governing:
    """Who may what, and for how long."""

    custom: CustomRoles
    ledger: Elevations
    emergencies: Emergencies
    campaigns: Campaigns
    leaving: Leaving
    operations: tuple[object, ...]

    def round(self) -> None:
        """End what is over, open and close reviews of access, and say what is overdue."""
        self.ledger.sweep()
        self.emergencies.warn()
        self.campaigns.run()


@dataclass(frozen=True, slots=True)
class Rights:
    """The rights of people: their requests, objections and statements."""

    register: Register
    intake: Intake
    handling: Handling
    outgoing: Outgoing
    upkeep: Upkeep
    statements: Statements
    holder: RightsHolder
    operations: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Vault:
    """What is kept, and how it is forgotten."""

    objects: Objects
    consents: Consents
    erasures: Erasures
    retention: Retention
    scrub: Scrub
    stocktaking: Stocktaking
    holders: tuple[Holder, ...]
    rights: Rights
    operations: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Gateway:
    """What goes to vendors and comes back."""

    vendors: Vendors
    ports: Ports
    credentials: Credentials
    watermark: Watermark
    fingerprints: Fingerprints
    moderator: Office
    detector: Loading
    redactor: Redactor
    assets: Assets
    operations: tuple[object, ...]
    antivirus: Antivirus | None = None
    videos: VideoRunner | None = None
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class Governance:
    """What people must do and prove."""

    registers: Registers
    house: House
    reminders: Reminders
    deliveries: Deliveries
    second: SecondChannel
    news: News
    statements: PlainStatements
    reviews: ConfigReviews
    populations: Populations
    operations: tuple[object, ...]

    def remind(self) -> int:
        """Put what is to be told of dues and of news; how much. For a job."""
        due = self.reminders.run()
        return due + self.news.run()


@dataclass(frozen=True, slots=True)
class Reviewing:
    """Who watches the administrators."""

    reviews: Reviews
    watch: Watch
    operations: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Listener:
    """Where the HTTPS door listens and with which files; `authority` is None for a public one."""

    host: str
    port: int
    name: str
    authority: Path | None
    certificate: Path
    private_key: Path
    mtls_port: int | None = None
    """Where a certificate is asked for, on the same host."""


@dataclass(frozen=True, slots=True)
class Mailroom:
    """The e-mail desk, its listener when one is set up, and who is told of alarms."""

    desk: MailDesk
    listener: MailListener | None
    alarms: Alarms


class Guard(Protocol):
    """What the door admits, with its own limits and nothing counted yet; time stands still in it."""

    def stranger(self, host: str) -> None: ...

    def credential(self, actor: str) -> None: ...

    def body(self, host: str, count: int) -> None: ...

    def close(self) -> None: ...


@dataclass(slots=True)
class Door:
    """The HTTPS door, once it is open; a command that runs without one leaves it shut."""

    listener: Listener | None = None
    guard: Callable[[], Guard] | None = None
    """Makes a guard with the limits of this door; nothing where no door was built."""


@dataclass(frozen=True, slots=True)
class System:
    """One installation."""

    base: Base
    identity: Identity
    governing: Governing
    vault: Vault
    gateway: Gateway
    governance: Governance
    mail: Mailroom
    backups: Backups
    replacements: Replacements
    reviewing: Reviewing
    dispatcher: Dispatcher
    decider: CedarDecider
    door: Door = field(default_factory=Door)
    schedule: list[Periodic] = field(default_factory=list)
    """What repeats while a server runs; a command that runs without one repeats nothing."""

    def probe_person(self, *, neighbour: bool = False) -> tuple[str, str]:
        """(tenant, subject) of a fresh synthetic person, so that checks never touch a customer's data."""
        return self.probe_tenant(NEIGHBOUR if neighbour else PROBE_TENANT), new_id("usr")

    def probe_tenant(self, name: str, jurisdiction: str | None = None) -> str:
        """The tenant of that name, made on first use, here unless another jurisdiction is given."""
        tenants = self.identity.tenants
        known = [tenant.id for tenant in tenants.list() if tenant.name == name]
        return known[0] if known else tenants.create(name, jurisdiction or self.base.settings.data.jurisdiction).id
