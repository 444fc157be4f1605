"""What a vendor does not see in pictures: faces, personal words and codes, by the same policy as the texts around them.

Where a vendor is asked to change a picture, faces stay unless the policy says otherwise: the edit needs them. What was
covered cannot be put back into an answer, as placeholders in texts can: nothing of it is kept. Without the models no
picture leaves (`pictures-unread`). For the local studio, which is this process, nothing is read: nothing leaves.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from threading import BoundedSemaphore
from typing import Any

from troth.gateway.redaction import Cleared, Redactor
from troth.gateway.vendors.port import Attachment
from troth.kernel.errors import TrothError, Unavailable
from troth.redact.pictures.cleaning import clean_picture
from troth.redact.pictures.frames import Limits
from troth.redact.pictures.looking import Eye
from troth.redact.policy import Policy

LIMITS = Limits(frames=20, seconds=60.0)  # of one picture; somebody waits for it
_AT_ONCE = BoundedSemaphore(2)  # of the process: a look takes a core for a second or two, and 300 MB at the largest
_ONE_VIDEO = BoundedSemaphore(1)  # its own: minutes of it must not keep vendors' pictures waiting
_PATIENCE = 30.0  # seconds


class PictureStep:
    """Cleans the pictures of one request. Its work is long: call it on a worker thread."""

    def __init__(self, redactor: Redactor, tenant: str, *, edit: bool) -> None:
        """`edit`: a vendor is to change the pictures, or to make others of them."""
        detector, self._policy = redactor.reading(tenant)
        self._rules = self._policy.pictures.for_edits() if edit else self._policy.pictures
        self._detector = detector
        self._eye: Eye | None = None
        self.counts: Counter[str] = Counter()

    def told(self) -> dict[str, str]:
        """What a receipt says of how pictures were treated."""
        return {
            "metadata": "removed",
            **{name: str(getattr(self._rules, name)) for name in ("faces", "words", "codes")},
        }

    def payload(self, value: Any) -> Any:
        """The same request with each inline picture cleaned. Raises as `clean_for_vendor`."""
        if isinstance(value, Cleared):
            return self._inline(value)
        if isinstance(value, dict):
            return {key: self.payload(one) for key, one in value.items()}
        return [self.payload(one) for one in value] if isinstance(value, list) else value

    def attachments(self, given: Sequence[Attachment]) -> list[Attachment]:
        """The same pictures, cleaned; sizes stay. Raises as `clean_for_vendor`."""
        return [replace(one, content=self._clean(one.content, one.media_type)) for one in given]

    def _inline(self, url: Cleared) -> Cleared:
        header, _, body = url.partition(";base64,")
        content = self._clean(base64.b64decode(body), header.removeprefix("data:"))
        return Cleared(f"{header};base64,{base64.b64encode(content).decode()}")

    def _clean(self, content: bytes, media_type: str) -> bytes:
        self._eye = self._eye or _eye(self._detector, self._policy, self._rules)
        cleaned, counts = clean_for_vendor(content, media_type, self._eye)
        self.counts.update(counts)
        return cleaned


def clean_for_vendor(content: bytes, media_type: str, eye: Eye) -> tuple[bytes, dict[str, int]]:
    """A picture that `intake` admitted, as a vendor may see it, and how many areas were covered, by label.

    Raises Unavailable (`pictures-unread`) when it cannot be looked at; what `redact.pictures.cleaning` refuses.
    """
    try:
        with reading_one():
            done = clean_picture(content, eye, LIMITS)
    except Unavailable as error:
        raise _unread(_ADVICE if error.code != "pictures-busy" else error.advice) from error
    if done.media_type != media_type:
        raise _unread(_ADVICE)
    return (done.content if done.changed else content), done.counts


@contextmanager
def reading_one() -> Iterator[None]:
    """One of the few looks that this process takes at once. Raises Unavailable (`pictures-busy`) after 30 s."""
    if not _AT_ONCE.acquire(timeout=_PATIENCE):
        raise Unavailable("Too many pictures are being read now; try again in a minute.", code="pictures-busy")
    try:
        yield
    finally:
        _AT_ONCE.release()


@contextmanager
def reading_video() -> Iterator[None]:
    """The one video that this process reads at once; whoever comes meanwhile holds no thread.

    Raises Unavailable (`video-busy`) without waiting.
    """
    if not _ONE_VIDEO.acquire(blocking=False):
        raise Unavailable("Another video is being read now; try again in a few minutes.", code="video-busy")
    try:
        yield
    finally:
        _ONE_VIDEO.release()


_ADVICE = "Pictures cannot be read here, so none was sent; send text, or ask the operator to install the extra vision."


def _eye(detector: Any, policy: Policy, rules: Any) -> Eye:
    try:
        return Eye(detector, policy, rules)
    except Unavailable as error:
        raise _unread(_ADVICE) from error


def _unread(advice: str) -> TrothError:
    return Unavailable(advice, code="pictures-unread")
