"""Builds moderation: the floor, policies of tenants, cases, take-downs and evidence."""

from __future__ import annotations

from troth.gateway.limits.metered import Metered
from troth.gateway.moderation.cases import Cases
from troth.gateway.moderation.list_operations import PreservedOperations, TakedownOperations
from troth.gateway.moderation.office import Office
from troth.gateway.moderation.operations import ModerationCaseOperations, ModerationOperations
from troth.gateway.moderation.own_policies import OwnPolicies
from troth.gateway.moderation.policy import Policy, read_floor
from troth.gateway.moderation.preserved import Preserved
from troth.gateway.moderation.takedowns import Takedowns
from troth.promises.system import Base
from troth.vault.fences import fence_tenant
from troth.vault.ground import Ground
from troth.vault.holds import Holds
from troth.vault.objects import Objects


def build_cases(base: Base) -> Cases:
    return Cases(base.database, base.fields, base.clock, _floor(base).periods)


def build_office(base: Base, objects: Objects) -> Office:
    ground = Ground(base.database, base.objects, base.tree, base.outbox, base.clock, base.meters)
    floor = _floor(base)
    days = floor.periods.evidence_days
    return Office(
        OwnPolicies(base.database, base.clock, floor, fence_tenant),
        build_cases(base),
        Takedowns(base.database, base.clock),
        Preserved(base.database, objects, Holds(ground), base.clock, days),
    )


def moderation_operations(office: Office, metered: Metered) -> tuple[object, ...]:
    return (
        ModerationOperations(office, metered),
        ModerationCaseOperations(office),
        TakedownOperations(office.takedowns),
        PreservedOperations(office.preserved),
    )


def _floor(base: Base) -> Policy:
    return read_floor(base.settings.gateway.moderation_policy)
