"""Builds the paper of the installation, and what is shown of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from troth.promises.catalogue import catalogue
from troth.promises.paper.binding import Paper
from troth.promises.paper.lint import Known
from troth.promises.paper.parameters import parameters
from troth.promises.paper.publishing import Papers
from troth.promises.paper_operations import PaperOperations
from troth.promises.runner import Runner
from troth.promises.system import Base


def build_papers(base: Base, runner: Runner) -> tuple[object, ...]:
    """The operations of papers."""

    def known(_paper: Paper) -> Known:
        checks = [one.id for one in runner.checks]
        return Known(catalogue(), parameters(), checks, base.clock.now().date(), states(runner))

    notice = timedelta(days=base.settings.promises.paper_notice_days)
    papers = Papers(base.database, base.clock, base.signer, notice=notice, known=known)
    return (PaperOperations(papers),)


def states(runner: Runner) -> Mapping[str, str]:
    """How each promise of the catalogue stands now."""
    return {promise.id: standing.state.value for promise, standing in runner.table()}
