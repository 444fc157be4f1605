"""Builds what everything stands on: database, keys, log."""

from __future__ import annotations

from troth.audit.key_epochs import LoggedEpochs
from troth.audit.log import LogReader
from troth.audit.proofs import Prover
from troth.audit.sequencer import Sequencer
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.journal import Journal
from troth.keys.domain_choice import domains_of
from troth.keys.fields import SealedFields
from troth.keys.lifecycle import Cryptoperiods
from troth.keys.residency import claim_domains
from troth.keys.secrets import Secrets
from troth.keys.signing import LocalSigner
from troth.keys.tree import KeyTree, Options
from troth.promises.system import Base
from troth.settings.load import Settings
from troth.storage.blobs import LocalBlobs
from troth.storage.database import Database
from troth.storage.isolation import settle
from troth.storage.outbox import Outbox
from troth.storage.placement import claim_database, claim_store
from troth.storage.private import only_ours, private_folder


def build_base(settings: Settings, clock: Clock, journal: Journal) -> Base:
    data = settings.data
    only_ours()
    for folder in (data.folder, data.keys):
        private_folder(folder)
    database = Database(data.database_url or f"sqlite:///{data.folder / 'troth.db'}")
    settle(database, owner_url=data.database_owner_url, single_role=data.database_single_role)
    secrets = Secrets.open(data.keys / "secrets")
    signer = LocalSigner.open(data.keys / "signing", settings.server.name)
    domains = domains_of(settings.keys, data)
    objects, mirror, guard = (
        LocalBlobs(data.folder / "objects"),
        LocalBlobs(data.folder / "log"),
        LocalBlobs(data.keys / "log-guard"),
    )
    claim_database(database, data.jurisdiction, epoch_ms(clock.now()))
    for store, name in ((objects, "object store"), (mirror, "mirror of the log"), (guard, "guard of the log")):
        claim_store(store, name, data.jurisdiction)
    claim_domains(domains, data.jurisdiction)
    outbox, reader = Outbox(database), LogReader(database)
    options = Options(
        recorder=outbox,
        epoch_log=LoggedEpochs(reader),
        split=settings.keys.split,
        periods=Cryptoperiods(settings.keys.root_days, settings.keys.unit_days),
    )
    tree = KeyTree(database, domains, clock, jurisdiction=data.jurisdiction, options=options)
    return Base(
        settings=settings,
        clock=clock,
        journal=journal,
        database=database,
        outbox=outbox,
        objects=objects,
        mirror=mirror,
        secrets=secrets,
        signer=signer,
        domains=tuple(domains),
        tree=tree,
        fields=SealedFields(tree, secrets.named("blind-index")),
        sequencer=Sequencer(
            database,
            mirror,
            signer,
            clock,
            host=settings.server.name,
            guard=guard,
            checkpoint_seconds=settings.audit.checkpoint_seconds,
        ),
        prover=Prover(database),
        reader=reader,
    )
