"""Large uploads and exports leave no temporary file, not even one without a name: every file opened is watched."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from house import House, house

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_LARGE = 6 << 20  # bytes; libraries that spool begin at 1 MiB


class Watch:
    """What this process opens for writing, or asks a temporary name for, while it is on. A hook cannot be removed."""

    def __init__(self) -> None:
        self.on = False
        self.opened: list[str] = []
        sys.addaudithook(self._note)

    def _note(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self.on:
            return
        if event in ("tempfile.mkstemp", "tempfile.mkdtemp"):
            self.opened.append(str(arguments[0]))
        elif event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITES:
            self.opened.append(os.fsdecode(arguments[0]) if isinstance(arguments[0], (str, bytes)) else "")

    @contextmanager
    def over(self) -> Iterator[None]:
        self.opened.clear()
        self.on = True
        try:
            yield
        finally:
            self.on = False


@pytest.fixture(scope="module")
def watch() -> Watch:
    return Watch()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("scratch")) as built:
        yield built


@pytest.fixture(scope="module")
def tests(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all tests of this run: other houses that are kept open work there in the background."""
    return tmp_path_factory.getbasetemp().resolve()


def outside(tests: Path, opened: list[str]) -> list[str]:
    """What lies beyond the folders of houses; numbers are descriptors that something else opened."""
    return [one for one in opened if one and not one.isdigit() and tests not in Path(one).resolve().parents]


def test_the_watch_sees_a_file_without_a_name(tests: Path, watch: Watch) -> None:
    with watch.over(), tempfile.TemporaryFile() as spool:
        spool.write(b"x")
    assert outside(tests, watch.opened)


def test_a_large_upload_touches_nothing_but_the_data_folder(home: House, tests: Path, watch: Watch) -> None:
    owner = home.tenant("scratch")
    headers = home.key_headers(owner, "own-data", "own-data:write", "generate")
    line = b'{"messages": [{"role": "user", "content": "Quillfeather-in-clear"}]}\n'
    content = line * (_LARGE // len(line))
    with watch.over():
        response = home.client.post(
            "/v1/files",
            headers=headers,
            files={"file": ("large.jsonl", content, "application/jsonl")},
            data={"purpose": "user_data"},
        )
    assert response.status_code in (200, 201), response.text
    assert outside(tests, watch.opened) == []
    inside = [Path(one) for one in watch.opened if home.folder in Path(one).resolve().parents]
    assert inside, "the watch saw the ciphertext being written"
    assert all(b"Quillfeather-in-clear" not in content for content in home.contents())


def test_an_export_is_made_in_memory(home: House, tests: Path, watch: Watch) -> None:
    owner = home.tenant("export")
    home.picture(owner)
    with watch.over():
        assert home.call("POST", "/v1/export", owner.headers).status_code == 200
    assert outside(tests, watch.opened) == []
