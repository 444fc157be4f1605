"""Signs pictures with C2PA manifests and reads them back.

Nothing of the prompt, the user or the tenant goes inside: a manifest says what made the picture and whether it was
changed since. Thumbnails are off: by default the library would embed a picture of the unredacted original.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from troth import __version__
from troth.gateway.intake.kinds import IMAGES, SVG, image_type
from troth.gateway.provenance.authority import LocalAuthority
from troth.kernel.clock import Clock, SystemClock
from troth.kernel.errors import IntegrityError, Malformed, Unavailable, UnsupportedMedia

State = Literal["none", "invalid", "valid", "trusted"]
SourceType = Literal["algorithmicMedia", "trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"]
"""IPTC digital source types that a gateway can truthfully give; `algorithmicMedia` is made by rules, not by a model."""

SOURCE_TYPES: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/"
MEDIA_TYPES: Final = IMAGES | {SVG}

_SETTINGS: Final[Mapping[str, Any]] = {
    "version": 1,
    # The thumbnail of an ingredient would carry the unredacted original into the edited picture.
    "builder": {"thumbnail": {"enabled": False}},
    # A manifest may name addresses; reading one never fetches them.
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": True},
}


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a picture's content credentials say.

    Attributes: `state` (`none`: no credentials; `invalid`: changed since or badly signed; `valid`: intact, signer not
    known to us; `trusted`: intact, signed by this deployment), `source` (IPTC term of the newest action that has one),
    `issuer` (organisation of the signing certificate), `generator`, `actions` (oldest first), `ingredients` (how many
    pictures it was made from), `problems` (C2PA status codes of the failures).
    """

    state: State
    source: str | None = None
    issuer: str | None = None
    generator: str | None = None
    actions: tuple[str, ...] = ()
    ingredients: int = 0
    problems: tuple[str, ...] = ()

    @property
    def valid(self) -> bool:
        """Whether there are credentials and the picture is exactly what was signed."""
        return self.state in {"valid", "trusted"}


class Credentials:
    """Content credentials of one deployment, signed by the certificate authority in its folder."""

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        """`folder` is created on first use. Raises `Unavailable` (no c2pa-python, keys unreadable or expired)."""
        self._c2pa = _library()
        self._authority = LocalAuthority(folder, clock or SystemClock())
        trust = {"trust_anchors": self._authority.anchor}
        self._context = self._c2pa.Context(self._c2pa.Settings.from_dict({**_SETTINGS, "trust": trust}))
        self._signer = self._c2pa.Signer.from_callback(
            self._authority.sign, self._c2pa.C2paSigningAlg.ES256, self._authority.chain
        )

    @property
    def anchor(self) -> str:
        """The root certificate (PEM) that a stranger gives an independent reader as its trust anchor."""
        return self._authority.anchor

    def sign(self, content: bytes, media_type: str, *, source: SourceType, parent: bytes | None = None) -> bytes:
        """The same picture with credentials inside (about 12 KB more).

        `parent` is the picture that was edited; it is named by digest, not copied. A picture that already has
        credentials becomes its own parent, so that a vendor's mark is never lost.
        Raises `UnsupportedMedia`, `Malformed` (not a picture of that type), `Unavailable` (signing failed).
        """
        _check(content, media_type)
        origin = parent
        if parent is None and self.read(content, media_type).state != "none":
            origin = content
        verb = "c2pa.created" if origin is None else "c2pa.published" if parent is None else "c2pa.edited"
        try:
            return self._sign(content, media_type, {"action": verb, "digitalSourceType": SOURCE_TYPES + source}, origin)
        except self._c2pa.C2paError as error:
            raise Unavailable(
                "Content credentials could not be added, so the picture is withheld: try again later.",
                code="credentials-failed",
            ) from error

    def _sign(self, content: bytes, media_type: str, action: Mapping[str, str], parent: bytes | None) -> bytes:
        manifest = {
            "claim_generator_info": [{"name": "Troth", "version": __version__}],
            "format": media_type,
            "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}],
        }
        signed = io.BytesIO()
        with self._c2pa.Builder(manifest, context=self._context) as builder:
            if parent is not None:
                builder.set_intent(self._c2pa.C2paBuilderIntent.EDIT)
                relation = {"relationship": "parentOf"}
                builder.add_ingredient(relation, image_type(parent) or SVG, io.BytesIO(parent))
            builder.sign(self._signer, media_type, io.BytesIO(content), signed)
        return signed.getvalue()

    def read(self, content: bytes, media_type: str) -> Provenance:
        """What the credentials say, good or bad. Raises `UnsupportedMedia`, `Malformed` (not that type of picture)."""
        _check(content, media_type)
        try:
            with self._c2pa.Reader(media_type, io.BytesIO(content), context=self._context) as reader:
                return _summary(json.loads(reader.json()))
        except self._c2pa.C2paError.ManifestNotFound:
            return Provenance("none")
        except (self._c2pa.C2paError, ValueError, KeyError, TypeError, AttributeError):
            # A manifest that is there but cannot be read proves nothing: that is a failure, not an absence.
            return Provenance("invalid", problems=("manifest.unreadable",))

    def verify(self, content: bytes, media_type: str) -> Provenance:
        """Like `read`, but raises `IntegrityError` unless this deployment signed exactly this picture."""
        found = self.read(content, media_type)
        if found.state != "trusted":
            raise IntegrityError(
                "The content credentials do not hold: the picture was changed, or somebody else made it.",
                code=f"credentials-{found.state}",
            )
        return found


def _library() -> Any:
    try:
        import c2pa  # noqa: PLC0415  53 MB of native code that only a generating server needs
    except ImportError as error:
        raise Unavailable(
            "Content credentials need an extra: pip install 'troth[studio]', then start the server again.",
            code="studio-missing",
        ) from error
    return c2pa


def _check(content: bytes, media_type: str) -> None:
    if media_type not in MEDIA_TYPES:
        raise UnsupportedMedia(
            "Content credentials are for PNG, JPEG, WebP and SVG pictures.", code="unsupported-media"
        )
    matches = b"<svg" in content[:4096] if media_type == SVG else image_type(content) == media_type
    if not matches:
        raise Malformed("The bytes are not a picture of the declared type.", code="content-type-mismatch")


def _summary(store: Mapping[str, Any]) -> Provenance:
    manifest = store["manifests"][store["active_manifest"]]
    actions = [
        action
        for assertion in manifest.get("assertions", ())
        if str(assertion["label"]).startswith("c2pa.actions")
        for action in assertion["data"]["actions"]
    ]
    sources = [str(action["digitalSourceType"]) for action in actions if "digitalSourceType" in action]
    generators = manifest.get("claim_generator_info") or [{}]
    state = str(store.get("validation_state", "Invalid")).lower()
    failures = store.get("validation_results", {}).get("activeManifest", {}).get("failure", ())
    return Provenance(
        state="trusted" if state == "trusted" else "valid" if state == "valid" else "invalid",
        source=sources[-1].rpartition("/")[2] if sources else None,
        issuer=manifest.get("signature_info", {}).get("issuer"),
        generator=generators[0].get("name"),
        actions=tuple(str(action["action"]) for action in actions),
        ingredients=len(manifest.get("ingredients", ())),
        problems=tuple(sorted({str(failure["code"]) for failure in failures})),
    )
