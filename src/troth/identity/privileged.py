"""Who may change what others have shows a passkey, or their privileges rest (IDN-02; SP 800-63B-4 section 3.2.5).

A fresh role gives some days to set one up. After them the operations that administer, judge or operate are refused
until the session was proved by what no false page can take. One's own account stays open: there a passkey is added.
"""

from __future__ import annotations

from dataclasses import dataclass

from troth.kernel.caller import Caller
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.dispatch import Decider, Decision
from troth.kernel.operation import Group, Operation

REMEDY = "passkey-required"
RULE = "privileged-passkey"  # as which the decision stands in the log
PRIVILEGED = frozenset({"owner", "admin", "privacy-officer", "operator"})
GROUPS = frozenset({Group.ADMINISTER, Group.PRIVACY, Group.AUDIT, Group.REVIEW, Group.GOVERN, Group.OPERATE})
_DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class PasskeyGrace:
    """How long a privileged role works without a passkey."""

    clock: Clock
    days: int

    def due(self, caller: Caller) -> int | None:
        """When the privileges of a caller begin to rest without a passkey, in epoch ms; None for who has none."""
        return None if caller.privileged_since is None else caller.privileged_since + self.days * _DAY_MS

    def over(self, caller: Caller) -> bool:
        """True when the privileges rest now: the time is over and no passkey was shown."""
        due = self.due(caller)
        return due is not None and not caller.authentication.passkey_shown and epoch_ms(self.clock.now()) >= due


@dataclass(frozen=True, slots=True)
class PasskeyForPrivileged:
    """Implements `kernel.dispatch.Decider`: what the policies allow, less what a privileged person may not yet do."""

    decider: Decider
    grace: PasskeyGrace

    def decide(self, caller: Caller, operation: Operation) -> Decision:
        """The policies' decision, or a refusal with the remedy `passkey-required`."""
        decision = self.decider.decide(caller, operation)
        if not decision.allowed or operation.declaration.group not in GROUPS or not self.grace.over(caller):
            return decision
        return Decision(
            allowed=False, policies=(RULE,), evidence=decision.evidence, ruleset=decision.ruleset, remedy=REMEDY
        )
