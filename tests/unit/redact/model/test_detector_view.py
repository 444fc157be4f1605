"""A tier with a model reads a text as its reader sees it: escapes hide no name from it."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from troth.redact import tiers
from troth.redact.detect import detect_each, rules_detector
from troth.redact.model.cut import cut
from troth.redact.model.detector import ModelDetector
from troth.redact.model.segments import SIZE, Segments
from troth.redact.model.tagger import Reading

HIDDEN = (
    r"Gestern sagte Br\u0069nkmann in Wupp\u0065rtal, der Vertrag sei unterschrieben.",
    "Gestern sagte B&#114;inkmann in Wuppertal, der Vertrag sei unterschrieben.",
    "Gestern sagte %42rinkmann in Wuppertal, der Vertrag sei unterschrieben.",
    "Gestern sagte Br=C3=BCnkmann in Wuppertal, der Vertrag sei unterschrieben.",
    "Gestern sagte Br**ink**mann in Wuppertal, der Vertrag sei unterschrieben.",
)


def left(text: str, tier: str = "fast") -> str:
    for span in reversed(tiers.detector(tier).detect(text)):
        text = text[: span.start] + "_" + text[span.end :]
    return text


@pytest.mark.parametrize("tier", ["fast", "cascade"])
@pytest.mark.parametrize("text", HIDDEN, ids=("json", "html", "percent", "quoted", "emphasis"))
def test_nothing_of_a_name_stays(tier: str, text: str) -> None:
    assert re.sub("_+", "_", left(text, tier)) == "Gestern sagte _ in _, der Vertrag sei unterschrieben."


def test_a_text_that_reads_as_it_is_written_is_read_once() -> None:
    read: list[str] = []

    class Counting:
        def tag_many(self, texts: Sequence[str]) -> list[Reading]:
            read.extend(texts)
            return [Reading(cut(text), []) for text in texts]

    detector = ModelDetector("fast", rules_detector(), Counting(), ())
    detector.detect("Yesterday Nowicka paid 5 % & left.")
    assert len(read) == 1
    detector.detect(HIDDEN[0])
    assert len(read) == 3


def test_together_alone_and_as_a_stream_are_one() -> None:
    detector = tiers.detector("fast")
    texts = [*HIDDEN, "Yesterday Nowicka flew to Rotterdam.", "\n".join(HIDDEN * 120)]
    assert len(texts[-1]) > 2 * SIZE
    assert list(detect_each(detector, texts)) == [detector.detect(text) for text in texts]
    text = texts[-1]
    # As a stream: the same segments, whatever the pieces.
    segments = Segments(detector._one)  # type: ignore[attr-defined]
    found = [
        span._replace(start=span.start + segment.start, end=span.end + segment.start)
        for at in range(0, len(text), 777)
        for segment in segments.feed(text[at : at + 777])
        for span in segment.spans
    ]
    found += [s._replace(start=s.start + segment.start, end=s.end + segment.start)
              for segment in segments.close() for s in segment.spans]  # fmt: skip
    assert found == detector.detect(text)
