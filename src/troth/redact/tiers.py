"""The tiers of detection by name: rules alone, or rules with a model. What cannot be loaded stops the start."""

from __future__ import annotations

import lzma
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from troth.kernel.errors import Invalid, Unavailable
from troth.redact.detect import Detector, rules_detector
from troth.redact.model.detector import Marks, ModelDetector
from troth.redact.model.digests import DIGESTS
from troth.redact.model.knowledge import Knowledge
from troth.redact.model.weights import parse

if TYPE_CHECKING:
    from troth.redact.model.tagger import Tagger

_CASCADE = ("fast", "accurate")
# The tiers whose weights are shipped; with both models there is a cascade of them as well.
TIERS = ("rules", *(n for n in _CASCADE if n in DIGESTS), *(["cascade"] if set(_CASCADE) <= set(DIGESTS) else []))


def detector(tier: str) -> Detector:
    """The detector of one of `TIERS`, loaded once for the process and tried on a text with known finds.

    Raises Invalid for another name; Unavailable: `extra-missing` without numpy, `model-weights` when a file of weights
    is not the shipped one.
    """
    if tier not in TIERS:
        raise Invalid(
            f"There is no tier {tier!r}; choose one of {', '.join(TIERS)}.", code="unknown-tier", field="tier"
        )
    return rules_detector() if tier == "rules" else _with_model(tier)


@lru_cache(maxsize=3)
def _with_model(tier: str) -> Detector:
    try:
        import numpy  # noqa: F401, PLC0415  an extra; the core does without
    except ImportError as error:
        raise Unavailable("The model tiers need: pip install 'troth[model]'.", code="extra-missing") from error
    from troth.redact.model.cascade import Cascade  # noqa: PLC0415  imports numpy

    names = _CASCADE if tier == "cascade" else (tier,)
    taggers = [_tagger(name) for name in names]
    marks: Marks = taggers[0] if len(taggers) == 1 else Cascade(*taggers)
    made = ModelDetector(tier, rules_detector(), marks, (DIGESTS["knowledge"], *(DIGESTS[name] for name in names)))
    if not any(span.kind == "person" for span in made.detect("Dear Peter Johnson, thank you for your letter.")):
        raise Unavailable("The model tier does not find what it must; install the package again.", code="model-weights")
    return made


@lru_cache(maxsize=1)
def knowledge() -> Knowledge:
    """What is known of words, loaded once for the process. Raises Unavailable (`model-weights`)."""
    return Knowledge.parse(*_file("knowledge"))


@lru_cache(maxsize=2)
def _tagger(name: str) -> Tagger:
    from troth.redact.model.tagger import Tagger  # noqa: PLC0415  imports numpy

    facts, arrays = parse(*_file(name))
    return Tagger(knowledge(), facts, arrays)


def _file(name: str) -> tuple[Any, str]:
    """(content, expected SHA-256) of a shipped file; packed, it takes a quarter less room."""
    try:
        packed = resources.files("troth.redact.model").joinpath("weights", f"{name}.bin.xz").read_bytes()
        return lzma.decompress(packed), DIGESTS[name]
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise Unavailable(
            "The weights of the model tier are missing; install the package again.", code="model-weights"
        ) from error
