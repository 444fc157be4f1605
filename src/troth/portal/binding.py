"""Whether the device answers for a browser's session, and what the page does about it.

The script makes a key that cannot be exported, binds the fresh session to it, and renews the cookie that stands for the
device. A browser that binds sessions itself (Device Bound Session Credentials) is asked to by a header.
"""

from __future__ import annotations

from troth.identity.devices.bindings import BINDABLE_MS
from troth.kernel.caller import Caller

NATIVE_BIND, NATIVE_CONFIRM = "/device/native", "/device/native/confirm"
UNBOUND = "device-unbound"  # code of the refusal of what only a confirmed device reaches
_PEOPLE = frozenset({"user", "operator"})


def unconfirmed(caller: Caller) -> bool:
    """True for a session that is bound, by a request that shows no sign of its device: the cookies may be copied."""
    return caller.device.bound is None and caller.device.thumbprint is not None


def bindable(caller: Caller) -> bool:
    """True for a session of a person that no key answers for, and still may."""
    unbound = caller.kind in _PEOPLE and caller.device.bound is None and caller.device.thumbprint is None
    return unbound and caller.authentication.age_seconds * 1000 < BINDABLE_MS


def task(caller: Caller | None) -> str:
    """What the script has to do on a page for this caller; "" for nothing."""
    if caller is None:
        return ""
    if bindable(caller):
        return "bind"
    if unconfirmed(caller):
        return "confirm"
    return "keep" if caller.device.bound == "webcrypto" else ""


def registration(challenge: str) -> str:
    """The header by which a browser is asked to bind the session itself."""
    return f'(ES256);path="{NATIVE_BIND}";challenge="{challenge}"'
