"""The second door of a server: for devices and services with a certificate of this installation."""

from __future__ import annotations

from pathlib import Path

from troth.http.serve import Mutual, listen
from troth.http.tls import mutual_context
from troth.kernel.periodic import Periodic
from troth.promises.system import System

_LEARNING_SECONDS = 600.0  # an authority signs an hour after it was made


def mutual_door(system: System, certificate: Path, private_key: Path) -> tuple[Mutual | None, list[Periodic]]:
    """The door, if there shall be one, and the work that lets it learn of each next authority.

    Raises `Unavailable` when its port is taken, or no authority can be made.
    """
    wish = system.base.settings.server
    if wish.mtls_port is None:
        return None, []
    parts = system.identity.certificates
    context = mutual_context(certificate, private_key, parts.bundle())

    def learn() -> None:
        context.load_verify_locations(cadata=parts.bundle())

    pace = {"seconds": _LEARNING_SECONDS, "delay": _LEARNING_SECONDS}
    learning = Periodic("authorities", learn, **pace, faults=system.base.journal)
    system.schedule.append(learning)
    return Mutual(listen(wish, wish.mtls_port), context), [learning]
