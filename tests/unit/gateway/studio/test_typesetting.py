from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.gateway.studio import typesetting
from troth.gateway.studio.typesetting import Block, Style, broken, column

HEAD, BELOW = Style("sans"), Style("text", leading=1.3)


def test_no_line_is_wider_and_no_column_higher_than_its_block() -> None:
    block = Block(0, 0, 300, 200)
    made = column(["Data protection in the age of machine learning", "Vienna, 3 October", "Free entry"],
                  (HEAD, BELOW), block, largest=90, least=11)  # fmt: skip
    assert made.width <= block.width
    assert made.height <= block.height
    assert [line.text for line in made.lines][-2:] == ["Vienna, 3 October", "Free entry"]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.text("abcdefgh ", min_size=1, max_size=60).filter(str.strip), min_size=1, max_size=3),
    st.integers(60, 900),
    st.integers(30, 400),
)
def test_any_words_fit_any_block(texts: list[str], width: int, height: int) -> None:
    made = column(texts, (HEAD, BELOW), Block(0, 0, width, height), largest=120, least=10)
    assert made.width <= width
    assert made.height <= height
    assert "".join(line.text for line in made.lines).replace(" ", "") == "".join(texts).replace(" ", "")


def test_the_title_is_the_largest_and_what_follows_has_one_size() -> None:
    made = column(["Open day", "Saturday", "Town hall"], (HEAD, BELOW), Block(0, 0, 400, 300), largest=80, least=10)
    sizes = [line.size for line in made.lines]
    assert sizes[0] >= 2 * sizes[1] == 2 * sizes[2]


@pytest.mark.parametrize("text", ["The long winter road home", "A walk in the park at night with you"])
def test_no_word_is_left_alone(text: str) -> None:
    for limit in range(120, 420, 10):
        lines = broken(text, HEAD, limit, 30, 6)
        if lines and len(lines) > 1 and max(len(line.split()) for line in lines) > 2:
            assert " " in lines[-1]


def test_lines_do_not_touch() -> None:
    texts = ["Night of jazz and blues", "12 June", "Old harbour"]
    made = column(texts, (HEAD, BELOW), Block(0, 0, 240, 300), largest=70, least=10)
    for before, after in zip(made.lines, made.lines[1:], strict=False):
        cap = after.style.letters.cap / after.style.letters.em
        assert after.baseline - after.size * cap > before.baseline + 0.1 * after.size


def test_missing_letters_take_another_typeface() -> None:
    made = column(["Привет"], (Style("serif"), BELOW), Block(0, 0, 300, 100), largest=40, least=10)
    assert made.lines[0].style.face == "sans"


def test_many_short_words_do_not_hold_a_core(monkeypatch: pytest.MonkeyPatch) -> None:
    weighed: list[int] = []
    real = typesetting._unevenness

    def counted(lines: list[str], style: Style, size: float) -> float:
        weighed.append(len(lines))
        return real(lines, style, size)

    monkeypatch.setattr(typesetting, "_unevenness", counted)
    column([" ".join(["WmWmWmW"] * 14)] * 2, (HEAD, BELOW), Block(0, 0, 64, 400), largest=60, least=2)
    assert 0 < len(weighed) < 20_000
