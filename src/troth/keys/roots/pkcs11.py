"""A key domain on a PKCS#11 token (OASIS PKCS#11 2.40): AES-256 keys that the token never gives out.

Assurance A2 when the token says that it is hardware (CKF_HW_SLOT, section 3.2) and is none of the known software
tokens; A0 otherwise: SoftHSM keeps its keys in files, however well it speaks the interface. Sealed values are AES-GCM
(section 2.12 of the mechanisms) with a random 96-bit IV in front; a root seals a handful, so IVs are not counted.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass, SlotFlag
from pkcs11.exceptions import AttributeSensitive, AttributeTypeInvalid, PKCS11Error
from pkcs11.mechanisms import GCMParams

from troth.kernel.errors import Conflict, Unavailable
from troth.keys.roots.binding import Binding
from troth.keys.roots.module import Lost, TokenPlace, Worker
from troth.keys.roots.module_errors import MISSING, NOT_THE_TAG
from troth.keys.roots.port import FILES, HARDWARE, ROOT_NAME, broken_seal, gone, require_name

Result = TypeVar("Result")
_IV = 12  # bytes
_TAG = 16  # bytes
_SOFTWARE = ("softhsm", "softtok", "soft tok", "nss ", "kryoptic", "simulat", "emulat", "virtual")
_MARK = "mark-"
_EVIDENCE = {HARDWARE: "hardware-token,object-destroyed", FILES: "software-token,object-destroyed"}


class Pkcs11Root:
    """Implements `Root` on one token. Threads wait for each other; see `module` for why, and for forks."""

    kind = "pkcs11"

    def __init__(self, place: TokenPlace, binding: Binding, domain: str) -> None:
        self._place = place
        self._binding = binding
        self._domain = domain
        self._worker = Worker.of(place.library)
        self._prefix = f"troth/{domain}/"
        # Used on the worker's thread alone:
        self._session: Any = None
        self._met: Any = None  # the session after everything about it proved right
        self._mark = ""
        self._handles: dict[str, Any] = {}
        self._class = ""

    @property
    def domain(self) -> str:
        return self._domain

    @property
    def assurance(self) -> str:
        return self._class or self._on(lambda: self._class)

    def create(self, root: str) -> None:
        self._on(lambda: self._create(require_name(root)))

    def seal(self, root: str, plaintext: bytes, aad: bytes) -> bytes:
        return self._with(root, lambda key: _encrypt(key, plaintext, aad))

    def open(self, root: str, sealed: bytes, aad: bytes) -> bytes:
        return self._with(root, lambda key: _decrypt(key, sealed, aad))

    def destroy(self, root: str) -> str:
        self._on(lambda: self._destroy(require_name(root)))
        return _EVIDENCE[self.assurance]

    def present(self) -> list[str]:
        return sorted({label for label in self._on(self._labels) if ROOT_NAME.match(label)})

    def gives_out(self, root: str) -> bool:
        return self._with(root, gives_out)

    def _with(self, root: str, act: Callable[[Any], Result]) -> Result:
        return self._on(lambda: self._try(require_name(root), act))

    def _on(self, job: Callable[[], Result]) -> Result:
        def ready(session: Any) -> Result:
            if session is not self._met:
                self._meet(session)
            return job()

        return self._worker.run(self._place, ready)

    # What follows runs on the worker's thread.

    def _meet(self, session: Any) -> None:
        """A session that is new: the same token as ever? What class is it?"""
        self._session, self._handles = session, {}
        marks = [label for label in self._labels() if label.startswith(_MARK)]
        if not marks and not self._binding.made:
            marks = [_MARK + os.urandom(8).hex()]
            self._generate(marks[0])
        if not marks:
            raise Lost
        self._mark = self._binding.require(marks)
        self._class = class_of(session.token)
        self._met = session

    def _try(self, root: str, act: Callable[[Any], Result]) -> Result:
        try:
            return act(self._handle(root))
        except PKCS11Error as error:
            if type(error).__name__ not in MISSING:
                raise
        self._handles.pop(root, None)  # destroyed by another process, and made again under that name, or a stale handle
        return act(self._handle(root))

    def _handle(self, root: str) -> Any:
        if root not in self._handles:
            found = self._found(root)
            if not found:
                self._require_mark()
                raise gone()
            self._handles[root] = found[0]
        return self._handles[root]

    def _create(self, root: str) -> None:
        if self._found(root):
            raise _taken()
        self._require_mark()
        key = self._generate(root)
        if len(self._found(root)) != 1:  # another process at the same moment: names do not make keys unique in PKCS#11
            key.destroy()
            raise _taken()
        if gives_out(key):
            key.destroy()
            raise Unavailable("The token would give its keys out; use another token.", code="hsm-unfit")
        self._handles[root] = key

    def _destroy(self, root: str) -> None:
        for key in self._found(root):
            key.destroy()
        self._handles.pop(root, None)
        if self._found(root):
            raise Unavailable("A root could not be destroyed; try again.", code="key-not-destroyed")
        self._require_mark()

    def _require_mark(self) -> None:
        """Raises `Lost` unless the token still shows what it must: absence on a token that is away proves nothing."""
        if not self._found(self._mark):
            raise Lost

    def _found(self, name: str) -> list[Any]:
        wanted = {Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.LABEL: self._prefix + name}
        return list(self._session.get_objects(wanted))

    def _labels(self) -> list[str]:
        objects = list(self._session.get_objects({Attribute.CLASS: ObjectClass.SECRET_KEY}))
        labels = [_label(one) for one in objects]
        return [label.removeprefix(self._prefix) for label in labels if label.startswith(self._prefix)]

    def _generate(self, name: str) -> Any:
        kept = {Attribute.EXTRACTABLE: False, Attribute.SENSITIVE: True, Attribute.PRIVATE: True}
        return self._session.generate_key(
            KeyType.AES,
            256,
            label=self._prefix + name,
            store=True,
            capabilities=MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT,
            template=kept,
        )


def _encrypt(key: Any, plaintext: bytes, aad: bytes) -> bytes:
    iv = os.urandom(_IV)
    sealed: bytes = key.encrypt(plaintext, mechanism=Mechanism.AES_GCM, mechanism_param=GCMParams(iv, aad))
    return iv + sealed


def _decrypt(key: Any, sealed: bytes, aad: bytes) -> bytes:
    if len(sealed) < _IV + _TAG:
        raise broken_seal()
    parameters = GCMParams(sealed[:_IV], aad)
    try:
        opened: bytes = key.decrypt(sealed[_IV:], mechanism=Mechanism.AES_GCM, mechanism_param=parameters)
    except PKCS11Error as error:
        if type(error).__name__ in NOT_THE_TAG:
            raise
    else:
        return opened
    # SoftHSM answers CKR_GENERAL_ERROR to a wrong tag as to a broken token: a key that still works tells them apart.
    _encrypt(key, b"probe", aad)
    raise broken_seal()


def _label(one: Any) -> str:
    """Of any key on the token: others may share it, and theirs may have none, or one that is no text."""
    try:
        return str(one[Attribute.LABEL])
    except (AttributeTypeInvalid, UnicodeDecodeError):
        return ""


def gives_out(key: Any) -> bool:
    """True when the token hands over the key's bytes or says that it may be wrapped and taken away. On its thread."""
    try:
        value = key[Attribute.VALUE]
    except (AttributeSensitive, AttributeTypeInvalid):
        value = None
    return bool(value) or bool(key[Attribute.EXTRACTABLE]) or not key[Attribute.SENSITIVE]


def class_of(token: Any) -> str:
    """A2 or A0, by what the token says of itself. On the worker's thread."""
    slot = token.slot
    said = f"{token.manufacturer_id} {token.model} {slot.manufacturer_id} {slot.slot_description}".lower()
    hardware = SlotFlag.HW_SLOT in slot.flags and not any(name in said for name in _SOFTWARE)
    return HARDWARE if hardware else FILES


def _taken() -> Conflict:
    return Conflict("A root of that name exists already.", code="root-exists")
