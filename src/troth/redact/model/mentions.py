"""One person is one person in a document: a name that was found once is covered wherever it stands again."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from troth.redact.detect import Span

SURE = 0.8  # how sure a find of one word must be before its word is looked for elsewhere
_SHORTEST = 3  # letters of a word that is looked for
_NAMES = 5000  # names of one document; a longer list of people goes without
# Words inside names that are words of the language as well.
_PARTICLES = frozenset(
    "the and der die das von van den del della dos das bin ibn mrs miss prof lord lady king queen saint sir judge "
    "president".split()
)


def repeated(places: Sequence[tuple[int, int]], words: Sequence[str], spans: Sequence[Span]) -> list[Span]:
    """Mentions of the persons of `spans` that no span covers. `places`: (start, end) of every word, in order."""
    persons = [span for span in spans if span.kind == "person"]
    wanted = _names(places, words, persons) if persons else frozenset()
    if not wanted:
        return []
    starts = [s.start for s in spans]
    found = []
    for a, b in (places[i] for i, word in enumerate(words) if word in wanted):
        at = bisect_left(starts, b) - 1
        if at < 0 or spans[at].end <= a:
            found.append(Span(a, b, "person", SURE, "mentions"))
    return found


def _names(places: Sequence[tuple[int, int]], words: Sequence[str], persons: Sequence[Span]) -> frozenset[str]:
    """Words of names, as they stand and in capitals, that the text has not in small letters as well."""
    found: set[str] = set()
    starts = [a for a, _ in places]
    for span in persons:
        inside = words[bisect_left(starts, span.start) : bisect_left(starts, span.end)]
        if sum(map(str.isalpha, inside)) > 1 or span.score >= SURE:
            found.update(w for w in inside if len(w) >= _SHORTEST and w.istitle() and w.lower() not in _PARTICLES)
        if len(found) > _NAMES:
            return frozenset()
    small = set(filter(str.islower, words)) if found else set()
    found = {w for w in found if w.lower() not in small}
    return frozenset(found | {w.upper() for w in found})
