"""Signing keys on a PKCS#11 token: made in it, never given out. Assurance A2 in hardware, A0 on a software token."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar

from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass
from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters

from troth.kernel.errors import TrothError
from troth.keys.roots.module import Lost, TokenPlace, Worker
from troth.keys.roots.pkcs11 import class_of, gives_out
from troth.keys.signers.port import gone, require_name, require_signature, taken, unfit

Result = TypeVar("Result")


class Pkcs11SigningKeys:
    """Implements `SigningKeys` on one token; keys are labelled `<prefix>/<name>`. Threads wait for each other."""

    kind = "pkcs11"

    def __init__(self, place: TokenPlace, prefix: str) -> None:
        self._place, self._prefix = place, prefix
        self._worker = Worker.of(place.library)
        self._met: set[str] = set()  # keys that were there: without them the token was away or exchanged

    @property
    def assurance(self) -> str:
        return self._on(lambda session: class_of(session.token))

    def create(self, name: str) -> None:
        label = self._label(name)
        self._on(lambda session: _create(session, label))

    def public_key(self, name: str) -> bytes:
        label = self._label(name)
        return self._on(lambda session: bytes(encode_ec_public_key(self._key(session, label, ObjectClass.PUBLIC_KEY))))

    def sign(self, name: str, message: bytes) -> bytes:
        label, digest = self._label(name), hashlib.sha256(message).digest()

        def job(session: Any) -> bytes:
            key = self._key(session, label, ObjectClass.PRIVATE_KEY)
            return bytes(key.sign(digest, mechanism=Mechanism.ECDSA))  # 2.3.1 of the mechanisms: r || s

        return require_signature(self._on(job))

    def _key(self, session: Any, label: str, kind: ObjectClass) -> Any:
        """On the worker's thread. Raises `Lost` for a key that was there before, `Gone` for one that was not."""
        found = _all(session, label, kind)
        if not found:
            raise Lost if label in self._met else gone()
        self._met.add(label)
        return found[0]

    def _label(self, name: str) -> str:
        return f"{self._prefix}/{require_name(name)}"

    def _on(self, job: Callable[[Any], Result]) -> Result:
        return self._worker.run(self._place, job)


# What follows runs on the worker's thread.


def _all(session: Any, label: str, kind: ObjectClass) -> list[Any]:
    return list(session.get_objects({Attribute.CLASS: kind, Attribute.LABEL: label}))


def _create(session: Any, label: str) -> None:
    if _all(session, label, ObjectClass.PRIVATE_KEY):
        raise taken()
    curve = {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
    public, private = session.create_domain_parameters(KeyType.EC, curve, local=True).generate_keypair(
        store=True,
        label=label,
        capabilities=MechanismFlag.SIGN | MechanismFlag.VERIFY,
        private_template={Attribute.EXTRACTABLE: False, Attribute.SENSITIVE: True, Attribute.PRIVATE: True},
    )
    refusal: TrothError | None = None
    if len(_all(session, label, ObjectClass.PRIVATE_KEY)) != 1:  # another process at the same moment
        refusal = taken()
    elif gives_out(private):
        refusal = unfit()
    if refusal is not None:
        private.destroy()
        public.destroy()
        raise refusal
