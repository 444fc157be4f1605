"""Signs pictures with C2PA manifests and reads them back.

Nothing of the prompt, the user or the tenant goes inside: a manifest says what made the picture and whether it was
changed since. Thumbnails are off: by default the library would embed a picture of the unredacted original.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any, Final, Literal, NamedTuple, Protocol

from troth import __version__
from troth.gateway.intake.kinds import SVG
from troth.gateway.provenance.authority import Authority
from troth.gateway.provenance.kinds import MEDIA_TYPES, type_of
from troth.gateway.provenance.manifests import Provenance, summary
from troth.gateway.provenance.patience import Patience
from troth.kernel.clock import Clock, SystemClock
from troth.kernel.errors import IntegrityError, Malformed, TrothError, Unavailable, UnsupportedMedia

SourceType = Literal["algorithmicMedia", "trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"]
"""IPTC digital source types that a gateway can truthfully give; `algorithmicMedia` is made by rules, not by a model."""

SOURCE_TYPES: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/"

_STAMPING: Final = 16  # at once: as many as a server has threads for operations

_SETTINGS: Final[Mapping[str, Any]] = {
    "version": 1,
    # The thumbnail of an ingredient would carry the unredacted original into the edited picture.
    "builder": {"thumbnail": {"enabled": False}},
    # A manifest may name addresses; reading one never fetches them.
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": True},
}


class ClaimSigner(Protocol):
    """Who signs. `authority.Authority` is one, whose keys lie in a folder, on a token or in a key service."""

    @property
    def assurance(self) -> str:
        """Where the key is: A2 in hardware, A1 in a key service, A0 in a file."""
        ...

    @property
    def anchor(self) -> str:
        """The root certificate, PEM."""
        ...

    @property
    def chain(self) -> str:
        """The signing certificate and those above it, PEM."""
        ...

    def sign(self, message: bytes) -> bytes:
        """ES256 over `message`: 64 bytes r || s. Raises `Unavailable`."""
        ...


class Earlier(NamedTuple):
    """An authority that signed here before: its root (PEM), and where its keys were (A0 to A2)."""

    anchor: str
    assurance: str


@dataclass(frozen=True, slots=True)
class TimeStamps:
    """An RFC 3161 authority. `anchor`: its root (PEM) if it is to count as trusted; `required`: no stamp, no signature.

    The authority sees a digest of the signature and nothing of the picture. `seconds`: so long it may take.
    """

    url: str
    anchor: str = ""
    required: bool = True
    seconds: float = 15.0


class Signed(NamedTuple):
    """A signed file. `stamped`: with the word of a time stamp authority."""

    content: bytes
    stamped: bool


class _Holder:
    """The holder of the key as one signature meets it. `away`: why it did not sign."""

    def __init__(self, authority: ClaimSigner) -> None:
        self._authority = authority
        self.away: TrothError | None = None

    def sign(self, message: bytes) -> bytes:
        """Called by the library, which keeps what is raised to itself."""
        try:
            return self._authority.sign(message)
        except TrothError as error:
            self.away = error
            raise


class _Tools(NamedTuple):
    """The library, and whom it is to trust."""

    c2pa: Any
    ours: Any  # our own root alone
    context: Any
    before: list[tuple[Any, str]]  # (an earlier root, where its keys were)


class Credentials:
    """Content credentials of one deployment, signed by the certificate authority in its folder.

    The library is loaded for the first picture, or at once where there are roots of others to try.
    """

    def __init__(
        self,
        folder: Path,
        clock: Clock | None = None,
        *,
        signer: ClaimSigner | None = None,
        earlier: Sequence[Earlier] = (),
        stamps: TimeStamps | None = None,
    ) -> None:
        """`folder` is created on first use; with a `signer` of your own it is not used. What those of `earlier` signed
        is ours too, with the class of their keys.

        Raises `Unavailable` (no c2pa-python, keys unreadable or expired).
        """
        _require_library()
        self._clock = clock or SystemClock()
        self._authority: ClaimSigner = signer or Authority(folder, self._clock)
        self._earlier, self._stamps = tuple(earlier), stamps
        if stamps:
            self._patience = Patience(stamps.seconds, _STAMPING)
        self._lock = Lock()
        self._made: _Tools | None = None
        if stamps or self._earlier:
            self._tools()

    def _tools(self) -> _Tools:
        """Raises `Unavailable` (studio-missing)."""
        if (made := self._made) is None:
            with self._lock:
                made = self._made = self._made or self._opened()
        return made

    def _opened(self) -> _Tools:
        c2pa, anchor = _library(), self._authority.anchor

        def trusting(anchors: str) -> Any:
            settings = {**_SETTINGS, "trust": {"trust_anchors": anchors}}
            return c2pa.Context(c2pa.Settings.from_dict(settings))

        ours = trusting(anchor)
        # The library has one list of roots for stamps and for signers: `read` tells them apart.
        context = trusting(anchor + self._stamps.anchor) if self._stamps else ours
        return _Tools(c2pa, ours, context, [(trusting(one.anchor), one.assurance) for one in self._earlier])

    @property
    def anchor(self) -> str:
        """The root certificate (PEM) that a stranger gives an independent reader as its trust anchor."""
        return self._authority.anchor

    def sign(self, content: bytes, media_type: str, *, source: SourceType, parent: bytes | None = None) -> bytes:
        """The same picture with credentials inside. As `signed`, without the word on its time stamp."""
        return self.signed(content, media_type, source=source, parent=parent).content

    def signed(self, content: bytes, media_type: str, *, source: SourceType, parent: bytes | None = None) -> Signed:
        """The same picture with credentials inside (about 12 KB more).

        `parent` is the picture that was edited; it is named by digest, not copied. A picture that already has
        credentials becomes its own parent, so that a vendor's mark is never lost.
        Raises `UnsupportedMedia`, `Malformed` (not a picture of that type), `Unavailable` (signing failed).
        """
        _check(content, media_type)
        c2pa, origin = self._tools().c2pa, parent
        if parent is None and self.read(content, media_type).state != "none":
            origin = content
        verb = "c2pa.created" if origin is None else "c2pa.published" if parent is None else "c2pa.edited"
        action = {"action": verb, "digitalSourceType": SOURCE_TYPES + source}
        work = partial(self._sign, content, media_type, action, origin)
        if self._stamps:
            try:
                return Signed(self._patience.run(partial(self._with_stamp, work, media_type)), stamped=True)
            except (c2pa.C2paError, TimeoutError, OSError, IntegrityError) as error:
                if self._stamps.required:
                    raise _withheld() from error
        try:
            return Signed(work(None), stamped=False)
        except c2pa.C2paError as error:
            raise _withheld() from error

    def _with_stamp(self, work: Callable[[str], bytes], media_type: str) -> bytes:
        """Raises `IntegrityError` where the root of the authority is known and did not vouch for the stamp."""
        assert self._stamps is not None
        tools = self._tools()
        from troth.gateway.provenance.stamping import relay  # noqa: PLC0415  its server comes with the first stamp

        with relay(self._stamps.url, self._stamps.seconds, self._clock.now) as address:
            signed = work(address)
        if self._stamps.anchor and _told(tools, signed, media_type, tools.context).time_stamp != "trusted":
            raise IntegrityError("The time stamp is not of the authority on file: check its address and its root.")
        return signed

    def _sign(
        self, content: bytes, media_type: str, action: Mapping[str, str], parent: bytes | None, stamps: str | None
    ) -> bytes:
        """Raises `Unavailable` where the holder of the key is away, and what the library raises."""
        holder, tools = _Holder(self._authority), self._tools()
        manifest = {
            "claim_generator_info": [{"name": "Troth", "version": __version__}],
            "format": media_type,
            "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}],
        }
        signed = io.BytesIO()
        with tools.c2pa.Builder(manifest, context=tools.context) as builder:
            if parent is not None:
                builder.set_intent(tools.c2pa.C2paBuilderIntent.EDIT)
                relation = {"relationship": "parentOf"}
                builder.add_ingredient(relation, type_of(parent) or SVG, io.BytesIO(parent))
            try:
                with self._signer(tools.c2pa, holder, stamps) as signer:
                    builder.sign(signer, media_type, io.BytesIO(content), signed)
            except tools.c2pa.C2paError as fault:
                if holder.away is None:
                    raise
                advice = f"The picture is withheld, for it cannot be signed. {holder.away.advice}"
                raise Unavailable(advice, code=holder.away.code) from fault
        return signed.getvalue()

    def _signer(self, c2pa: Any, holder: _Holder, stamps: str | None) -> Any:
        """One signature's own: threads share nothing of it."""
        return c2pa.Signer.from_callback(holder.sign, c2pa.C2paSigningAlg.ES256, self._authority.chain, stamps)

    def read(self, content: bytes, media_type: str) -> Provenance:
        """What the credentials say, good or bad. Raises `UnsupportedMedia`, `Malformed` (not that type of picture)."""
        _check(content, media_type)
        tools = self._tools()
        found = _told(tools, content, media_type, tools.context)
        if found.state == "trusted" and tools.context is not tools.ours:
            ours = _told(tools, content, media_type, tools.ours)
            if ours.state != "trusted":  # the root of the stamps vouches for times, never for who signed
                found = replace(found, state=ours.state)
        if found.state == "trusted":
            return replace(found, signer_class=self._authority.assurance)
        if found.state == "valid":
            for context, assurance in tools.before:
                if _told(tools, content, media_type, context).state == "trusted":
                    return replace(found, state="trusted", signer_class=assurance)
        return found

    def verify(self, content: bytes, media_type: str) -> Provenance:
        """Like `read`, but raises `IntegrityError` unless this deployment signed exactly this picture."""
        found = self.read(content, media_type)
        if found.state != "trusted":
            raise IntegrityError(
                "The content credentials do not hold: the picture was changed, or somebody else made it.",
                code=f"credentials-{found.state}",
            )
        return found


def _told(tools: _Tools, content: bytes, media_type: str, context: Any) -> Provenance:
    try:
        with tools.c2pa.Reader(media_type, io.BytesIO(content), context=context) as reader:
            return summary(json.loads(reader.json()))
    except tools.c2pa.C2paError.ManifestNotFound:
        return Provenance("none")
    except (tools.c2pa.C2paError, ValueError, KeyError, TypeError, AttributeError):
        # A manifest that is there but cannot be read proves nothing: that is a failure, not an absence.
        return Provenance("invalid", problems=("manifest.unreadable",))


def _require_library() -> None:
    """Raises `Unavailable` where it is not installed: said at the start, not at the first picture."""
    if find_spec("c2pa") is None:
        raise _missing()


def _library() -> Any:
    try:
        import c2pa  # noqa: PLC0415  53 MB of native code that only a generating server needs
    except (ImportError, OSError, RuntimeError) as error:  # the package raises any of them without its native part
        raise _missing() from error
    return c2pa


def _missing() -> Unavailable:
    return Unavailable(
        "Content credentials need an extra: pip install 'troth[studio]', then start the server again.",
        code="studio-missing",
    )


def _withheld() -> Unavailable:
    return Unavailable(
        "Content credentials could not be added, so the picture is withheld: try again later.",
        code="credentials-failed",
    )


def _check(content: bytes, media_type: str) -> None:
    if media_type not in MEDIA_TYPES:
        raise UnsupportedMedia(
            "Content credentials are for PNG, JPEG, WebP, GIF and SVG pictures, MP4 videos and PDF.",
            code="unsupported-media",
        )
    if media_type != type_of(content):
        raise Malformed("The bytes are not a picture of the declared type.", code="content-type-mismatch")
