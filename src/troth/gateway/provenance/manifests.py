"""What a manifest store (C2PA 2.2, as the reader tells it) says, in a few words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

State = Literal["none", "invalid", "valid", "trusted"]
TimeStamp = Literal["none", "untrusted", "trusted"]

_MOST: Final = 24  # steps of a history; a longer one is told from its newest end
_LONGEST: Final = 64  # characters of a name that somebody else wrote


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a picture's content credentials say.

    Attributes: `state` (`none`: no credentials; `invalid`: changed since or badly signed; `valid`: intact, signer not
    known to us; `trusted`: intact, signed by this deployment), `source` (IPTC term of the newest action that has one),
    `issuer` (organisation of the signing certificate), `generator`, `actions` (oldest first), `ingredients` (how many
    pictures it was made from), `problems` (C2PA status codes of the failures), `history` (what was done, through all
    parents, oldest first, as "who: what (source)"), `signed_at` (ISO 8601, by a time stamp of RFC 3161; None without),
    `time_stamp` (whether we know the authority of that stamp), `signer_class` (of `trusted`: where the signing key is:
    A2 in hardware, A1 in a key service, A0 in a file).
    """

    state: State
    source: str | None = None
    issuer: str | None = None
    generator: str | None = None
    actions: tuple[str, ...] = ()
    ingredients: int = 0
    problems: tuple[str, ...] = ()
    history: tuple[str, ...] = ()
    signed_at: str | None = None
    time_stamp: TimeStamp = "none"
    signer_class: str | None = None

    @property
    def valid(self) -> bool:
        """Whether there are credentials and the picture is exactly what was signed."""
        return self.state in {"valid", "trusted"}


def summary(store: Mapping[str, Any]) -> Provenance:
    """The store in short.

    Raises KeyError, TypeError, AttributeError or ValueError for one that is not built as it should.
    """
    manifest = store["manifests"][store["active_manifest"]]
    actions = _actions(manifest)
    sources = [str(action["digitalSourceType"]) for action in actions if "digitalSourceType" in action]
    state = str(store.get("validation_state", "Invalid")).lower()
    results = store.get("validation_results", {}).get("activeManifest", {})
    codes = {str(one["code"]) for kind in ("success", "informational", "failure") for one in results.get(kind, ())}
    signature = manifest.get("signature_info", {})
    stamped = "timeStamp.validated" in codes
    return Provenance(
        state="trusted" if state == "trusted" else "valid" if state == "valid" else "invalid",
        source=_term(sources[-1]) if sources else None,
        issuer=signature.get("issuer"),
        generator=_generator(manifest),
        actions=tuple(str(action["action"]) for action in actions),
        ingredients=len(manifest.get("ingredients", ())),
        problems=tuple(sorted({str(failure["code"]) for failure in results.get("failure", ())})),
        history=tuple(reversed(list(_history(store)))),
        signed_at=signature.get("time") if stamped else None,
        time_stamp="none" if not stamped else "trusted" if "timeStamp.trusted" in codes else "untrusted",
    )


def _history(store: Mapping[str, Any]) -> Iterator[str]:
    """Newest first, along the parents."""
    label, seen = store.get("active_manifest"), 0
    while label in store["manifests"] and seen < _MOST:
        manifest = store["manifests"][label]
        for action in reversed(_actions(manifest)):
            source = action.get("digitalSourceType")
            what = str(action["action"]).removeprefix("c2pa.")[:_LONGEST]
            yield f"{_generator(manifest) or 'unknown'}: {what}" + (f" ({_term(str(source))})" if source else "")
        parents = [one for one in manifest.get("ingredients", ()) if one.get("relationship") == "parentOf"]
        label, seen = (parents[0].get("active_manifest") if parents else None), seen + 1


def _actions(manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [
        action
        for assertion in manifest.get("assertions", ())
        if str(assertion["label"]).startswith("c2pa.actions")
        for action in assertion["data"]["actions"]
    ]


def _generator(manifest: Mapping[str, Any]) -> str | None:
    name = (manifest.get("claim_generator_info") or [{}])[0].get("name")
    return None if name is None else str(name)[:_LONGEST]


def _term(address: str) -> str:
    return address.rpartition("/")[2][:_LONGEST]
