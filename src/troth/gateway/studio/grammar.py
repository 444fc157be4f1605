"""The words of edits, as patterns; each is looked for in lower case, between other words."""

from __future__ import annotations

import re
from typing import Final

from troth.gateway.studio.palettes import hues

_ANY: Final = r"(?: [\w'-]+){0,3} "
CUT: Final = (
    rf"(?:remove|delete|erase|drop|cut(?: away)?|take away|get rid of|clear|without){_ANY}?(?:back ?ground)"
    rf"|(?:transparent|no) back ?ground|back ?ground{_ANY}?transparent"
    rf"|cut.?out(?:{_ANY}?(?:person|people|subject|object))?|isolate\w*(?: \w+){{0,2}}|remove.?bg"
)
BLUR: Final = rf"blur\w*{_ANY}?back ?ground|back ?ground{_ANY}?blur\w*|bokeh|portrait mode|depth of field"
GROUND: Final = (
    rf"(?:replace|change|swap|set|make|turn|give|put){_ANY}?back ?ground(?: with| to| by| into| for| in)?"
    r"(?P<what>(?: (?!and\b|then\b)[#\w'-]+| and [a-z]+ (?=gradient)){1,8})"
    r"|(?:on|onto|with|before|in front of|against) an? (?P<what2>[#\w' -]{2,50}?) (?:back ?ground|backdrop)"
    r"|(?P<what3>[#\w-]+) back ?ground|(?:in front of|against) (?P<what4>[#\w' -]{2,50})"
)
_SHAPES: Final = "square|landscape|widescreen|story|portrait|banner"
_SKIP: Final = r"(?: (?!and\b|then\b)[\w'-]+){0,4}?"


def _ratio(name: str) -> str:
    number = r"\d{1,2}(?:\.\d)?"
    return rf"(?P<across{name}>{number})\s*(?::|/|by|x|\u00d7|to)\s*(?P<down{name}>{number})"


CROP: Final = (
    rf"(?:crop\w*|cut|trim\w*|reframe\w*|aspect ratio){_SKIP} {_ratio('1')}|{_ratio('2')} (?:crop|format|cut|aspect)"
    rf"|(?:crop\w*|cut|trim\w*|reframe\w*|make it|a){_SKIP} (?P<shape1>{_SHAPES})(?: format| shape| crop)?"
    rf"|(?P<shape2>{_SHAPES}) crop|crop\w*|reframe\w*|zoom\w*(?: in)?|closer|close.?up|tighter"
)
AROUND: Final = (
    r"(?:around|on|onto|to|at|in)(?: (?:the|her|his|their|my|its))? "
    r"(?:subject|face|faces|person|people|head|man|woman|child|thing|object|middle)"
)
_TIMES: Final = (
    r"(?P<times1>[2-9]|1[0-9]|two|three|four|twice|double)(?:\s*[x\u00d7]| times|-fold|fold)?"
    r"|[x\u00d7](?P<times2>[2-9])"
)
UPSCALE: Final = (
    r"(?:up.?scal\w*|enlarg\w*|up.?siz\w*|upsampl\w*|super.?resolution|bigger|larger)"
    rf"(?: (?:it|this|the|picture|image|photo|by|to|a|factor|of))*(?: (?:{_TIMES}))?"
    r"|(?P<times3>[2-9])\s*[x\u00d7](?: larger| bigger| size| resolution)?|double the (?:size|resolution)"
)
VECTOR: Final = r"vectori[sz]\w*|vector(?: graphic| drawing)?|trac(?:e|ed|ing)|(?:as|to|into) (?:an? )?svg|svg"
REMOVE: Final = r"remove\w*|erase\w*|delete\w*|inpaint\w*|clean\w*|get rid|repair\w*|mend\w*|heal\w*|fill\w*|retouch\w*"
TINT: Final = (
    r"(?:make|turn|tint|colou?r)(?:ed)?(?: (?:it|this|that|everything|the|all|picture|image|photo|area))* (?:in )?"
    rf"(?P<hue>{'|'.join(hues())})(?: tones?| tint)?"
)
TEXT: Final = (
    r"(?:add|write|put|set|place|print)(?: \w+){0,3} (?:text|words?|title|caption|headline|heading|slogan|letters)"
)
WHERE: Final = {
    "top": r"(?:at |on |in |to |along )?(?:the )?(?:top|upper(?: part| third)?|head)",
    "bottom": r"(?:at |on |in |to |along )?(?:the )?(?:bottom|lower(?: part| third)?|foot|below)",
    "middle": r"(?:in |at |into )?(?:the )?(?:middle|cent(?:re|er)(?:ed)?)",
}
SIDES: Final = {
    "left": r"(?:on |at |to )?(?:the )?left(?: side)?",
    "right": r"(?:on |at |to )?(?:the )?right(?: side)?",
}
_ASKING: Final = frozenset("add remove replace put turn change draw insert make give convert place swap erase".split())
_FILLER: Final = frozenset(
    """a an the it its this that these please and then also with to of in on at as by for me my picture image photo her
    him them photograph photos is be so into from some little bit more very really everything all area part here there
    you can could would like look looks nice text words word title caption saying says""".split()
)


class Reading:
    """A prompt whose words are used up: what one wish took does not name a second one."""

    def __init__(self, text: str) -> None:
        self.text = text

    def take(self, pattern: str) -> dict[str, str | None] | None:
        """The groups of the first place where the pattern stands, which is used up; None where it stands nowhere."""
        found = re.search(rf"(?<![\w-])(?:{pattern})(?!\w)", self.text)
        if not found:
            return None
        self.text = f"{self.text[: found.start()]} ; {self.text[found.end() :]}"
        return found.groupdict()

    def takes(self, pattern: str) -> bool:
        """Whether the pattern stands somewhere; all its places are used up."""
        before = self.text
        while self.take(pattern) is not None:
            pass
        return self.text != before

    @property
    def asks_more(self) -> bool:
        """Whether a clause that is left still asks for something."""
        for clause in re.split(r"[,.;]| and | then | but ", self.text):
            words = set(re.findall(r"[a-z']+", clause))
            if not _ASKING.isdisjoint(words) and words - _ASKING - _FILLER:
                return True
        return False


def first(groups: dict[str, str | None], name: str) -> str | None:
    """The one of the groups `name1`, `name2`... that was found."""
    return next((value for key, value in groups.items() if key.startswith(name) and value), None)
