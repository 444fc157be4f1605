"""Redaction from Python: whole texts, many texts, and streams with exactly the spans of the whole text.

redactor = Redactor(detector("fast"), training_policy(), key)
print(redactor.redact("Dear Ms Okonkwo, ...").text)

stream = redactor.stream()
for piece in pieces:
    out.write(stream.feed(piece))
out.write(stream.close())
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from troth.kernel.errors import Conflict
from troth.redact.decisions import Policy
from troth.redact.detect import Detector, Span
from troth.redact.finding import Finder
from troth.redact.model.segments import SIZE, Segment, Segments
from troth.redact.reading import legible
from troth.redact.text import Redacted, Replacer


class Redactor:
    """Takes out of texts what a policy does not keep. Safe to share between threads; holds no text.

    `key`: 32 bytes of the data set, for pseudonyms and surrogates. `segment`: characters that are read at a time (at
    least 1,024); it bounds the memory, and the delay of a stream to `segment + 4,096` characters. Texts and streams of
    one Redactor are read alike (`troth.redact.model.segments` says how), so the result does not depend on how a text
    arrives; another `segment` may read a text longer than the shorter one differently.

    Raises Invalid: `key-missing`, `key-too-short`, `policy-needs-model`, `out-of-range`; Unavailable: `detector-down`.
    """

    def __init__(self, detector: Detector, policy: Policy, key: bytes | None = None, *, segment: int = SIZE) -> None:
        self._detector, self._finder, self._replacer = detector, Finder(detector, policy), Replacer(policy, key)
        self._segment = Segments(self._detect, size=segment).size

    def _detect(self, text: str) -> list[Span]:
        return self._detector.detect(legible(text))

    def redact(self, text: str) -> Redacted:
        """The redacted text, and the spans that were acted on. Raises Unavailable (`detector-down`)."""
        found: list[Span] = []
        stream = self.stream(found.append)
        parts = [stream.feed(text), stream.close()]
        return Redacted("".join(parts), tuple(found), dict(stream.counts))

    def redact_many(self, texts: Iterable[str]) -> Iterator[Redacted]:
        """As `redact`, of each text in turn; texts are taken as they are needed."""
        return map(self.redact, texts)

    def spans(self, text: str) -> list[Span]:
        """What the policy takes out of `text`: sorted, none overlapping. Raises Unavailable (`detector-down`)."""
        return list(self.redact(text).spans)

    def stream(self, seen: Callable[[Span], object] = lambda _: None) -> Stream:
        """A text that arrives in pieces. `seen` gets every span that is acted on, at offsets of the whole source."""
        return Stream(Segments(self._detect, self._finder.sift, self._segment), self._replacer, seen)


class Stream:
    """One text in pieces. What `feed` and `close` return, joined, is what `Redactor.redact` makes of the joined pieces.

    Not for sharing between threads. `counts`: how many spans of each kind so far. After a failure or `close` it takes
    no more: what was returned until a failure is the beginning of a redacted text and not a whole one.
    """

    def __init__(self, segments: Segments, replacer: Replacer, seen: Callable[[Span], object]) -> None:
        self._segments: Segments | None = segments
        self._replacer, self._seen = replacer, seen
        self._document: bytes | None = None
        self.counts: Counter[str] = Counter()

    def feed(self, piece: str) -> str:
        """The redacted text that is finished now; may be empty.

        Raises Conflict (`stream-closed`); Unavailable (`detector-down`).
        """
        segments = self._taken()
        done = "".join(map(self._redacted, segments.feed(piece)))
        self._segments = segments
        return done

    def close(self) -> str:
        """The rest. Raises as `feed`."""
        return "".join(map(self._redacted, self._taken().close()))

    def _taken(self) -> Segments:
        """The segments; they come back only when all went well."""
        segments, self._segments = self._segments, None
        if segments is None:
            raise Conflict("This stream is closed; begin a new one for each text.", code="stream-closed")
        return segments

    def _redacted(self, segment: Segment) -> str:
        if self._document is None:  # the first segment tells documents apart, whole ones and streams alike
            self._document = self._replacer.document(segment.text)
        self.counts.update(span.kind for span in segment.spans)
        for s in segment.spans:
            self._seen(s._replace(start=s.start + segment.start, end=s.end + segment.start))
        return self._replacer.replace(segment.text, segment.spans, self._document)
