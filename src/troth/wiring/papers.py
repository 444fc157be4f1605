"""Builds the paper of the installation, and what is shown of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from troth.gateway.sub_processors import listed
from troth.kernel.clock import epoch_ms
from troth.promises.catalogue import catalogue
from troth.promises.certificates_on_record import CertificatesOnRecord
from troth.promises.paper.binding import Paper
from troth.promises.paper.lint import Known
from troth.promises.paper.parameters import parameters
from troth.promises.paper.publishing import Papers
from troth.promises.paper_operations import PaperOperations
from troth.promises.past import Past
from troth.promises.runner import Runner
from troth.promises.standings import Standings
from troth.promises.system import Base, System
from troth.promises.trust import Sources, TrustOperations
from troth.wiring.identity import relying_party

_FRESH_SECONDS = 5.0


def build_papers(base: Base, runner: Runner, past: Past, system: Callable[[], System]) -> tuple[object, ...]:
    """The operations of papers and of the trust page."""
    standings = Standings(runner, fresh=_FRESH_SECONDS)

    def house() -> str | None:
        named = system().governance.house.named()
        return None if named is None else named.tenant

    certificates = CertificatesOnRecord(lambda: system().governance.registers, house)

    def known(_paper: Paper) -> Known:
        checks = [one.id for one in runner.checks]
        states = {promise.id: standing.state.value for promise, standing in standings.now()}
        today, certified = base.clock.now().date(), certificates.certified()
        return Known(catalogue(), parameters(), checks, today, states, certified)

    notice = timedelta(days=base.settings.promises.paper_notice_days)
    papers = Papers(base.database, base.clock, base.signer, notice=notice, known=known)

    def regions() -> tuple[str, ...]:
        found = listed(system().gateway.vendors.all(), epoch_ms(base.clock.now()))
        return tuple(sorted({one.region for one in found if one.region and one.state == "in-use"}))

    place, address = base.settings.data.jurisdiction, relying_party(base.settings).origins[0]
    sources = Sources(papers, runner, standings, past, place, address, certificates, regions)
    return PaperOperations(papers), TrustOperations(sources)
