"""Builds who may what, and for how long."""

from __future__ import annotations

from troth.identity.governing.campaigns import Campaigns, Plan
from troth.identity.governing.custom_roles import CustomRoles
from troth.identity.governing.elevation_operations import ElevationOperations, EmergencyOperations
from troth.identity.governing.elevations import Elevations
from troth.identity.governing.emergency import Emergencies
from troth.identity.governing.having import Having
from troth.identity.governing.leaving import ENDS, Leaving
from troth.identity.governing.reasons import Reasons
from troth.identity.governing.review_operations import AccessReviewOperations
from troth.identity.governing.role_operations import CustomRoleOperations, LifecycleOperations
from troth.kernel.clock import epoch_ms
from troth.promises.system import PROBE_TENANT, Base, Governing, Identity
from troth.vault.leftovers import leftovers


def build_governing(base: Base, identity: Identity) -> Governing:
    """Custom roles, elevation, break-glass, reviews of access, movers and leavers."""
    database, clock, settings = base.database, base.clock, base.settings
    reasons, custom = Reasons(database, base.fields), CustomRoles(database, clock)
    ledger = Elevations(database, identity.roles, reasons, base.outbox, clock)
    emergencies = Emergencies(ledger, base.journal, settings.reviews.due_days)
    plan = Plan(**settings.access.model_dump())

    def spared() -> frozenset[str]:
        """Synthetic tenants of self-checks, in which nobody has anything for long."""
        return frozenset(one.id for one in identity.tenants.list() if one.name.startswith(PROBE_TENANT))

    campaigns = Campaigns(database, base.outbox, clock, plan, journal=base.journal, spared=spared)
    leaving = Leaving(
        ledger=ledger,
        remains=lambda tenant, user: leftovers(database, tenant, user, epoch_ms(clock.now())),
        ends=ENDS,
    )
    having = Having(database, reasons, clock)
    return Governing(
        custom=custom,
        ledger=ledger,
        emergencies=emergencies,
        campaigns=campaigns,
        leaving=leaving,
        operations=(
            CustomRoleOperations(custom=custom),
            LifecycleOperations(roles=identity.roles, ledger=ledger, leaving=leaving),
            ElevationOperations(ledger=ledger, journal=base.journal),
            EmergencyOperations(emergencies=emergencies),
            AccessReviewOperations(having=having, campaigns=campaigns),
        ),
    )
