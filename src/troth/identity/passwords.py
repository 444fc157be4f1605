"""Passwords by NIST SP 800-63B-4 section 3.1.1 and RFC 9106 (argon2id): long rather than mixed, never on the list.

No composition rules and no forced change; any Unicode, normalised (NFKC); context words do not count towards length.
"""

from __future__ import annotations

import secrets
import threading
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type

from troth.identity.blocklist import BlockList
from troth.kernel.errors import Invalid, Unauthenticated

# SP 800-63B-4 section 3.1.1.2: at least 15 characters alone, at least 8 beside a second factor, at least 64 permitted.
MINIMUM_LENGTH_ALONE = 15
MINIMUM_LENGTH_WITH_SECOND_FACTOR = 8  # the one that holds: Troth always asks for the second factor
MAXIMUM_LENGTH = 256
_CONTEXT_WORD = 4  # shorter words occur in good passwords by chance
_ISSUED_SYMBOLS = "abcdefghjkmnpqrstuvwxyz23456789"  # no letter that looks like a digit
_ISSUED_GROUPS, _ISSUED_GROUP = 4, 5  # 20 symbols, 98 bits
_AT_ONCE = 4  # hashes in flight: bounds the memory that strangers can make us use


@dataclass(frozen=True, slots=True)
class Argon2Profile:
    """Parameters of argon2id: `memory_kib` of memory, `passes` over it, `lanes`."""

    memory_kib: int
    passes: int
    lanes: int


# OWASP Password Storage Cheat Sheet, argon2id: equal defence, memory traded for time. 52 ms on the reference machine.
OWASP_19_MIB = Argon2Profile(memory_kib=19 * 1024, passes=2, lanes=1)
OWASP_46_MIB = Argon2Profile(memory_kib=46 * 1024, passes=1, lanes=1)
# RFC 9106 section 4, second recommended option.
RFC9106_LOW_MEMORY = Argon2Profile(memory_kib=64 * 1024, passes=3, lanes=4)


class Passwords:
    """Accepts, hashes and verifies passwords. Safe to call from many threads."""

    def __init__(self, profile: Argon2Profile = OWASP_19_MIB, blocked: BlockList | None = None) -> None:
        self._hasher = PasswordHasher(profile.passes, profile.memory_kib, profile.lanes, 32, 16, type=Type.ID)
        self._blocked = blocked or BlockList.shipped()
        self._slots = threading.BoundedSemaphore(_AT_ONCE)
        self.nobody = self._hasher.hash(secrets.token_hex(32))
        """Verified when there is no such user, so that it takes the same time."""

    def accept(self, password: str, context: Iterable[str] = (), *, alone: bool = False) -> str:
        """The PHC string to store for a new password; `alone` when no second factor stands beside it yet.

        `context` are words near the person: names of the tenant, the service, parts of the e-mail address.
        Raises `Invalid` with code `password-too-short`, `password-too-long`, `password-blocked` or `password-context`.
        """
        normal = normalised(password)
        least = MINIMUM_LENGTH_ALONE if alone else MINIMUM_LENGTH_WITH_SECOND_FACTOR
        _check_length(normal, least)
        if normal in self._blocked or _is_pattern(normal):
            raise Invalid(
                "This password is among those that attackers try first; choose another, for example several words.",
                code="password-blocked",
                field="password",
            )
        _check_context(normal, context, least)
        return self._hash(normal)

    def issue(self) -> tuple[str, str]:
        """A fresh random password and its PHC string."""
        groups = ("".join(secrets.choice(_ISSUED_SYMBOLS) for _ in range(_ISSUED_GROUP)) for _ in range(_ISSUED_GROUPS))
        password = "-".join(groups)
        return password, self._hash(password)

    def verify(self, stored: str | None, password: str) -> str | None:
        """Check a password; `stored` None (no such user) takes as long and fails.

        Gives a new PHC string when the parameters have changed since, else None. Raises `Unauthenticated`.
        """
        normal = normalised(password)
        try:
            with self._slots:
                self._hasher.verify(stored or self.nobody, normal[:MAXIMUM_LENGTH])
        except (VerificationError, InvalidHashError) as error:
            raise wrong_password() from error
        if stored is None or len(normal) > MAXIMUM_LENGTH:
            raise wrong_password()
        return self._hash(normal) if self._hasher.check_needs_rehash(stored) else None

    def _hash(self, normal: str) -> str:
        with self._slots:
            return self._hasher.hash(normal)


def normalised(password: str) -> str:
    """The form that is measured and hashed: Unicode NFKC (SP 800-63B-4 section 3.1.1.2).

    Raises `Invalid` for half of a surrogate pair, which has no UTF-8 form.
    """
    if any(unicodedata.category(character) == "Cs" for character in password):
        raise Invalid("The password is not valid Unicode; type it again.", code="password-unreadable", field="password")
    return unicodedata.normalize("NFKC", password)


def wrong_password() -> Unauthenticated:
    """The one refusal for a wrong password, whoever it was for."""
    return Unauthenticated("The password is not right.", code="wrong-password")


def _check_length(normal: str, least: int) -> None:
    if len(normal) < least:
        raise Invalid(
            f"Choose a password of at least {least} characters here; longer is better.",
            code="password-too-short",
            field="password",
        )
    if len(normal) > MAXIMUM_LENGTH:
        raise Invalid(
            f"A password has at most {MAXIMUM_LENGTH} characters.", code="password-too-long", field="password"
        )


def _check_context(normal: str, context: Iterable[str], least: int) -> None:
    rest = normal.casefold()
    for word in sorted({word.casefold() for word in context}, key=len, reverse=True):
        if len(word) >= _CONTEXT_WORD:
            rest = rest.replace(word, "")
    if len(rest) < least:
        raise Invalid(
            "Names of the service, of your organisation or of yourself do not count; choose other words.",
            code="password-context",
            field="password",
        )


def _is_pattern(normal: str) -> bool:
    """One or two characters over and over, or a run such as 23456789 or hgfedcba."""
    steps = {ord(after) - ord(before) for before, after in pairwise(normal)}
    return len(set(normal)) <= 2 or steps in ({1}, {-1})
