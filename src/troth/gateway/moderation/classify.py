"""Classification for callers: the eyes of moderation in flight, answered here; nothing leaves and nothing is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from troth.gateway.amounts import check_amount
from troth.gateway.intake import Limits, admit_image
from troth.gateway.moderation import attacks, pictures
from troth.gateway.moderation.inline import inline_pictures
from troth.gateway.moderation.moderator import Moderator
from troth.gateway.moderation.policy import CATEGORIES, HELP, PROMPT_ATTACK, Action
from troth.gateway.moderation.takedowns import Takedowns
from troth.gateway.moderation.wire import MAX_PICTURES, Classify, Judged, Judgement, PicturePart, TextPart
from troth.kernel.errors import Invalid
from troth.kernel.operation import Call

MODEL = "troth-moderation-1"
_TEXT: list[Literal["text", "image"]] = ["text"]


def classified(call: Call, request: Classify, moderator: Moderator, takedowns: Takedowns) -> Judgement:
    """Raises `TooLarge` (too-much-text), `Invalid` (remote-picture, too-many-pictures, bad-picture) and `Unavailable`
    (extra-missing)."""
    texts, urls = given(request)
    check_amount(texts)
    if isinstance(request.input, str) or all(isinstance(one, str) for one in request.input):
        results = [_judged(moderator, [one], [], takedowns) for one in texts]
    else:
        results = [_judged(moderator, texts, _pictures(urls), takedowns)]
    call.note(moderation=moderator.version, count=len(results))
    return Judgement(id=call.request_id, model=MODEL, results=results, policy=moderator.version)


def given(request: Classify) -> tuple[list[str], list[str]]:
    """The texts and the pictures of a request, to say how much it brings."""
    whole = [request.input] if isinstance(request.input, str) else request.input
    texts = [one if isinstance(one, str) else one.text for one in whole if isinstance(one, str | TextPart)]
    return texts, [one.image_url.url for one in whole if isinstance(one, PicturePart)]


def _pictures(urls: Sequence[str]) -> list[bytes]:
    if len(urls) > MAX_PICTURES:
        raise Invalid(f"One input holds at most {MAX_PICTURES} pictures; send fewer.", code="too-many-pictures")
    found = [content for url in urls for content in inline_pictures(url)]
    if len(found) != len(urls):
        raise Invalid("Send the picture itself as data:image/...;base64,... - Troth fetches nothing from elsewhere.",
                      code="remote-picture", field="input")  # fmt: skip
    return [admit_image(one, "", Limits(keep_credentials=False)).content for one in found]


def _judged(moderator: Moderator, texts: list[str], seen: list[bytes], takedowns: Takedowns) -> Judged:
    whole, policy = " ".join(texts), moderator.policy
    by_text = moderator.scores(whole)
    by_picture = max((pictures.highest(one)[0] for one in seen), default=0.0)
    listed = any(takedowns.match(one) is not None for one in seen)
    scores = {name: by_text.get(name, 0.0) for name in sorted(CATEGORIES)}
    scores["sexual"] = max(scores["sexual"], by_picture)
    hit = {name: policy.rules[name].said(by_text.get(name, 0.0)) for name in scores}
    hit["sexual"] = hit["sexual"] or (bool(seen) and by_picture >= policy.picture.threshold)
    applied: dict[str, list[Literal["text", "image"]]] = {name: list(_TEXT) if texts else [] for name in scores}
    if seen:
        applied["sexual"].append("image")
    watched = texts and policy.rules[PROMPT_ATTACK].action is not Action.ALLOW
    attack = round(attacks.score(whole), 4) if watched else None
    return Judged(
        flagged=any(hit.values()) or listed,
        categories=hit,
        category_scores={name: round(score, 4) for name, score in scores.items()},
        category_applied_input_types=applied,
        taken_down=listed,
        help_offered=hit[HELP],
        prompt_attack=attack,
    )
