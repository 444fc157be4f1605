"""A key domain in the transit engine of OpenBao (or Vault): the service keeps the keys and uses them. Assurance A1.

A1 has a horizon: a snapshot of the service's storage that is older than a destruction brings the root back (measured
with raft and with a copied folder). Evidence says so; keep no snapshots of that mount longer than you promise.
The context of derivation binds what `aad` binds: another context is another key.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from troth.kernel.errors import Conflict, Unavailable
from troth.keys.roots.binding import Binding
from troth.keys.roots.port import KEY_SERVICE, ROOT_NAME, broken_seal, gone, require_name
from troth.keys.roots.transit import Rejected, ServicePlace, Transit

Result = TypeVar("Result")
_CONTEXT = b"troth-root/v1\0"  # derivation wants a context that is not empty
_EVIDENCE = "key-service,deleted,snapshots-restore-it"


class OpenBaoRoot:
    """Implements `Root` on one mount; keys are named `troth-<domain>-<root>`."""

    kind = "openbao"

    def __init__(self, place: ServicePlace, binding: Binding, domain: str) -> None:
        self._transit = Transit(place)
        self._binding = binding
        self._domain = domain
        self._prefix = f"troth-{domain}-"
        self._met = False
        self._making = threading.Lock()

    @property
    def domain(self) -> str:
        return self._domain

    @property
    def assurance(self) -> str:
        return KEY_SERVICE

    def create(self, root: str) -> None:
        name = self._name(root)
        with self._making:  # the service answers a second creation like the first
            self._meet()
            if self._transit.read(name) is not None:
                raise Conflict("A root of that name exists already.", code="root-exists")
            self._accepted(lambda: self._transit.create(name))

    def seal(self, root: str, plaintext: bytes, aad: bytes) -> bytes:
        name = self._name(root)
        self._meet()
        try:
            return self._transit.encrypt(name, plaintext, _CONTEXT + aad)
        except Rejected:
            self._require(name)
            raise _refused() from None
        except Unavailable as error:
            if error.code == "openbao-denied":  # for a policy, encrypting under an unknown name is making a key
                self._require(name)
            raise

    def open(self, root: str, sealed: bytes, aad: bytes) -> bytes:
        name = self._name(root)
        self._meet()
        try:
            return self._transit.decrypt(name, sealed, _CONTEXT + aad)
        except Rejected:
            self._require(name)
            raise broken_seal() from None

    def destroy(self, root: str) -> str:
        name = self._name(root)
        self._meet()
        if self._transit.read(name) is not None:
            self._accepted(lambda: self._transit.delete(name))
        if self._transit.read(name) is not None:
            raise Unavailable("A root could not be destroyed; try again.", code="key-not-destroyed")
        self._same()
        return _EVIDENCE

    def present(self) -> list[str]:
        self._meet()
        names = self._transit.names()
        self._same()
        mine = (name.removeprefix(self._prefix) for name in names if name.startswith(self._prefix))
        return sorted(name for name in mine if ROOT_NAME.match(name))

    def gives_out(self, root: str) -> bool:
        name = self._name(root)
        self._meet()
        self._require(name)
        return self._transit.exports(name)

    def _name(self, root: str) -> str:
        return self._prefix + require_name(root)

    def _meet(self) -> None:
        """Before the first use: the storage of before, and one that makes no keys by chance."""
        if self._met:
            return
        self._same()
        if self._transit.makes_keys_by_chance():
            raise Unavailable(
                "The transit engine makes a key when an unknown one is used. Turn that off: "
                "bao write <mount>/config/keys disable_upsert=true.",
                code="openbao-upsert",
            )
        self._met = True

    def _same(self) -> None:
        """Raises `Unavailable` unless it is the storage that was used before; said after a look that found nothing."""
        self._binding.require([self._transit.cluster()])

    def _require(self, name: str) -> None:
        """Raises `Gone` when there is no such key."""
        if self._transit.read(name) is None:
            self._same()
            raise gone()

    def _accepted(self, act: Callable[[], Result]) -> Result:
        try:
            return act()
        except Rejected:
            raise _refused() from None


def _refused() -> Unavailable:
    return Unavailable(
        "The key service refused a request that it should take; check its version.", code="openbao-refused"
    )
