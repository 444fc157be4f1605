"""Promises that people keep: each form of a register becomes a check of the records that the house has of it.

The judgement is that of the register's own page (`governance.standing`); the known-bad examples of the form are the
control, and each of them must be seen. An empty register proves nothing, nor does one of a tenant that is not the
house. docs/decisions/0109-house-and-register-checks.md
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection
from functools import cache

from troth.governance.forms.form import Form
from troth.governance.forms.reading import shipped
from troth.governance.loading import Forms
from troth.governance.looking import Look
from troth.governance.specimens import known_bad
from troth.governance.standing import standing
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import IntegrityError
from troth.kernel.scope import Scope, within
from troth.promises import code
from troth.promises.catalogue import catalogue
from troth.promises.check import EMPTY, UNNAMED, Check, Facts
from troth.promises.system import System

_PREFIX = "register-"
# What judges a register. Who changes it changes the digest of each of these checks; a test holds it complete.
JUDGES = (
    "troth.governance.chains",
    "troth.governance.clocks",
    "troth.governance.dues",
    "troth.governance.forms.expressions",
    "troth.governance.forms.fields",
    "troth.governance.forms.form",
    "troth.governance.holidays",
    "troth.governance.looking",
    "troth.governance.naming",
    "troth.governance.populations",
    "troth.governance.records",
    "troth.governance.standing",
)


def register_checks(forms: Forms, covered: Collection[str]) -> tuple[Check, ...]:
    """A check for each form that names promises and whose records are kept here.

    `covered`: promises that other checks look at. Where the software itself refuses (an enforced promise), these
    checks are the evidence, and a register is a view of it; what people do is seen in registers alone, or as well.
    """
    sound, wrong = forms.sound()
    usual = shipped()
    found = {form.name: form for form in sound}
    found |= {name: usual[name] for name in wrong if name in usual}  # cannot be read: an error, never left out
    asked = [(form, _promises(form, usual.get(name), covered)) for name, form in sorted(found.items())]
    return tuple(_check(form, promises) for form, promises in asked if promises)


def _promises(form: Form, usual: Form | None, covered: Collection[str]) -> tuple[str, ...]:
    """Those of the form, and of the shipped one in whose place it stands: a folder takes no promise away."""
    known = catalogue()
    asked = [one for one in (*form.promises, *(usual.promises if usual else ())) if one in known]
    if form.source is None:
        needed = [one for one in asked if known[one].kind != "enforced" or one not in covered]
    else:  # the room that keeps the records looks at them itself, where it has a check, and alone refuses
        needed = [one for one in asked if known[one].kind != "enforced" and one not in covered]
    return tuple(dict.fromkeys(needed))


def _check(form: Form, promises: tuple[str, ...]) -> Check:
    return Check(
        f"{_PREFIX}{form.name}",
        promises,
        f"Every record of the house in the register '{form.name}' that counts, by the rules of its form: in order, "
        "nothing overdue, nobody late, and none missing that must be there. That what people entered is true, it does "
        "not show.",
        _observe(form),
        _sabotage(form),
        scope=f"the register '{form.name}' of the house",
        population=f"records of '{form.name}' that count",
        part="house",
        parameters={"form": form.digest, "judges": _judges()},
    )


def _observe(form: Form) -> Callable[[System], Facts]:
    def observe(system: System) -> Facts:
        _same(form, system)
        house = system.governance.house.named()
        if house is None:
            return Facts(population=0, tested=0, broken=0, details={UNNAMED: 1})
        with within(Scope(house.tenant)):
            stand = system.governance.registers.stand(house.tenant, form.name)
        if not stand.population:
            return Facts(population=0, tested=0, broken=0, details={EMPTY: 1})
        reasons = Counter(one.what for one in stand.reasons)
        return Facts(stand.population, stand.tested, stand.broken, details=dict(reasons))

    return observe


def _sabotage(form: Form) -> Callable[[System], Facts]:
    """Every known-bad example must be seen; one that passes makes the whole control pass, and the run an error."""

    def sabotage(system: System) -> Facts:
        _same(form, system)
        registers = system.governance.registers
        look = Look(epoch_ms(system.base.clock.now()), registers.home, lists=registers.lists)
        seen = [standing(form, one.records, one.items, one.look).broken > 0 for one in known_bad(form, look)]
        return Facts(len(seen), len(seen), len(seen) if all(seen) else 0)

    return sabotage


def _same(form: Form, system: System) -> None:
    """Raises Invalid for a form that is not in order, IntegrityError when it is another than the check was made of."""
    if system.governance.registers.forms.get(form.name).digest != form.digest:
        raise IntegrityError("The form of a register is another than its check was made of; start again.",
                             code="register-chain")  # fmt: skip


@cache
def _judges() -> str:
    texts = "".join(code.source_of(one) or "" for one in JUDGES)
    return hashlib.sha256(texts.encode()).hexdigest()
