"""What leaves and what comes back: a walk over every string of a request that lets nothing through unread.

Deny by default: a place is left alone only when it stands in `fixed` (its values are checked against a closed list by
the wire models). Everything else is read by the detector: texts, numbers in free JSON, keys, names, and the JSON inside
tool-call arguments. The texts of a request are read as one document (`troth.redact.tokens`). A failing detector stops
the request (`Unavailable`, code detector-down).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol

from troth.gateway.restoring import PLACEHOLDER, Restorer, StreamedText
from troth.kernel.errors import Unavailable
from troth.kernel.watch import UNWATCHED, Kind, Watch, watched
from troth.redact.detect import Detector
from troth.redact.policy import Policy
from troth.redact.tokens import TokenMap

# What a broken detector raises. Anything else ends the request as well, as an internal fault.
_FAULTS = (ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError, OSError, RuntimeError, TypeError,
           ValueError)  # fmt: skip

_PROSE = ("messages.", "input")  # where texts follow one another
_SUFFIX = re.compile(r"_[a-z2-7]{10}(?:_[0-9]+)?>\Z")


class Cleared(str):
    """Text that the walk lets through: an inline picture that `intake` made. Nothing else may build one."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Places:
    """Paths in a request, list positions written as `*`."""

    fixed: frozenset[str]  # enumerations and typed numbers: left alone
    names: frozenset[str]  # vendors accept only letters, digits, _ and - here
    json: frozenset[str]  # JSON inside a string
    pictures: frozenset[str] = field(default_factory=frozenset)

    def words(self) -> frozenset[str]:
        """The field names in these paths: constants of OpenAI's API, so no detector need read them as keys."""
        paths = self.fixed | self.names | self.json | self.pictures
        return frozenset(word for path in paths for word in path.split("."))


class Redactor:
    """Begins a redaction for each request. `secret`: 32 bytes, for pseudonyms that stay the same for a tenant.

    `policy_of`: the policy of a tenant; without it `policy` holds for everybody.
    """

    def __init__(
        self,
        detector: Detector,
        policy: Policy,
        secret: bytes,
        policy_of: Callable[[str], Policy] | None = None,
        *,
        watch: Watch = UNWATCHED,
    ) -> None:
        self._watch = watch
        self._detector = detector
        self._policy_of = policy_of or (lambda _tenant: policy)
        self._secret = secret

    def begin(self, tenant: str = "") -> Redaction:
        """A fresh map of placeholders; it must be closed when the answer is out. Raises what the policy's own
        detectors raise, and what stands in the way of the tenant's policy: then nothing may be sent."""
        policy = self._policy_of(tenant)
        version = f"{self._detector.version}/{policy.name}-{policy.version}"
        return Redaction(TokenMap(self._detector, policy), version, watch=self._watch)

    def reading(self, tenant: str) -> tuple[Detector, Policy]:
        """What finds, and what decides, for a tenant: for what is read beside the texts. Raises as `begin`."""
        return self._detector, self._policy_of(tenant)

    def pseudonym(self, tenant: str, value: str) -> str:
        """What a vendor gets in place of `user`: the same for the same person, nothing to anybody else."""
        return f"u-{self._digest(tenant, value).hex()[:32]}"

    def seed(self, tenant: str, value: int) -> int:
        """A seed that repeats as the caller's does, but does not carry the caller's digits."""
        return int.from_bytes(self._digest(tenant, f"seed/{value}")[:4], "big") >> 1

    def _digest(self, tenant: str, value: str) -> bytes:
        return hmac.new(self._secret, f"{tenant}\0{value}".encode("utf-8", "surrogatepass"), hashlib.sha256).digest()


class Redaction:
    """One request's placeholders, both ways. `version`: what found and what decided, for receipts."""

    def __init__(self, tokens: TokenMap, version: str, *, watch: Watch = UNWATCHED) -> None:
        self._tokens = tokens
        self._watch = watch
        self.version = version
        self._seen: dict[str, str] = {}
        self._alias_of: dict[str, str] = {}
        self._name_of: dict[str, str] = {}
        self._returned: set[str] = set()

    def redact(self, payload: dict[str, Any], places: Places) -> dict[str, Any]:
        """The payload as the vendor may see it. Raises `Unavailable` (detector-down): then nothing may be sent."""
        with watched(self._watch, Kind.REDACTION, "request"):
            return self._redacted(payload, places)

    def _redacted(self, payload: dict[str, Any], places: Places) -> dict[str, Any]:
        try:
            heard = _Heard()
            _Walk(heard, places).value(payload, "")
            texts = list(heard.texts)
            self._seen |= zip(texts, self._tokens.redact_all(texts, heard.joins), strict=True)
            walked: dict[str, Any] = _Walk(self, places).value(payload, "")
        except _FAULTS as error:
            raise Unavailable("The detector of personal data does not work, so nothing was sent; try again later.",
                              code="detector-down") from error  # fmt: skip
        return walked

    def restore(self, value: Any) -> Any:
        """The same structure with the caller's own texts back in place, in strings and keys, but not in addresses."""
        if isinstance(value, str):
            return self._given_back(value)
        if isinstance(value, list):
            return [self.restore(one) for one in value]
        if isinstance(value, dict):
            return {self._given_back(key): self.restore(one) for key, one in value.items()}
        return value

    def _given_back(self, text: str) -> str:
        return Restorer(self._tokens, self._name_of, returned=self._returned).restore(text)

    def restore_json(self, text: str) -> str:
        """The same for JSON inside a string: values come back escaped as JSON wants it."""
        value = _parsed(text)
        restored = self.restore(value)
        if restored != value:
            return json.dumps(restored, ensure_ascii=False)
        return Restorer(self._tokens, self._name_of, within_json=True, returned=self._returned).restore(text)

    def stream(self, *, within_json: bool = False) -> StreamedText:
        """A restorer for one text that arrives in pieces."""
        return StreamedText(self._tokens, self._name_of, within_json=within_json, returned=self._returned)

    def masked(self, value: Any) -> Any:
        """A redacted structure whose placeholders say what stood there and no longer which: `<PERSON>`.

        For what never comes back: equal texts are then sent as equal texts, in this request and in the next.
        """
        if isinstance(value, str):
            known = self._tokens.placeholders()
            return PLACEHOLDER.sub(lambda m: _label(m.group()) if m.group() in known else m.group(), value)
        if isinstance(value, list):
            return [self.masked(one) for one in value]
        return {key: self.masked(one) for key, one in value.items()} if isinstance(value, dict) else value

    def counts(self) -> dict[str, int]:
        """How many values were withheld, by label."""
        counts = self._tokens.counts()
        return counts | ({"NAME": len(self._alias_of)} if self._alias_of else {})

    def returned(self) -> int:
        """How many different values were put back into the answer so far."""
        return len(self._returned)

    def close(self) -> None:
        """Forget every value."""
        self._tokens.close()
        self._returned.clear()
        for memory in (self._seen, self._alias_of, self._name_of):
            memory.clear()

    def text(self, text: str, *, prose: bool = False) -> str:
        """One text, redacted; equal texts are read once."""
        del prose
        known = self._seen.get(text)
        if known is None:
            known = self._seen[text] = self._tokens.redact(text)
        return known

    def name(self, name: str) -> str:
        """One name: placeholders are no names to a vendor, so a random alias takes their place."""
        if self.text(name) == name:
            return name
        if name not in self._alias_of:
            alias = f"n_{secrets.token_hex(8)}"
            self._alias_of[name], self._name_of[alias] = alias, name
        return self._alias_of[name]


class _Reader(Protocol):
    """What a walk hands the texts to. `prose`: what somebody says, one text after the other."""

    def text(self, text: str, *, prose: bool = False) -> str: ...

    def name(self, name: str) -> str: ...


class _Heard:
    """Only listens: every text of a request, once, in order, and which of them follow each other."""

    def __init__(self) -> None:
        self.texts: dict[str, int] = {}
        self.joins: list[tuple[int, int]] = []
        self._last = -1

    def text(self, text: str, *, prose: bool = False) -> str:
        number = self.texts.setdefault(text, len(self.texts))
        if prose:
            if self._last >= 0:
                self.joins.append((self._last, number))
            self._last = number
        return text

    def name(self, name: str) -> str:
        return self.text(name)


class _Walk:
    def __init__(self, reader: _Reader, places: Places) -> None:
        self._redaction = reader
        self._places = places
        self._words = _words(places)

    def value(self, value: Any, path: str) -> Any:
        if path in self._places.fixed:
            return value
        if isinstance(value, dict):
            return {self._key(key, path): self.value(one, f"{path}.{key}" if path else key)
                    for key, one in value.items()}  # fmt: skip
        if isinstance(value, list):
            return [self.value(one, f"{path}.*") for one in value]
        if isinstance(value, str):
            return self._string(value, path)
        return value if value is None or isinstance(value, bool) else self._number(value)

    def _string(self, text: str, path: str) -> str:
        if path in self._places.pictures and isinstance(text, Cleared):
            return str(text)
        if path in self._places.names:
            return self._redaction.name(text)
        if path in self._places.json:
            return self._json(text)
        return self._redaction.text(text, prose=path.startswith(_PROSE))

    def _json(self, text: str) -> str:
        """JSON is read as values first: escapes and numbers hide nothing. What is no JSON is read as text."""
        value = _parsed(text)
        walked = self.value(value, "free")
        if value is not None and walked != value:
            return json.dumps(walked, ensure_ascii=False)
        # The same key twice hides its first value from the reader above; the text as it stands is read as well.
        return self._redaction.text(text)

    def _key(self, key: str, path: str) -> str:
        return key if not path or key in self._words else self._redaction.text(key)

    def _number(self, number: float) -> Any:
        text = str(number)
        redacted = self._redaction.text(text)
        return number if redacted == text else redacted


@lru_cache(maxsize=8)
def _words(places: Places) -> frozenset[str]:
    return places.words()


def _label(placeholder: str) -> str:
    """`<PERSON>` of `<PERSON_k3f9q2mz7a_2>`."""
    return f"{_SUFFIX.sub('', placeholder)}>"


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
