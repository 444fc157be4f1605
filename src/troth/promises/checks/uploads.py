"""Promises about what comes in by the gateway: its custody from the door to the erasure, and what is made of it."""

from __future__ import annotations

import io
from collections.abc import Callable

from PIL import Image

from troth.gateway.wire.files import CreateFile, FileById
from troth.gateway.wire.images import EditImages
from troth.gateway.wire.receipts import ShowReceipt
from troth.gateway.wire.upload import Upload
from troth.kernel.errors import Gone
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import Probe, ground, probe, refused
from troth.promises.system import System
from troth.vault import framing
from troth.vault.custody import UNBROKEN, Chain, Custody
from troth.vault.messages import ObjectNamed

Opening = Callable[[Probe, str], object]


def _picture() -> Upload:
    """A synthetic drawing."""
    picture, out = Image.new("RGB", (64, 64), "teal"), io.BytesIO()
    picture.paste("white", (8, 8, 32, 32))
    picture.save(out, "PNG")
    return Upload(filename="probe.png", media_type="image/png", content=out.getvalue())


def _custody(system: System, open_file: Opening) -> Facts:
    """A file comes in, is opened and deleted; a picture is changed, and goes with what was made of it."""
    custody = Custody(ground(system), system.base.reader, system.vault.scrub)
    with probe(system) as person:
        file = person.run("file.create", CreateFile(file=_picture(), purpose="vision")).id
        open_file(person, file)
        made = person.run("image.edit", EditImages(image=[_picture()], prompt="make it black and white"))
        output = person.run("receipt.show", ShowReceipt(request_id=made.request_id)).objects[0]
        system.base.sequencer.flush(person.tenant)
        (upload,) = custody.of(person.tenant, output).derived_from
        living = [custody.of(person.tenant, one, owner=person.subject) for one in (file, upload, output)]
        person.run("file.delete", FileById(file_id=file))
        person.run("object.delete", ObjectNamed(object_id=upload))
        system.base.sequencer.flush(person.tenant)
        after = [custody.of(person.tenant, one) for one in (file, upload, output)]
        outcomes = [one.statement == UNBROKEN for one in living]
        outcomes += [_whole(one) for one in after]
        outcomes += ["access" in _told(after[0]), "derivation" in _told(after[2])]
        outcomes += [refused(lambda one=one: person.open(one), Gone) for one in (file, upload, output)]  # type: ignore[misc]
    return counted(outcomes)


def _whole(chain: Chain) -> bool:
    """From the door to the erasure, without a time outside an encrypted state."""
    told = _told(chain)
    return chain.statement == UNBROKEN and told[0] == "ingest" and "deletion" in told and chain.erased_at is not None


def _told(chain: Chain) -> list[str]:
    return [step.what for step in chain.steps]


def _downloaded(person: Probe, file: str) -> object:
    return person.run("file.content", FileById(file_id=file))


def _beside(person: Probe, file: str) -> object:
    """The known-bad opening: its bytes and its key are taken, and no operation is asked."""
    sealed = person.sealed(file)
    return len(sealed), person.system.base.tree.key(framing.read_header(sealed).unit)


CHECKS = (
    Check(
        "custody-of-uploads",
        ("AUD-06", "CLS-08"),
        "A synthetic file is uploaded, downloaded and deleted by the gateway, a picture changed there and deleted: the "
        "custody of each, and of what was made of it, must run from the door to the erasure, and the output must go "
        "with its upload. What a vendor did with a picture is not known here.",
        lambda system: _custody(system, _downloaded),
        lambda system: _custody(system, _beside),
        every=6 * 3600,
        scope="custody of a synthetic file, picture and output",
        population="statements and steps of three custodies",
    ),
)
