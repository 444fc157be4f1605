"""Moderation before anything leaves and before anything is delivered (VEN-05), answered on this machine."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from troth.gateway.moderation.classifier import DIGEST, classifier
from troth.gateway.moderation.legible import ending
from troth.gateway.moderation.policy import HELP, Action, Policy, read_floor
from troth.gateway.moderation.rules import Rules, normalise
from troth.kernel.errors import Denied, TrothError
from troth.kernel.operation import Call

WINDOW = 512  # characters of a stream that are looked at together; no rule can match more
LISTED = 1.0  # the score of a listed phrase; the classifier is never that sure
READ = 160  # characters of a stream after which the classifier reads again, where no sentence ended before
AGAIN = 40  # the same where a sentence ended: it reads on the event loop, and a vendor may send "A." for ever
_ENDS = re.compile(r"[.!?\n]")
Side = Literal["input", "output"]


class Moderator:
    """Judges by the policy of the installation alone and notes nothing. Safe to share between threads.

    With a list of one's own (`rules`) that list judges alone; the shipped one has the classifier beside it.
    """

    def __init__(self, rules: dict[str, Any] | None = None, *, floor: Policy | None = None) -> None:
        self._rules = Rules(rules)
        self._reads = rules is None
        self.policy = floor or read_floor()

    @property
    def version(self) -> str:
        """What judged: list, classifier and policy, a token for records."""
        return f"{self._rules.version}.{DIGEST[:8]}+{self.policy.name}"

    def of(self, call: Call, side: Side) -> Moderator:  # noqa: ARG002 - what judges by tenant needs them
        """The moderator of one call: of its tenant, and with somebody who takes note."""
        return self

    def scores(self, text: str) -> dict[str, float]:
        """How sure it is of each category, 0 to 1, the surest first: a listed phrase is 1, else the classifier says.

        Raises `Unavailable` (extra-missing, model-weights): what cannot be judged does not pass.
        """
        read = classifier().scores(text) if self._reads else {}
        both = read | self.listed(text)
        return dict(sorted(both.items(), key=lambda one: -one[1]))

    def listed(self, text: str) -> dict[str, float]:
        """The same by the list alone."""
        return dict.fromkeys(self._rules.found(normalise(text)), LISTED)

    def check(self, text: str) -> None:
        """Return for text that may pass. Raises `Denied` that names the category, never the phrase."""
        scores = self.scores(text)
        listed = {name: score for name, score in scores.items() if score == LISTED}
        if any(self.policy.action(name, score) is Action.REFUSE for name, score in listed.items()):
            self.decide(listed, text)  # it needs no second opinion
            return
        # Who speaks of ending their life is refused for harm to themselves by a listed phrase only, never for what the
        # classifier takes it for; that sentence excuses nothing else. A listed phrase that may pass excuses its text
        # for kindred classes too, never for prohibited ones.
        helped = self.policy.rules[HELP].said(scores.get(HELP, 0.0))
        excused = {name for name in scores if helped and name.startswith("self-harm") and name not in {HELP, *listed}}
        if listed.keys() - {HELP}:
            excused |= scores.keys() - listed.keys() - self.policy.prohibited - {HELP}
        self.decide({name: score for name, score in scores.items() if name not in excused}, text)

    def check_all(self, texts: Iterable[str]) -> None:
        """All texts, also as if they were one: a phrase cut in two is still the phrase."""
        self.check(" ".join(texts))

    def check_pictures(self, pictures: Iterable[bytes]) -> None:
        """Nothing is known about pictures here."""

    def decide(self, scores: Mapping[str, float], content: str) -> None:  # noqa: ARG002 - who notes it needs it
        """Act on what was found in `content`. Raises `Denied`."""
        for category, score in scores.items():
            if self.policy.action(category, score) is Action.REFUSE:
                raise refusal(category)


class StreamModerator:
    """The same for text that arrives in pieces: each piece is judged with what came before it, then given out.

    The list looks at every piece; the classifier reads at the first one, at ends of sentences (`AGAIN`), after `READ`
    characters and at the end (`finish`). `read` turns the text so far into what its readers see, as for JSON strings;
    it may make it shorter by `scale`.
    """

    def __init__(self, moderator: Moderator, read: Callable[[str], str] = str, scale: int = 1) -> None:
        self._moderator = moderator
        self._read = read
        self._window = WINDOW * scale
        self._tail = ""
        self._unread = READ
        self._ended = False  # whether a sentence ended in what is unread

    def check(self, piece: str) -> None:
        """Raises `Denied` as soon as the text so far holds a listed phrase; `piece` must then not be given out."""
        if piece:
            text = self._tail + piece
            self._unread += len(piece)
            seen = self._seen(text)
            self._ended = self._ended or _ENDS.search(piece) is not None
            if self._unread >= READ or (self._ended and self._unread >= AGAIN):
                self._moderator.check(seen)
                self._unread, self._ended = 0, False
            else:
                self._moderator.decide(self._moderator.listed(seen), seen)
            self._tail = text[-self._window :]

    def finish(self) -> None:
        """The text is over: what the classifier has not read of it yet. Raises `Denied`; nothing more may go out then.

        Call it before what tells the end. Text may still follow; it is judged with what came before it.
        """
        if self._unread and self._tail:
            self._moderator.check(self._seen(self._tail))
            self._unread, self._ended = 0, False

    def _seen(self, text: str) -> str:
        """Nothing unread is left out: no reading makes a text longer, and an escape may have begun one earlier."""
        return ending(self._read(text), self._unread + 1, WINDOW)


def refusal(category: str) -> TrothError:
    """What the caller is told: the category, never the phrase."""
    return Denied(
        f"The content policy does not permit this ({category}); change the request.", code="moderation-blocked"
    )
