"""The registers of other rooms, by name: who may see them, and a page of their records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from troth.governance.forms.form import Form
from troth.governance.records import Record
from troth.governance.sources.port import Source, as_record
from troth.governance.store import Search
from troth.kernel.errors import Conflict
from troth.vault.rights.clocks import Calendar


@dataclass(frozen=True, slots=True)
class Rooms:
    """Sources by the name of the form. `house`: the tenant that alone sees what is kept once for the service."""

    sources: Mapping[str, Source] = field(default_factory=dict)
    house: Callable[[], str | None] = lambda: None

    def shows(self, form: Form, tenant: str) -> bool:
        """Whether this tenant may see what another room keeps for that form, and there is a way to."""
        source = self.sources.get(form.name)
        return source is not None and (not source.of_service or self.house() == tenant)

    def records(self, form: Form, tenant: str, now: int, home: Calendar) -> list[Record]:
        """Every record, oldest first. Raises Conflict(kept-elsewhere)."""
        if form.source is None or not self.shows(form, tenant):
            raise Conflict("This register shows what another room keeps; look at it there.", code="kept-elsewhere")
        found = [as_record(form, one) for one in self.sources[form.name].kept(tenant, now, home)]
        return sorted(found, key=lambda one: (one.opened_at, one.id))


def paged(
    records: Sequence[Record], wanted: Search, matches: Callable[[Record, str], bool]
) -> tuple[tuple[Record, ...], str | None]:
    """Those that are wanted, newest first, and the `after` of the next page. `records` oldest first."""
    newest = list(reversed(records))
    if wanted.after is not None:
        ids = [one.id for one in newest]
        newest = newest[ids.index(wanted.after) + 1 :] if wanted.after in ids else []
    found = [
        one
        for one in newest
        if wanted.state in (None, one.state) and (wanted.text is None or matches(one, wanted.text))
    ]
    shown = tuple(found[: wanted.limit])
    return shown, shown[-1].id if len(found) > wanted.limit else None
