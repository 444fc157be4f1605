"""SVG that does nothing: what stays, what goes, what is refused."""

from __future__ import annotations

import pytest

from troth.gateway.studio.compose import compose, render
from troth.gateway.vector import inert
from troth.kernel.errors import VendorFailed

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="40" height="30">'


def svg(inside: str) -> bytes:
    return f"{HEAD}{inside}</svg>".encode()


def test_our_own_drawings_look_the_same() -> None:
    drawn = compose("a lighthouse", 96, 64, 1).svg
    kept, size, text = inert(drawn.encode())
    assert (size, text) == ((96, 64), "")
    assert render(kept.decode()) == render(drawn)


@pytest.mark.parametrize(
    "evil",
    [
        "<script>x()</script>",
        "<g><script xmlns='http://www.w3.org/1999/xhtml'>x()</script></g>",
        "<foreignObject><body xmlns='http://www.w3.org/1999/xhtml'>x()</body></foreignObject>",
        "<rect width='1' height='1' onclick='x()'/>",
        "<image href='https://evil.test/x.png'/>",
        "<use xlink:href='https://evil.test/x.svg#x()'/>",
        "<a href='javascript:x()'><rect width='1' height='1'/></a>",
        "<rect width='1' height='1' fill='url(https://evil.test/x)'/>",
        "<rect width='1' height='1' fill='url(&#x22;https://evil.test/x&#x22;)'/>",
        "<rect width='1' height='1' fill='u\\72l(https://evil.test/x)'/>",
        "<style>@import 'https://evil.test/x'</style>",
        "<rect width='1' height='1' style='fill:url(https://evil.test/x)'/>",
        "<set attributeName='href' to='javascript:x()'/>",
        "<animate attributeName='href' values='javascript:x()'/>",
        "<filter id='f'><feImage href='https://evil.test/x'/></filter>",
        "<?xml-stylesheet href='https://evil.test/x'?>",
        "<metadata>evil.test x()</metadata>",
        "<!-- evil.test x() -->",
        "stray evil.test x()",
    ],
)
def test_what_acts_or_fetches_goes(evil: str) -> None:
    kept, _, _ = inert(svg(evil + "<circle r='5'/>"))
    assert b"<circle" in kept
    for word in (b"evil", b"x()", b"javascript", b"script", b"href", b"<style", b"onclick", b"<!--", b"<?"):
        assert word not in kept


def test_plain_text_stays_and_is_told() -> None:
    kept, _, text = inert(svg("<text x='1' y='9'>a &lt; b &amp; c</text>"))
    assert text == "a < b & c"
    assert b"a &lt; b &amp; c" in kept


def test_a_word_cut_in_two_is_still_the_word() -> None:
    _, _, text = inert(svg("<text>wo<tspan>rd</tspan></text>"))
    assert "word" in text


def test_local_paint_stays() -> None:
    kept, _, _ = inert(svg("<linearGradient id='g'/><rect width='9' height='9' fill='url(#g)'/>"))
    assert b'fill="url(#g)"' in kept


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"<html/>",
        b"\x89PNG\r\n\x1a\n",
        b"<svg width='9' height='9'/>",
        svg("<g>"),
        b'<!DOCTYPE svg [<!ENTITY a "aaaa">]>' + svg("<text>&a;</text>"),
        svg("<g>" * 80 + "</g>" * 80),
        svg("<g/>" * 200_001),
        HEAD.replace('"40"', '"99999"').encode() + b"</svg>",
        HEAD.replace('"40"', '"100%"').encode() + b"</svg>",
        b"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 nan 9'/>",
    ],
)
def test_what_is_no_drawing_is_refused(broken: bytes) -> None:
    with pytest.raises(VendorFailed) as refused:
        inert(broken)
    assert refused.value.code == "vendor-bad-picture"
