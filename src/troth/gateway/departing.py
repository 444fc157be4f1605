"""A request before it leaves: what is read of it, and what its receipt says of the way."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from troth.gateway.picture_step import PictureStep
from troth.gateway.redaction import Cleared, Places
from troth.gateway.restoring import unescaped
from troth.gateway.vendors.port import Attachment
from troth.gateway.vendors.record import Offer
from troth.gateway.vendors.router import Route


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request as the caller made it. `attachments`: pictures that travel beside the payload, to be changed.

    `shaped`: moves the members of a redacted payload to where the chosen offer wants them. `masked`: nothing comes
    back, so placeholders say what stood there and not which. `part`: of a request that takes several, from 1.
    """

    operation: str
    kind: str  # chat | image | embedding | ...
    model: str
    payload: dict[str, Any]
    places: Places
    attachments: tuple[Attachment, ...] = ()
    has_pictures: bool = False
    shaped: Callable[[dict[str, Any], Offer], dict[str, Any]] = lambda payload, _offer: payload
    masked: bool = False
    part: int = 0


def told(route: Route) -> dict[str, Any]:
    """What a receipt says of the way: who may step in and on which terms, and why the others may not."""
    stepping = [
        {
            "vendor": one.record.id,
            "regions": list(one.record.facts.regions),
            "retention": str(one.record.facts.retention),
            "retention_days": one.record.facts.retention_days,
        }
        for one in route.others
    ]
    return {"refused": dict(route.refused), "may_step_in": stepping}


def steps(
    wanted: Wanted, payload: dict[str, Any], by: tuple[str, str, str], step: PictureStep | None
) -> tuple[tuple[str, str], ...]:
    """What was done before the receipt is sealed, in order. `by`: vendor, moderation, detector."""
    vendor, moderation, detector = by
    done = [("vendor-admitted", vendor), ("input-moderated", moderation)]
    done += [("picture-metadata-removed", "intake")] if wanted.has_pictures else []
    done += [("pictures-covered", "vision")] if step else []
    done.append(("values-masked" if wanted.masked else "values-withheld", detector))
    named = wanted.payload.keys() & {"user", "safety_identifier", "seed"}
    done += [("identity-replaced", "pseudonyms")] if named else []
    done += [("translated", "chat")] if "messages" in payload.keys() - wanted.payload.keys() else []
    return tuple(done)


class Judge(Protocol):
    """Who reads what leaves; `moderation.Moderator` is one."""

    def check_all(self, texts: Iterable[str]) -> None:
        """All texts as one. Raises `Denied`."""
        ...


# Draft 2020-12: keywords that schemas of tools and answers use, and the names of types.
_SCHEMA = frozenset(
    "$defs $ref additionalProperties allOf anyOf array boolean const default definitions description enum format "
    "integer items maxItems maximum minItems minimum name null number object oneOf parameters pattern properties "
    "required schema strict string title type".split()
)


def judged(judge: Judge, payload: dict[str, Any], places: Places) -> None:
    """Read every text that a person wrote, and every name of a member that they made up. Raises `Denied`.

    Texts by themselves, so that no name comes between the halves of a phrase; names by themselves, each once; and
    where there are names both as they stand, for what begins in a name and goes on in its value; there the words of
    JSON Schema, which would stand between, are left out. `amounts.check_amount` bounds all of it.
    """
    written = list(_written(payload, places, ""))
    judge.check_all(text for text, named in written if not named)
    names = dict.fromkeys(text for text, named in written if named)
    if names:
        judge.check_all(names)
        judge.check_all(text for text, _ in written if text not in _SCHEMA)


def _written(value: Any, places: Places, path: str) -> Iterator[tuple[str, bool]]:
    """Every text in order, and (True) every name that is no constant of the API, before its value."""
    if path in places.fixed or isinstance(value, Cleared):
        return
    if isinstance(value, str):
        yield (unescaped(value) if path in places.json else value), False
    elif isinstance(value, dict):
        for key, one in value.items():
            if path and key not in constants(places):
                yield key, True
            yield from _written(one, places, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for one in value:
            yield from _written(one, places, f"{path}.*")


@lru_cache(maxsize=8)
def constants(places: Places) -> frozenset[str]:
    """Names of members that are the API's own."""
    return places.words()


def without_pictures(value: Any) -> Any:
    """Inline pictures as digests: a receipt proves which picture left without keeping another copy."""
    if isinstance(value, dict):
        return {key: without_pictures(one) for key, one in value.items()}
    if isinstance(value, list):
        return [without_pictures(one) for one in value]
    if isinstance(value, str) and value.startswith("data:image/"):
        return f"sha256:{hashlib.sha256(value.encode()).hexdigest()}"
    return value
