"""What a PKCS#11 module's return values (OASIS PKCS#11 2.40, section 11.1) mean to a key domain. Pure.

Errors are told apart by their class name, so that nothing here needs the extra to be installed.
"""

from __future__ import annotations

from troth.kernel.errors import Unavailable

MISSING = frozenset({"ObjectHandleInvalid", "KeyHandleInvalid", "NoSuchKey"})
_PIN = frozenset({"PinIncorrect", "PinInvalid", "PinLenRange"})
_LOCKED = frozenset({"PinLocked", "PinExpired", "UserPinNotInitialized", "PinTooWeak"})
_TOKEN = frozenset({"NoSuchToken", "TokenNotPresent", "TokenNotRecognised", "SlotIDInvalid", "DeviceRemoved"})
_FULL = frozenset({"DeviceMemory", "HostMemory", "TokenWriteProtected", "SessionReadOnly"})
_UNFIT = frozenset(
    {"MechanismInvalid", "MechanismParamInvalid", "FunctionNotSupported", "TemplateInconsistent"}
    | {"TemplateIncomplete", "AttributeTypeInvalid", "AttributeValueInvalid", "KeyTypeInconsistent", "KeySizeRange"}
)
# Trying once more with a fresh session cannot help, and trying a PIN again may lock the token.
FINAL = _PIN | _LOCKED | _FULL | _UNFIT | {"MultipleTokensReturned"}
# A tag that does not hold has no return value of its own in many modules; these say that it was not the tag.
NOT_THE_TAG = FINAL | MISSING | _TOKEN | {"SessionHandleInvalid", "SessionClosed", "UserNotLoggedIn", "DeviceError"}

_SENTENCES: tuple[tuple[frozenset[str], str, str], ...] = (
    (
        _PIN,
        "hsm-pin",
        "The PIN in the PIN file is not the token's; correct the file. It is not tried again before, because tokens "
        "lock after a few wrong ones.",
    ),
    (_LOCKED, "hsm-pin-locked", "The token's PIN is locked, expired or not set; let its security officer reset it."),
    (_TOKEN, "hsm-token", "The token of a key domain is not there; connect it, and check its label in the settings."),
    (
        frozenset({"MultipleTokensReturned"}),
        "hsm-token-ambiguous",
        "Several tokens have the label of a key domain; give them different labels.",
    ),
    (_FULL, "hsm-full", "The token takes no more keys; free memory on it or make it writable."),
    (
        frozenset({"PKCS11Error"}),  # the binding's own: no library there, or one that is no PKCS#11 module
        "hsm-library",
        "The library of a key module cannot be loaded; check its path in the settings and that it is installed.",
    ),
    (_UNFIT, "hsm-unfit", "The token cannot keep AES-256 keys that it never gives out, or lacks AES-GCM."),
)


def refusal(error: Exception) -> Unavailable:
    """The typed refusal for an error of the module; carries nothing of its text."""
    name = type(error).__name__
    for names, code, sentence in _SENTENCES:
        if name in names:
            return Unavailable(sentence, code=code)
    return Unavailable(
        "The key module does not answer as it should; check that the token is there, then try again.",
        code="hsm-offline",
    )


def wrong_pin(error: Exception) -> bool:
    """True when the module refused the PIN."""
    return type(error).__name__ in _PIN


def last_try() -> Unavailable:
    """The refusal to spend the last try that a token has left (CKF_USER_PIN_FINAL_TRY, section 3.2)."""
    return Unavailable(
        "The token would lock after one more wrong PIN; sign in once by its own tool, which resets its count.",
        code="hsm-pin-last-try",
    )
