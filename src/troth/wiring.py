"""Builds one installation from its settings. The only file that constructs things; no container, no global."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

from troth import __version__
from troth.access.policy import CedarDecider
from troth.audit.evidence import LogEvidence
from troth.audit.log import LogPublisher, LogReader
from troth.audit.operations import AuditOperations
from troth.audit.proofs import Prover
from troth.audit.sequencer import Sequencer
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
from troth.identity.bootstrap import Bootstrap
from troth.identity.holder import IdentityHolder
from troth.identity.keys import ApiKeys
from troth.identity.known_devices import KnownDevices
from troth.identity.mfa.recovery import RecoveryCodes
from troth.identity.mfa.totp import Totp
from troth.identity.operations import IdentityOperations
from troth.identity.operators import OperatorOperations
from troth.identity.own_account import OwnAccount
from troth.identity.passwords import Passwords
from troth.identity.people_operations import PeopleOperations
from troth.identity.privacy import PrivacySettings
from troth.identity.roles import Roles
from troth.identity.sessions import Sessions
from troth.identity.sign_in import SignIn
from troth.identity.tenants import Tenant, Tenants
from troth.identity.throttle import Throttle
from troth.identity.users import Users
from troth.kernel.clock import Clock, SystemClock
from troth.kernel.data_class import DataClass
from troth.kernel.dispatch import Dispatcher
from troth.kernel.errors import Denied, NotFound, TrothError
from troth.kernel.journal import Journal
from troth.kernel.operation import Registry
from troth.keys.deployment import DeploymentSeal
from troth.keys.domains import Domain
from troth.keys.fields import SealedFields
from troth.keys.roots.local import LocalRoot
from troth.keys.secrets import Secrets
from troth.keys.signing import LocalSigner
from troth.keys.tree import KeyTree
from troth.promises.checks import all_checks
from troth.promises.operations import PromiseOperations
from troth.promises.runner import Runner
from troth.promises.system import Base, Gateway, Identity, System, Vault
from troth.redact.detect import rules_detector
from troth.redact.policy import vendor_policy
from troth.settings.load import Settings
from troth.storage.blobs import LocalBlobs
from troth.storage.claims import Claims
from troth.storage.database import Database
from troth.storage.migrate import upgrade
from troth.storage.outbox import Outbox
from troth.storage.private import only_ours, private_folder
from troth.vault.consent import Consents
from troth.vault.deadlines import Deadlines
from troth.vault.erasure import Erasures
from troth.vault.erasure_steps import Steps, Witnesses
from troth.vault.export import Exporter
from troth.vault.ground import Ground
from troth.vault.holder import VaultHolder
from troth.vault.objects import Objects
from troth.vault.operations import ConsentOperations, ErasureOperations, ObjectOperations
from troth.vault.retention import Retention
from troth.vault.verification import CertificateOperations


@dataclass(frozen=True, slots=True)
class Troth:
    """One installation, built. `start` before use, `stop` after it."""

    system: System
    claims: Claims
    publisher: LogPublisher
    runner: Runner

    def published(self) -> dict[str, object]:
        """The public keys that a stranger needs to check documents of this installation (/.well-known/troth.json)."""
        signer = self.system.base.signer
        return {
            "signers": {signer.name: signer.public_key.hex()},
            "logs": {"host": self.system.base.settings.server.name, "key": signer.public_key.hex()},
            "content_credentials": self.system.gateway.credentials.anchor,
        }

    def start(self) -> None:
        """Check the log against what was signed, open the key tree, finish interrupted erasures.

        The sequencer comes first: it refuses a second process before that one touches an unfinished key destruction.
        """
        self.system.base.sequencer.start()
        self.system.base.tree.resume()
        self.system.vault.erasures.resume()

    def stop(self) -> None:
        """Finish what waits and let go of everything."""
        self.system.base.outbox.close()
        self.system.base.sequencer.stop()
        self.system.base.database.checkpoint()
        self.system.base.database.close()

    def ready(self) -> dict[str, bool]:
        """What must work before requests are taken."""
        state = self.system.base.sequencer.state()
        return {"log": state.running and state.fault is None, "keys": self._keys_work()}

    def _keys_work(self) -> bool:
        try:
            self.system.base.tree.unit("operators", "svc_health", DataClass.SYSTEM, "health")
        except TrothError:
            return False
        return True


def build(settings: Settings, clock: Clock | None = None, journal: Journal | None = None) -> Troth:
    """Everything, from settings; folders, keys and schema are made on first use.

    Raises `Unavailable` and `IntegrityError`.
    """
    base = _base(settings, clock or SystemClock(), journal or Journal())
    identity = _identity(base)
    vault = _vault(base, identity)
    gateway = _gateway(base, vault)
    systems: list[System] = []
    runner = Runner(
        all_checks(),
        lambda: systems[0],
        database=base.database,
        recorder=base.outbox,
        clock=base.clock,
        faults=base.journal,
    )
    publisher = LogPublisher(base.database)
    audit = AuditOperations(base.reader, base.prover, base.sequencer.origins, publisher)
    promises = PromiseOperations(runner)
    registry = Registry(*identity.operations, *vault.operations, *gateway.operations, audit, promises)
    decider = CedarDecider(registry)
    dispatcher = Dispatcher(registry, decider, base.outbox, base.clock, base.journal)
    systems.append(System(base, identity, vault, gateway, dispatcher=dispatcher, decider=decider))
    claims = Claims(base.database, base.clock, base.secrets.named("request-claims"))
    return Troth(systems[0], claims, publisher, runner)


@contextmanager
def opened(settings: Settings, *, must_exist: bool = False, sequencing: bool = True) -> Iterator[Troth]:
    """An installation for the length of a block. Raises `NotFound` when it must exist and does not."""
    if must_exist and not (settings.data.database_url or (settings.data.folder / "troth.db").exists()):
        raise NotFound("There is no installation in this data folder; run 'troth init' or 'troth serve'.")
    troth = build(settings)
    try:
        if sequencing:
            troth.start()
        yield troth
    finally:
        troth.stop()


def _base(settings: Settings, clock: Clock, journal: Journal) -> Base:
    data = settings.data
    only_ours()
    for folder in (data.folder, data.keys):
        private_folder(folder)
    database = Database(data.database_url or f"sqlite:///{data.folder / 'troth.db'}")
    upgrade(database)
    secrets = Secrets.open(data.keys / "secrets")
    signer = LocalSigner.open(data.keys / "signing", settings.server.name)
    domain = Domain(LocalRoot(data.keys / "roots"), LocalBlobs(data.folder / "key-pages"))
    tree = KeyTree(database, [domain], clock, jurisdiction=data.jurisdiction)
    return Base(
        settings=settings,
        clock=clock,
        journal=journal,
        database=database,
        outbox=Outbox(database),
        objects=LocalBlobs(data.folder / "objects"),
        secrets=secrets,
        signer=signer,
        tree=tree,
        fields=SealedFields(tree, secrets.named("blind-index")),
        sequencer=Sequencer(
            database,
            LocalBlobs(data.folder / "log"),
            signer,
            clock,
            host=settings.server.name,
            guard=LocalBlobs(data.keys / "log-guard"),
            checkpoint_seconds=settings.audit.checkpoint_seconds,
        ),
        prover=Prover(database),
        reader=LogReader(database),
    )


def _identity(base: Base) -> Identity:
    database, clock, fields = base.database, base.clock, base.fields
    tenants, roles, passwords = Tenants(database, clock), Roles(database, clock), Passwords()
    users = Users(database, fields, passwords, clock)
    limits = base.settings.identity
    sessions = Sessions(
        database, clock, absolute_ms=limits.session_hours * 3_600_000, idle_ms=limits.idle_minutes * 60_000
    )
    keys = ApiKeys(database, fields, clock, longest_days=limits.key_days)
    totp, recovery, throttle = Totp(database, fields, clock), RecoveryCodes(database), Throttle(database, clock)
    privacy = PrivacySettings(database)
    sign_in = SignIn(
        users=users,
        passwords=passwords,
        totp=totp,
        recovery=recovery,
        devices=KnownDevices(database, clock),
        throttle=throttle,
        sessions=sessions,
        recorder=base.outbox,
        clock=clock,
    )
    own = OwnAccount(users=users, totp=totp, recovery=recovery, sessions=sessions, throttle=throttle)
    account = IdentityOperations(
        sign_in=sign_in, own=own, sessions=sessions, users=users, tenants=tenants, privacy=privacy, keys=keys
    )
    people = PeopleOperations(
        tenants=tenants,
        users=users,
        roles=roles,
        totp=totp,
        privacy=privacy,
        jurisdiction=base.settings.data.jurisdiction,
    )
    return Identity(
        tenants=tenants,
        users=users,
        roles=roles,
        sessions=sessions,
        keys=keys,
        bootstrap=Bootstrap(tenants=tenants, users=users, totp=totp, recovery=recovery),
        throttle=throttle,
        holder=IdentityHolder(database, users, roles, sessions, keys),
        operations=(account, people, OperatorOperations(users=users, totp=totp)),
    )


def _vault(base: Base, identity: Identity) -> Vault:
    ground = Ground(base.database, base.objects, base.tree, base.outbox, base.clock)
    deadlines = Deadlines(ground, {DataClass.USER_GENERATED: base.settings.retention.user_generated_days})
    objects = Objects(
        ground,
        deadlines,
        blind_index=base.fields.blind_index,
        # Fixed when a tenant is created (LOC-01), so it is asked for once; a refusal is not remembered.
        jurisdiction_of=lru_cache(maxsize=4096)(lambda tenant: _home(base, identity.tenants.get(tenant))),
    )
    consents = Consents(ground, base.signer, controller=base.settings.server.name)
    kept = VaultHolder(ground, objects, consents)
    holders = (kept, identity.holder)
    evidence = LogEvidence(base.sequencer, base.prover)
    steps = Steps(ground, Witnesses(holders, evidence, base.signer, f"troth {__version__}"))
    erasures = Erasures(ground, steps, identity.roles)
    exporter = Exporter(holders, kept, base.clock)
    return Vault(
        objects=objects,
        consents=consents,
        erasures=erasures,
        retention=Retention(ground, deadlines),
        holders=holders,
        operations=(
            ObjectOperations(objects=objects, erasures=erasures, exporter=exporter),
            ConsentOperations(consents=consents),
            ErasureOperations(erasures=erasures),
            CertificateOperations(signer=base.signer, log_key=lambda log: str(base.sequencer.origins.key(log))),
        ),
    )


def _home(base: Base, tenant: Tenant) -> str:
    """The tenant's jurisdiction, which must be this installation's: data sits where its tenant was told (LOC-01)."""
    if tenant.jurisdiction != base.settings.data.jurisdiction:
        raise Denied(
            "This installation keeps data of another jurisdiction; use the one of yours.", code="wrong-jurisdiction"
        )
    return tenant.jurisdiction


def _gateway(base: Base, vault: Vault) -> Gateway:
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
