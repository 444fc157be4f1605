"""Where does this file come from? Answers for anybody, of what they bring, by layer; nothing is kept."""

from __future__ import annotations

from contextlib import closing
from itertools import chain
from threading import BoundedSemaphore
from typing import Final

from troth.gateway.intake.kinds import IMAGES
from troth.gateway.intake.malware import examine
from troth.gateway.moderation.hashes import NEAR
from troth.gateway.provenance.credentials import Credentials
from troth.gateway.provenance.fingerprints import Fingerprints, Likeness
from troth.gateway.provenance.kinds import type_of
from troth.gateway.provenance.looking import pictures
from troth.gateway.provenance.manifests import Provenance
from troth.gateway.provenance.watermark import FALSE_ALARMS, SMALLEST_SIDE, Found, Watermark
from troth.gateway.wire.provenance import (
    CredentialsLayer,
    FingerprintLayer,
    Layer,
    ProvenanceVerdict,
    VerifyProvenance,
    WatermarkLayer,
)
from troth.kernel.caller import Caller
from troth.kernel.errors import TooMany, UnsupportedMedia
from troth.kernel.operation import Call, Group, Route, operation

MAX_BYTES: Final = 32 << 20
_AT_ONCE: Final = 1  # looking costs up to five seconds of a processor: strangers get no more of it than that

_NO_PROOF: Final = "That does not say that no machine made it: marks can be lost or were never there."
_NOTHING: Final = f"Nothing was found. {_NO_PROOF}"
_UNKNOWN: Final = f"Nothing was found, but not every layer looked at everything; each says why. {_NO_PROOF}"


class Verifier:
    """Looks at files with the eyes of one deployment."""

    def __init__(self, credentials: Credentials, watermark: Watermark, fingerprints: Fingerprints) -> None:
        self._credentials = credentials
        self._watermark = watermark
        self._fingerprints = fingerprints
        self._turn = BoundedSemaphore(_AT_ONCE)

    def verify(self, content: bytes, caller: Caller) -> ProvenanceVerdict:
        """What each layer says; who asks counts for likeness only.

        Raises `UnsupportedMedia`, `Malformed`, `TooLarge`, `TooMany` (others are being looked at), `Unavailable`,
        `Invalid` (`malware-found`).
        """
        media_type = type_of(content)
        if media_type is None:
            raise UnsupportedMedia(
                "Send a PNG, JPEG, WebP, GIF or SVG picture, an MP4 video or a PDF.", code="unsupported-media"
            )
        if not self._turn.acquire(blocking=False):  # who waits here would hold threads that others need
            raise TooMany("Files of others are being looked at; try again in a minute.", code="busy")
        try:
            examine(content, picture=media_type in IMAGES)
            signed, marked = self._credentials.read(content, media_type), self._look(content, media_type)
            alike = self._compare(content, media_type, caller)
        finally:
            self._turn.release()
        return _verdict(media_type, signed, marked, alike)

    def _compare(self, content: bytes, media_type: str, caller: Caller) -> Likeness:
        with closing(pictures(content, media_type)) as views:
            return self._fingerprints.nearest(views, caller)

    def _look(self, content: bytes, media_type: str) -> Found | str:
        with closing(pictures(content, media_type)) as views:
            first = next(views, None)
            if first is None:
                return "A drawing, or a document without a picture, has no pixels that could carry a mark."
            if min(first.size) < SMALLEST_SIDE // 2:
                return (
                    f"Pictures under {SMALLEST_SIDE} pixels a side are not marked, and this one is under half of that."
                )
            second = next(views, None)
            if second is None:
                return self._watermark.find(first)
            return self._watermark.find_among(chain((first, second), views))


class ProvenanceOperations:
    """The public question about origins."""

    def __init__(self, verifier: Verifier) -> None:
        self._verifier = verifier

    @operation("provenance.verify", group=Group.PUBLIC, request=VerifyProvenance,
               route=Route("POST", "/v1/provenance/verify", body="multipart", max_bytes=MAX_BYTES))  # fmt: skip
    def verify(self, call: Call, request: VerifyProvenance) -> ProvenanceVerdict:
        """Say what a file's credentials, watermark and look tell about its origin; nothing of it is kept."""
        verdict = self._verifier.verify(request.file.content, call.caller)
        call.note(format=verdict.media_type, marked=len(verdict.matched))
        return verdict


def _verdict(media_type: str, signed: Provenance, marked: Found | str, alike: Likeness) -> ProvenanceVerdict:
    watermark = _watermark(marked)
    ours = signed.state == "trusted"
    matched: list[Layer] = []
    if signed.valid:
        matched.append("content-credentials")
    if watermark.found:
        matched.append("watermark")
    if alike.distance is not None:
        matched.append("fingerprint")
    return ProvenanceVerdict(
        media_type=media_type,
        made_here=True if ours or watermark.found else None,
        matched=tuple(matched),
        conclusion=_conclusion(signed, watermark, alike),
        content_credentials=CredentialsLayer(
            state=signed.state,
            source=signed.source,
            issuer=signed.issuer,
            generator=signed.generator,
            history=signed.history,
            ingredients=signed.ingredients,
            problems=signed.problems,
            signed_at=signed.signed_at,
            time_stamp=signed.time_stamp,
            signer_class=signed.signer_class,
        ),
        watermark=watermark,
        fingerprint=FingerprintLayer(
            found=alike.distance is not None, distance=alike.distance, threshold=NEAR, not_looked=alike.not_looked
        ),
    )


def _watermark(marked: Found | str) -> WatermarkLayer:
    if isinstance(marked, str):
        return WatermarkLayer(found=False, false_alarms=FALSE_ALARMS, not_looked=marked)
    return WatermarkLayer(
        found=marked.sure,
        bits_right=marked.bits_right,
        of=marked.of,
        chance=marked.chance,
        false_alarms=FALSE_ALARMS,
    )


def _conclusion(signed: Provenance, watermark: WatermarkLayer, alike: Likeness) -> str:
    marked, distance = watermark.found, alike.distance
    if signed.state == "trusted":
        return "Made by a machine here, and exactly as it left: its content credentials are whole and signed by us."
    if marked and signed.state == "valid":
        return "It carries our watermark, so it was made here; another service signed its content credentials since."
    if marked:
        return "It carries our watermark, so it was made here by a machine; it may have been changed since."
    if distance is not None:
        return (
            f"It looks like a copy of a picture made here: {distance} of 256 bits of its look differ, and up to {NEAR} "
            "count as alike. That is no proof: somebody else may have made a picture that looks the same."
        )
    if signed.state == "valid":
        return "Its content credentials are whole; this service does not know the signer and cannot vouch for them."
    if signed.state == "invalid":
        return (
            "Its content credentials do not hold: the file was changed after it was signed, or the signature is wrong."
        )
    return _NOTHING if watermark.not_looked is None and alike.not_looked is None else _UNKNOWN
