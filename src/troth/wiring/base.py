"""Builds what everything stands on: database, keys, log."""

from __future__ import annotations

from troth.audit.details import Details
from troth.audit.key_epochs import LoggedEpochs
from troth.audit.log import LogReader
from troth.audit.origins import Origins
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
from troth.storage.meters import Meters
from troth.storage.outbox import Outbox
from troth.storage.placement import claim_database, claim_store
from troth.storage.private import only_ours, private_folder
from troth.telemetry.instruments import instruments_of
from troth.telemetry.network_time import NetworkTime
from troth.wiring.log_places import far_mirror, guard_of, mirror_of
from troth.wiring.witnesses import build_witnessing


def build_base(settings: Settings, clock: Clock, journal: Journal) -> Base:
    data = settings.data
    only_ours()
    instruments = instruments_of(settings.telemetry, journal)
    for folder in (data.folder, data.keys):
        private_folder(folder)
    url = data.database_url or f"sqlite:///{data.folder / 'troth.db'}"
    database = Database(url, watch=instruments.watch)
    settle(database, owner_url=data.database_owner_url, single_role=data.database_single_role)
    secrets = Secrets.open(data.keys / "secrets")
    signer = LocalSigner.open(data.keys / "signing", settings.server.name)
    domains = domains_of(settings.keys, data)
    objects, mirror, guard = LocalBlobs(data.folder / "objects"), mirror_of(data), guard_of(data)
    claim_database(database, data.jurisdiction, epoch_ms(clock.now()))
    for store, name in ((objects, "object store"), (mirror, "mirror of the log"), (guard, "guard of the log")):
        claim_store(store, name, data.jurisdiction)
    claim_domains(domains, data.jurisdiction)
    outbox, reader = Outbox(database, settings.audit.most_waiting), LogReader(database)
    options = Options(
        recorder=outbox,
        epoch_log=LoggedEpochs(reader),
        split=settings.keys.split,
        periods=Cryptoperiods(settings.keys.root_days, settings.keys.unit_days),
        watch=instruments.watch,
    )
    tree = KeyTree(database, domains, clock, jurisdiction=data.jurisdiction, options=options)
    fields = SealedFields(tree, secrets.named("blind-index"))
    sequencer = Sequencer(
        database,
        mirror,
        signer,
        clock,
        host=settings.server.name,
        guard=guard,
        far=far_mirror(settings),
        checkpoint_seconds=settings.audit.checkpoint_seconds,
    )
    sequencer.witnessing = build_witnessing(settings.audit, database, clock)
    return Base(
        settings=settings,
        clock=clock,
        journal=journal,
        database=database,
        meters=Meters(database),
        network_time=_network_time(settings, outbox, clock),
        outbox=outbox,
        objects=objects,
        mirror=mirror,
        secrets=secrets,
        signer=signer,
        domains=tuple(domains),
        tree=tree,
        fields=fields,
        sequencer=sequencer,
        prover=Prover(database, Origins.of(signer, settings.server.name)),
        reader=reader,
        details=Details(database, fields),
        instruments=instruments,
    )


def _network_time(settings: Settings, outbox: Outbox, clock: Clock) -> NetworkTime:
    network_time = NetworkTime(settings.clocks.servers, settings.clocks.limit_ms, outbox, clock)
    outbox.mark = lambda: network_time.mark
    return network_time
