"""Forms of a tenant's own: records of the register `register-forms` that a second person approved.

They add registers to those that are shipped or stand in the folder, of that tenant alone, and change none of these.
They are evidence for no promise and suspend nobody: such forms come with the folder, which operators answer for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

from sqlalchemy import Connection, select

from troth.governance import store
from troth.governance.forms.form import Form
from troth.governance.forms.reading import parse_form
from troth.governance.forms.taking import bad_form
from troth.governance.linting import lint_form, lint_together
from troth.governance.loading import Forms
from troth.governance.moments import moment
from troth.governance.records import Record, fold
from troth.governance.sealing import event_of
from troth.governance.store import Search
from troth.governance.tables import records
from troth.kernel.errors import Conflict, Invalid, NotFound, TrothError
from troth.kernel.personal import PersonalFields
from troth.storage.database import Database

FORM: Final = "register-forms"
MOST: Final = 50  # of one tenant
MOST_RECORDS: Final = 2_000  # in all of them together: each is looked at whenever somebody asks what is due
MOST_VERSIONS: Final = 200  # approved and not withdrawn, each opened whenever a form is asked for
_MOST_DUE: Final = 6  # dues, clocks and populations of one form together, and reminders of one due
_EVERY: Final = 20_000  # records; no register holds more
_IN_FORCE: Final = "in-force"
_parsed = lru_cache(maxsize=512)(parse_form)


@dataclass(frozen=True, slots=True)
class OwnForms:
    """Forms by tenant and name. `forms`: those of the installation, which come first."""

    database: Database
    fields: PersonalFields
    forms: Forms

    def get(self, tenant: str, name: str) -> Form:
        """One form. Raises NotFound(register-not-found), Invalid for one of the folder that is not in order."""
        return self.once(tenant)(name)

    def once(self, tenant: str) -> Callable[[str], Form]:
        """`get` for who asks for several: the tenant's own are read when the first of them is asked for, once."""

        @cache
        def mine() -> Mapping[str, Form] | TrothError:
            try:
                return self.all(tenant)
            except TrothError as error:  # as long to find out as to read them
                return error

        def get(name: str) -> Form:
            if name in self.forms.names():
                return self.forms.get(name)
            known = mine()
            if isinstance(known, TrothError):
                raise known
            if name not in known:
                raise NotFound("There is no such register; list the registers to see their names.",
                               code="register-not-found")  # fmt: skip
            return known[name]

        return get

    def all(self, tenant: str) -> Mapping[str, Form]:
        """The tenant's own, by name: of each the highest version that was approved. Raises IntegrityError."""
        return self._highest(form for _, form in self._versions(tenant))

    def check(self, tenant: str, values: Mapping[str, Any]) -> None:
        """Whether a form may be proposed or approved. Raises Invalid(bad-form, bad-yaml, …) with the place,
        Conflict(register-taken, register-full, not-now)."""
        form = parse_form(str(values.get("text", "")))
        if form.name != values.get("name"):
            raise bad_form("form.form", "it names another register than the record does")
        if form.name in self.forms.names():
            raise Conflict("A register of that name is here already; take another name.", code="register-taken")
        _bounded(form)
        versions = self._versions(tenant)
        known = self._highest(one for _, one in versions)
        if form.name not in known and len(known) >= MOST:
            raise Conflict(f"A tenant has at most {MOST} forms of its own.", code="register-full")
        if form.name in known and form.version <= known[form.name].version:
            raise bad_form("form.version", "it is not above the version that is in force")
        if len(versions) >= MOST_VERSIONS:
            raise Conflict("Too many versions of forms are approved; withdraw those that newer ones stand in place of.",
                           code="register-full")  # fmt: skip
        self._lint(form, known)
        left = self._states(tenant, form.name) - form.states.keys()
        if left:
            raise Conflict(f"Records stand in states that the form does not know: {', '.join(sorted(left))}.",
                           code="not-now")  # fmt: skip

    def moving(self, tenant: str, move: str, record: Record) -> None:
        """Whether a move of a form's record may be made. Raises as `check`."""
        if move == "approve":
            self.check(tenant, record.raw)
        elif move == "withdraw":
            self._leaving(tenant, record)

    def room(self, connection: Connection, tenant: str, name: str, more: int) -> None:
        """Whether so many more records fit. Raises Conflict(register-full) above 2,000 in all own forms together."""
        if name in self.forms.names():
            return
        counted = store.counts(connection, tenant)
        if sum(number for form, number in counted.items() if form not in self.forms.names()) + more > MOST_RECORDS:
            raise Conflict(
                f"A tenant's own forms hold at most {MOST_RECORDS} records together; for more, the form goes into the "
                "folder of registers.",
                code="register-full",
            )

    def _leaving(self, tenant: str, record: Record) -> None:
        """A version that a newer one stands in place of goes as it likes; the one in force goes as the last of all, so
        that nobody alone puts an older one in force."""
        mine = _parsed(str(record.raw.get("text")))
        name = mine.name
        others = [form.version for one, form in self._versions(tenant) if form.name == name and one.id != record.id]
        if any(version > mine.version for version in others):
            return
        if others:
            raise Conflict("An older version would be in force again; withdraw that one first.", code="not-now")
        if self._states(tenant, name):
            raise Conflict("The register has records; a form without them can be withdrawn.", code="not-now")

    def _lint(self, form: Form, known: Mapping[str, Form]) -> None:
        shipped, _ = self.forms.sound()
        together = lint_together({**{one.name: one for one in shipped}, **known, form.name: form})
        wrong = [*lint_form(form), *(one for one in together if one.where.partition(".")[0] == form.name)]
        if wrong:
            raise Invalid(f"The form is not in order: {wrong[0].says}", code="bad-form", field=wrong[0].where)

    def _states(self, tenant: str, name: str) -> set[str]:
        mine = select(records.c.state).where(records.c.tenant == tenant, records.c.form == name).distinct()
        with self.database.read() as connection:
            return set(connection.execute(mine).scalars())

    def _highest(self, versions: Iterable[Form]) -> Mapping[str, Form]:
        found: dict[str, Form] = {}
        for form in versions:
            if form.name not in self.forms.names() and form.version > getattr(found.get(form.name), "version", 0):
                found[form.name] = form
        return found

    def _versions(self, tenant: str) -> list[tuple[Record, Form]]:
        """Every version that was approved and not withdrawn, with its record. Raises IntegrityError."""
        rules = self.forms.get(FORM)
        with moment(self.database) as connection:
            rows = store.page(connection, tenant, FORM, Search(state=_IN_FORCE), _EVERY)
            past = store.events_of(connection, tenant, [one["id"] for one in rows])
        found = [fold(rules, [event_of(self.fields, one) for one in past[row["id"]]]) for row in rows]
        for record, row in zip(found, rows, strict=True):
            store.bound(record, row)
        return [(one, _parsed(str(one.raw.get("text")))) for one in found]


def _bounded(form: Form) -> None:
    """Raises Invalid(bad-form) for what comes with the folder alone, and for more than is ever due of a record."""
    beyond = {"promises": form.promises, "source": form.source, "snapshots": form.snapshots, "couples": form.couples}
    for member, given in beyond.items():
        if given:
            raise bad_form(f"form.{member}", "a form of one's own has none; put it into the folder of registers")
    if len(form.dues) + len(form.clocks) + len(form.populations) > _MOST_DUE:
        raise bad_form("form.dues", f"dues, clocks and populations are at most {_MOST_DUE} together")
    for one in form.dues.values():
        if len(one.remind) > _MOST_DUE:
            raise bad_form(f"form.dues.{one.name}.remind", f"it has at most {_MOST_DUE} reminders")
