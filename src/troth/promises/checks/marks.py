"""The promise that generated media says so: what is delivered is asked about as a stranger would ask."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Callable, Iterator

from PIL import Image

from troth.gateway.moderation.hashes import NEAR
from troth.gateway.pictures import Finisher, Origin
from troth.gateway.provenance import SourceType
from troth.gateway.provenance.fingerprints import installed
from troth.gateway.studio.compose import compose
from troth.gateway.wire.images import GenerateImages
from troth.gateway.wire.provenance import ProvenanceVerdict, VerifyProvenance
from troth.gateway.wire.upload import Upload
from troth.kernel.caller import Caller, Connection, anonymous
from troth.kernel.errors import TooMany, Unavailable
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import Probe, probe
from troth.promises.system import System

_NOBODY = anonymous(Connection(None, "in-process"))
# Of 90 words drawn at random this scene held each; one in forty of others holds none, which their receipts say.
_PROMPT = "a ringed planet in space"
_SIDE = 384  # pixels
_THUMB = 90  # too small to look for a watermark in it
_TRIES = 30  # a second apart

Delivered = Callable[[System], Iterator[tuple[bytes, SourceType]]]


def _marked(system: System, delivered: Delivered) -> Facts:
    """Each output: credentials whole and true, and a copy without them found by its mark. A foreign picture is not."""
    outcomes, marked = [], 0
    for content, source in delivered(system):
        whole, bare = _asked(system, content), _asked(system, _stripped(content))
        found = "watermark" in bare.matched and bare.made_here is True
        outcomes += [whole.content_credentials.state == "trusted", whole.content_credentials.source == source, found]
        outcomes.append(bare.content_credentials.state == "none")  # else the mark was not what found it
        marked += found
    foreign = _asked(system, _stripped(_drawn(99)))
    outcomes.append(not {"content-credentials", "watermark"} & {*foreign.matched} and foreign.made_here is None)
    outputs = (len(outcomes) - 1) // 4
    return Facts(len(outcomes), len(outcomes), outcomes.count(False), details={"outputs": outputs, "marked": marked})


def _alike(system: System, delivered: Callable[[Probe], bytes]) -> Facts:
    """A thumbnail without any mark is told by its look alone, as what it is, and no more once the picture is erased."""
    index = system.gateway.fingerprints
    if index.audience == "nobody" or not installed():
        return Facts(0, 0, 0, configured=False)
    with probe(system) as person:
        whose = _NOBODY if index.audience == "anybody" else person.caller()
        small = _stripped(delivered(person), _THUMB)
        told = _asked(system, small, whose)
    after = _asked(system, small, whose)
    distance = told.fingerprint.distance
    outcomes = [told.matched == ("fingerprint",), told.made_here is None, distance is not None and distance <= NEAR]
    outcomes.append("no proof" in told.conclusion and person.tenant not in told.model_dump_json())
    outcomes.append(after.fingerprint.not_looked is None and not after.fingerprint.found)
    return counted(outcomes)


def _kept(person: Probe) -> bytes:
    """A picture of the local studio as a person gets it."""
    request = GenerateImages.model_validate({"prompt": _PROMPT, "size": f"{_SIDE}x{_SIDE}"})
    return base64.b64decode(person.run("image.generate", request).data[0].b64_json)


def _not_kept(person: Probe) -> bytes:
    """The known-bad output: nothing of it was noted."""
    return _finished(Finisher(person.system.gateway.credentials))


def _outputs(system: System) -> Iterator[tuple[bytes, SourceType]]:
    """What a person gets from the local studio, and what becomes of a picture of a vendor's model."""
    request = GenerateImages.model_validate({"prompt": _PROMPT, "size": f"{_SIDE}x{_SIDE}", "output_format": "webp"})
    with probe(system) as person:
        answer = person.run("image.generate", request)
        yield base64.b64decode(answer.data[0].b64_json), "algorithmicMedia"
    yield _finished(Finisher(system.gateway.credentials, system.gateway.watermark)), "trainedAlgorithmicMedia"


def _unmarked(system: System) -> Iterator[tuple[bytes, SourceType]]:
    """The known-bad outputs: signed as they should be, and without a mark in their pixels."""
    yield _finished(Finisher(system.gateway.credentials)), "trainedAlgorithmicMedia"


def _finished(finisher: Finisher) -> bytes:
    origin = Origin("trainedAlgorithmicMedia")
    return finisher.finish(finisher.open(_drawn(7), "jpeg"), "jpeg", None, origin).content


def _drawn(seed: int) -> bytes:
    return compose(_PROMPT, _SIDE, _SIDE, seed).png


def _stripped(content: bytes, side: int = 0) -> bytes:
    """A copy as others save it: other size, JPEG, no metadata."""
    side = side or _SIDE * 3 // 4
    out = io.BytesIO()
    with Image.open(io.BytesIO(content)) as picture:
        picture.convert("RGB").resize((side, side)).save(out, "JPEG", quality=75)
    return out.getvalue()


def _asked(system: System, content: bytes, caller: Caller = _NOBODY) -> ProvenanceVerdict:
    """The public question, on the road that every door takes."""
    upload = Upload(filename="picture", media_type="", content=content)
    for _ in range(_TRIES):
        try:
            verdict: ProvenanceVerdict = system.dispatcher.run(
                "provenance.verify", caller, VerifyProvenance(file=upload)
            )
        except TooMany:  # strangers are looked at one at a time, and one is in front
            time.sleep(1)
            continue
        return verdict
    raise Unavailable("The public question was busy all the time.", code="busy")


CHECKS = (
    Check(
        "outputs-say-that-they-are-generated",
        ("RGT-12",),
        "A picture of the local studio as a person gets it, and one as of a vendor's model: a stranger who asks finds "
        "whole and true content credentials, and the watermark in a smaller JPEG copy without them; in an unmarked "
        "picture nothing. SVG carries credentials only; outputs of people are not opened.",
        lambda system: _marked(system, _outputs),
        lambda system: _marked(system, _unmarked),
        every=6 * 3600,
        scope="two synthetic pictures, as they are delivered",
        population="answers about outputs and about a foreign picture",
    ),
    Check(
        "copies-are-told-by-their-look",
        ("RGT-12",),
        "A picture of the local studio as a person gets it: a thumbnail of it without credentials, too small for the "
        "watermark, is told by its look alone, as no proof and without a name; once its person is erased it is not. A "
        "picture that was not kept is not told. Whether every output has a fingerprint is not looked at.",
        lambda system: _alike(system, _kept),
        lambda system: _alike(system, _not_kept),
        every=6 * 3600,
        scope="the fingerprint of one synthetic picture",
        population="duties of the answer about a copy",
    ),
)
