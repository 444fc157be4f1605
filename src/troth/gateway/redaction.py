"""What leaves and what comes back: a walk over every string of a request that lets nothing through unread.

Deny by default: a place is left alone only when it stands in `fixed` (its values are checked against a closed list by
the wire models). Everything else is read by the detector: texts, numbers in free JSON, keys, names, and the JSON inside
tool-call arguments. A failing detector stops the request (`Unavailable`, code detector-down).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, cast

from troth.gateway.restoring import Restorer, well_formed
from troth.kernel.errors import Unavailable
from troth.redact.detect import Detector
from troth.redact.policy import Policy
from troth.redact.tokens import StreamRestorer, TokenMap

# What a broken detector raises. Anything else ends the request as well, as an internal fault.
_FAULTS = (ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError, OSError, RuntimeError, TypeError,
           ValueError)  # fmt: skip


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
    """Begins a redaction for each request. `secret`: 32 bytes, for pseudonyms that stay the same for a tenant."""

    def __init__(self, detector: Detector, policy: Policy, secret: bytes) -> None:
        self._detector = detector
        self._policy = policy
        self._secret = secret

    @property
    def version(self) -> str:
        """What found and what decided, for receipts."""
        return f"{self._detector.version}/{self._policy.name}-{self._policy.version}"

    def begin(self) -> Redaction:
        """A fresh map of placeholders; it must be closed when the answer is out."""
        return Redaction(TokenMap(self._detector, self._policy))

    def pseudonym(self, tenant: str, value: str) -> str:
        """What a vendor gets in place of `user`: the same for the same person, nothing to anybody else."""
        return f"u-{self._digest(tenant, value).hex()[:32]}"

    def seed(self, tenant: str, value: int) -> int:
        """A seed that repeats as the caller's does, but does not carry the caller's digits."""
        return int.from_bytes(self._digest(tenant, f"seed/{value}")[:4], "big") >> 1

    def _digest(self, tenant: str, value: str) -> bytes:
        return hmac.new(self._secret, f"{tenant}\0{value}".encode("utf-8", "surrogatepass"), hashlib.sha256).digest()


class Redaction:
    """One request's placeholders, both ways."""

    def __init__(self, tokens: TokenMap) -> None:
        self._tokens = tokens
        self._seen: dict[str, str] = {}
        self._alias_of: dict[str, str] = {}
        self._name_of: dict[str, str] = {}

    def redact(self, payload: dict[str, Any], places: Places) -> dict[str, Any]:
        """The payload as the vendor may see it. Raises `Unavailable` (detector-down): then nothing may be sent."""
        try:
            walked: dict[str, Any] = _Walk(self, places).value(payload, "")
        except _FAULTS as error:
            raise Unavailable("The detector of personal data does not work, so nothing was sent; try again later.",
                              code="detector-down") from error  # fmt: skip
        return walked

    def restore(self, value: Any) -> Any:
        """The same structure with the caller's own texts back in place, in strings and keys, but not in addresses."""
        if isinstance(value, str):
            return well_formed(self._name_of.get(value) or Restorer(self._tokens).restore(value))
        if isinstance(value, list):
            return [self.restore(one) for one in value]
        if isinstance(value, dict):
            return {Restorer(self._tokens).restore(key): self.restore(one) for key, one in value.items()}
        return value

    def restore_json(self, text: str) -> str:
        """The same for JSON inside a string: values come back escaped as JSON wants it."""
        value = _parsed(text)
        restored = self.restore(value)
        if restored != value:
            return json.dumps(restored, ensure_ascii=False)
        return Restorer(self._tokens, within_json=True).restore(text)

    def stream(self, *, within_json: bool = False) -> StreamRestorer:
        """A restorer for one text that arrives in pieces."""
        return StreamRestorer(cast(TokenMap, Restorer(self._tokens, within_json=within_json)))

    def counts(self) -> dict[str, int]:
        """How many values were withheld, by label."""
        counts = self._tokens.counts()
        return counts | ({"NAME": len(self._alias_of)} if self._alias_of else {})

    def close(self) -> None:
        """Forget every value."""
        self._tokens.close()
        for memory in (self._seen, self._alias_of, self._name_of):
            memory.clear()

    def text(self, text: str) -> str:
        """One text, redacted; equal texts are read once."""
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


class _Walk:
    def __init__(self, redaction: Redaction, places: Places) -> None:
        self._redaction = redaction
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
        return self._redaction.text(text)

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


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
