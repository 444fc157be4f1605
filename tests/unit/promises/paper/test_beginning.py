"""The binding file on disk: whole or as it was."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from troth.kernel.errors import Invalid, NotFound, TrothError
from troth.promises.paper.beginning import written
from troth.promises.paper.binding import read_paper


def test_first_and_again(tmp_path: Path) -> None:
    text = tmp_path / "Our Paper.md"
    text.write_text("One. Two.")
    assert written(text).unbound == 2
    target = tmp_path / "Our Paper.paper.yaml"
    target.write_text(target.read_text().replace("carries: []}", "carries: [CRY-01]}", 1))
    target.chmod(0o640)
    text.write_text("One. Three.")
    assert (written(text).changed, written(target).unbound) == (1, 1)
    assert read_paper(text).name == "our-paper"
    assert [one.carries for one in read_paper(text).binding.sentences] == [("CRY-01",), ()]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Our Paper.md", "Our Paper.paper.yaml"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


@pytest.mark.parametrize(("content", "code"), [(b"Tw\xffo", "bad-paper"), (b"x" * (1 << 20), "paper-too-long")])
def test_a_text_that_is_refused_leaves_no_file(tmp_path: Path, content: bytes, code: str) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(TrothError) as caught:
        written(tmp_path / "a.txt")
    assert caught.value.code == code
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_names(tmp_path: Path) -> None:
    (tmp_path / "1.txt").write_text("One.")
    with pytest.raises(Invalid, match="--name"):
        written(tmp_path / "1.txt")
    assert written(tmp_path / "1.txt", "first").sentences == 1
    (tmp_path / "1.md").write_text("One.")
    with pytest.raises(Invalid, match="of 1"):
        written(tmp_path / "1.md")
    for missing in ("no.txt", "no.paper.yaml"):
        with pytest.raises(NotFound):
            written(tmp_path / missing)
