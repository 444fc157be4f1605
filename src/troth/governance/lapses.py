"""What ends with a lapse, by the dates on paper: a badge, and one person's access to production. Pure.

A form binds its lapse words to what they end (`couples`). Whatever enforces asks here, or its own papers, at the moment
of the call; a job only tells of it, once (`reminders`). Routes and grants are ended by the rooms that keep them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from troth.governance.forms.form import Form, PopulationRule
from troth.governance.looking import Item, Look
from troth.governance.populations import owed
from troth.governance.records import Record
from troth.governance.standing import wrong

ROUTE, BADGE, ACCESS, GRANT = "route.off", "badge.off", "access.suspend", "grant.revoke"
PORTS = frozenset({ROUTE, BADGE, ACCESS, GRANT})
_SHOWN = "shown"


def badges(form: Form, records: Sequence[Record], look: Look) -> tuple[Record, ...]:
    """The certificates that may be shown at this moment: checked with their issuer, begun, and not over (GOV-12)."""
    return tuple(one for one in records if one.state == _SHOWN and not any(wrong(form, one, (), look)))


def suspending(form: Form) -> Iterator[PopulationRule]:
    """What members of a population owe for their access to production (GOV-03, GOV-06)."""
    for rule in form.populations.values():
        if rule.lapse is not None and form.couples.get(rule.lapse) == ACCESS:
            yield rule


def rests_from(form: Form, records: Sequence[Record], items: Sequence[Item], look: Look) -> int | None:
    """The moment (epoch ms) from which access rests, of the members that `look` knows; None: they owe nothing.

    The day of an act that is owed has ended everywhere in the jurisdiction then; an act that was done ends with its
    validity. So the answer holds until something is entered, whatever the clock says meanwhile.
    """
    ends = [
        one.by for rule in suspending(form) for record in records for one in owed(form, rule, record, items, look) or ()
    ]
    return min(ends, default=None)
