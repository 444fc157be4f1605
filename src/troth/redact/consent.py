"""The consent gate of a data set: which rows may be used at all, and the consent that says so."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import rfc8785

from troth.kernel.errors import Invalid, Malformed, NotFound

# An id of a consent: letters with a digit or an underscore among them, no blanks. A bare number or date is none.
_ID = re.compile(r"(?=.*[A-Za-z])(?=.*[0-9_])[A-Za-z0-9][A-Za-z0-9._:-]{2,199}")
# Words that answer or doubt; an id does not hold them, a hand-made column may (`not_given`, `yes_1`).
_WORDS = frozenset(
    "yes y no n on off true false ok not never none null nil na nan unknown undefined pending maybe denied declined "
    "refused rejected withdrawn withdrew revoked expired opt opted out".split()
)


class ConsentGate(Protocol):
    """Decides on rows. Must be picklable: worker processes ask it too."""

    @property
    def fields(self) -> frozenset[str]:
        """Fields that only the gate needs; they are not written to the training set."""

    def consented(self, row: Mapping[str, Any]) -> str | None:
        """The id of the consent that covers `row`, or None: then the row is left out."""

    def lacking(self) -> str:
        """One sentence that says what no row had, for the refusal of a set of which nothing is kept."""

    def digest(self) -> str:
        """SHA-256 (hex) over everything that decides, for the manifest and for resuming."""

    def basis(self) -> str:
        """One sentence for the manifest."""


def _digest(*facts: object) -> str:
    return hashlib.sha256(rfc8785.dumps(list(facts))).hexdigest()  # type: ignore[arg-type]


@dataclass(frozen=True)
class ConsentRegister:
    """Consent by subject: a row counts when its subject has a consent that stands."""

    subject_field: str
    consent_of: Mapping[str, str]

    @property
    def fields(self) -> frozenset[str]:
        """The subject's column."""
        return frozenset({self.subject_field})

    def consented(self, row: Mapping[str, Any]) -> str | None:
        """The subject's consent id."""
        subject = row.get(self.subject_field)
        return self.consent_of.get(str(subject)) if isinstance(subject, (str, int)) else None

    def lacking(self) -> str:
        """Subject and register."""
        return f"The field {self.subject_field!r} of no row names a subject whose consent stands on the register."

    def digest(self) -> str:
        """Over the field and the whole register."""
        return _digest("register", self.subject_field, dict(self.consent_of))

    def basis(self) -> str:
        """By register."""
        return f"consent of the subject, {len(self.consent_of)} consents on the register"


@dataclass(frozen=True)
class ConsentFlag:
    """Consent in the row itself: `true`, or the id of the consent."""

    flag_field: str
    subject_field: str | None = None

    @property
    def fields(self) -> frozenset[str]:
        """The flag's column, and the subject's if named."""
        return frozenset({self.flag_field} | ({self.subject_field} if self.subject_field else set()))

    def consented(self, row: Mapping[str, Any]) -> str | None:
        """Only `true` and a text shaped like an id count: letters with a digit or an underscore, no blanks, no word
        such as yes or no. Numbers, other texts and a missing field do not."""
        flag = row.get(self.flag_field)
        if flag is True:
            return "flag"
        if not isinstance(flag, str) or not _ID.fullmatch(flag) or _WORDS & set(re.split(r"[._:-]", flag.lower())):
            return None
        return flag

    def lacking(self) -> str:
        """The flag."""
        return f"The field {self.flag_field!r} of no row is true or the id of a consent."

    def digest(self) -> str:
        """Over the names of the fields."""
        return _digest("flag/2", self.flag_field, self.subject_field)

    def basis(self) -> str:
        """By flag."""
        return "consent recorded in each row"


@dataclass(frozen=True)
class NoSubjects:
    """For data in which nobody has to be asked, such as public-domain text; the reason goes into the manifest."""

    reason: str

    def __post_init__(self) -> None:
        if len(self.reason.strip()) < 10:
            raise Invalid(
                "Say in a sentence why nobody has to be asked; it is written into the manifest.", field="reason"
            )

    @property
    def fields(self) -> frozenset[str]:
        """None."""
        return frozenset()

    def consented(self, row: Mapping[str, Any]) -> str | None:  # noqa: ARG002  the gate's shape
        """Always."""
        return "not-needed"

    def lacking(self) -> str:
        """Never asked: every row counts."""
        return "There is no row."

    def digest(self) -> str:
        """Over the reason."""
        return _digest("none", self.reason)

    def basis(self) -> str:
        """The reason."""
        return f"no consent needed: {self.reason.strip()}"


def read_register(path: Path, subject_field: str) -> ConsentRegister:
    """A register from JSON Lines `{"subject", "consent", "granted"}`; the last line on a subject decides.

    Raises NotFound, or Malformed naming the line.
    """
    consents: dict[str, str] = {}
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise NotFound("The consent file cannot be read.", code="consent-not-found") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            subject, consent, granted = str(entry["subject"]), str(entry["consent"]), entry["granted"]
        except (ValueError, KeyError, TypeError):
            raise Malformed(
                f"Line {number} of the consent file needs subject, consent and granted.", code="consent-malformed"
            ) from None
        if granted is True:
            consents[subject] = consent
        else:
            consents.pop(subject, None)
    return ConsentRegister(subject_field, consents)
