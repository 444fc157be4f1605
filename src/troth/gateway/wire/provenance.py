"""POST /v1/provenance/verify: what is known about the origin of a file."""

from __future__ import annotations

from typing import Literal

from troth.gateway.wire.fields import Answer, Wire
from troth.gateway.wire.upload import Upload


class VerifyProvenance(Wire):
    """A multipart form with one file. Nothing of it is kept."""

    file: Upload


class CredentialsLayer(Answer):
    """Content credentials (C2PA): signed statements inside the file.

    `none`: there are none; `invalid`: the file was changed since, or the signature is wrong; `valid`: whole, by a
    signer that this service does not know; `trusted`: whole, and signed by this service. `history` is oldest first.
    `signer_class`: where our signing key is (`A2` in hardware, `A1` in a key service, `A0` in a file); None for others.
    """

    state: Literal["none", "invalid", "valid", "trusted"]
    source: str | None = None
    issuer: str | None = None
    generator: str | None = None
    history: tuple[str, ...] = ()
    ingredients: int = 0
    problems: tuple[str, ...] = ()
    signed_at: str | None = None
    time_stamp: Literal["none", "untrusted", "trusted"] = "none"
    signer_class: str | None = None


class WatermarkLayer(Answer):
    """The mark in the pixels. `chance`: how likely a picture without our mark reads as well; found when it is at most
    `false_alarms`. `not_looked`: why there was nothing to look at."""

    found: bool
    bits_right: int = 0
    of: int = 32
    chance: float = 1.0
    false_alarms: float
    not_looked: str | None = None


class FingerprintLayer(Answer):
    """How it looks (PDQ). `distance`: to the nearest picture made here, in bits `of` which at most `threshold` may
    differ; None when none is so near. Likeness proves nothing: others make pictures that look the same. Whose picture
    it is like is told to nobody. `not_looked`: why nobody looked, or not at everything; `found: false` then says
    nothing."""

    found: bool
    distance: int | None = None
    threshold: int
    of: int = 256
    not_looked: str | None = None


Layer = Literal["content-credentials", "watermark", "fingerprint"]


class ProvenanceVerdict(Answer):
    """What the layers say together.

    `made_here` is true by credentials or watermark. None: neither was found, which does not say that no machine made
    it; a fingerprint alone says that it looks like something made here, and proves nothing.
    """

    media_type: str
    made_here: bool | None
    matched: tuple[Layer, ...]
    conclusion: str
    content_credentials: CredentialsLayer
    watermark: WatermarkLayer
    fingerprint: FingerprintLayer
