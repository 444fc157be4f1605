"""One suite for every provider of roots: files, a PKCS#11 token (SoftHSM), a key service (OpenBao)."""

from __future__ import annotations

import os
import pickle
import secrets
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from root_world import KINDS, Provider
from troth.kernel.errors import Conflict, Gone, IntegrityError, Invalid, TrothError, Unavailable
from troth.keys.roots.port import Root

AAD = b"what it is bound to"
KEY = bytes(range(32))
PROCESS = Path(__file__).with_name("root_process.py")


@pytest.fixture(params=KINDS)
def provider(request: pytest.FixtureRequest, tmp_path: Path) -> Provider:
    return Provider(request.param, tmp_path / "provider")


@pytest.fixture
def root(provider: Provider) -> Root:
    return provider.root()


def fresh() -> str:
    return f"eu-00000001-{secrets.token_hex(8)}"


@pytest.fixture
def made(root: Root) -> str:
    name = fresh()
    root.create(name)
    return name


def test_what_was_sealed_opens(root: Root, made: str) -> None:
    sealed = root.seal(made, KEY, AAD)
    assert KEY not in sealed
    assert root.open(made, sealed, AAD) == KEY
    assert root.open(made, root.seal(made, b"", b""), b"") == b""


def test_sealing_twice_gives_different_bytes(root: Root, made: str) -> None:
    assert root.seal(made, KEY, AAD) != root.seal(made, KEY, AAD)


@pytest.mark.parametrize("aad", [b"", b"what it is bound tp", AAD + b"\0"])
def test_another_binding_does_not_open(root: Root, made: str, aad: bytes) -> None:
    sealed = root.seal(made, KEY, AAD)
    with pytest.raises(IntegrityError, match="does not open"):
        root.open(made, sealed, aad)
    assert root.open(made, sealed, AAD) == KEY  # and the provider still works after it


def test_changed_bytes_do_not_open(root: Root, made: str) -> None:
    sealed = root.seal(made, KEY, AAD)
    for at in (len(sealed) - 1, len(sealed) // 2, 14):
        wrong = bytes([*sealed[:at], sealed[at] ^ 1, *sealed[at + 1 :]])
        with pytest.raises(IntegrityError):
            root.open(made, wrong, AAD)


@pytest.mark.parametrize("junk", [b"", b"short", bytes(12), bytes(200), b"vault:v9:" + b"A" * 80, b"\xff" * 61])
def test_junk_does_not_open(root: Root, made: str, junk: bytes) -> None:
    with pytest.raises(IntegrityError):
        root.open(made, junk, AAD)


def test_another_root_does_not_open_it(root: Root, made: str) -> None:
    other = fresh()
    root.create(other)
    with pytest.raises(IntegrityError):
        root.open(other, root.seal(made, KEY, AAD), AAD)


def test_an_unknown_root_is_gone_and_is_not_made_by_using_it(root: Root, made: str) -> None:
    unknown, sealed = fresh(), root.seal(made, KEY, AAD)
    with pytest.raises(Gone):
        root.seal(unknown, KEY, AAD)
    with pytest.raises(Gone):
        root.open(unknown, sealed, AAD)
    with pytest.raises(Gone):
        root.gives_out(unknown)
    assert root.present() == [made]


def test_a_destroyed_root_is_gone_for_good(root: Root, made: str) -> None:
    sealed = root.seal(made, KEY, AAD)
    assert root.destroy(made)
    with pytest.raises(Gone):
        root.open(made, sealed, AAD)
    with pytest.raises(Gone):
        root.seal(made, KEY, AAD)
    assert root.present() == []


def test_a_root_made_again_under_its_name_opens_nothing_old(root: Root, made: str) -> None:
    sealed = root.seal(made, KEY, AAD)
    root.destroy(made)
    root.create(made)
    with pytest.raises(IntegrityError):
        root.open(made, sealed, AAD)


def test_destroying_is_idempotent(root: Root, made: str) -> None:
    done = root.destroy(made)
    again = root.destroy(made)
    assert again == root.destroy(fresh())
    assert again.startswith("absent-already") if root.kind == "local" else again == done


def test_a_name_is_taken_once(root: Root, made: str) -> None:
    sealed = root.seal(made, KEY, AAD)
    with pytest.raises(Conflict):
        root.create(made)
    assert root.open(made, sealed, AAD) == KEY


def test_presence(root: Root) -> None:
    names = sorted(fresh() for _ in range(3))
    for name in names:
        root.create(name)
    assert root.present() == names
    root.destroy(names[1])
    assert root.present() == [names[0], names[2]]


@pytest.mark.parametrize(
    "name", ["", "eu", "../../etc/passwd", "eu-00000001-0123456789abcdeX", "EU-00000001-0123456789abcdef"]
)
def test_only_names_of_roots_are_taken(root: Root, name: str) -> None:
    acts: list[Callable[[], object]] = [
        lambda: root.create(name),
        lambda: root.seal(name, KEY, AAD),
        lambda: root.open(name, KEY, AAD),
        lambda: root.destroy(name),
        lambda: root.gives_out(name),
    ]
    for act in acts:
        with pytest.raises(Invalid):
            act()


def test_what_it_says_of_itself(provider: Provider, root: Root, made: str) -> None:
    classes = {"local": "A0", "pkcs11": "A0", "openbao": "A1"}  # SoftHSM is software, whatever it speaks
    assert (root.kind, root.domain, root.assurance) == (provider.kind, provider.domain, classes[provider.kind])
    assert root.gives_out(made) is (provider.kind == "local")


def test_sixteen_threads(root: Root) -> None:
    names = [fresh() for _ in range(4)]

    def use(at: int) -> str:
        name = names[at % 4]
        try:
            root.create(name)
            outcome = "made"
        except Conflict:
            outcome = "taken"
        for turn in range(4):
            value = os.urandom(32)
            assert root.open(name, root.seal(name, value, bytes([turn])), bytes([turn])) == value
        return outcome

    with ThreadPoolExecutor(16) as pool:
        outcomes = Counter(pool.map(use, range(16)))
    assert outcomes == {"made": 4, "taken": 12}
    assert root.present() == sorted(names)


@pytest.fixture
def away(provider: Provider, root: Root, made: str) -> Iterator[tuple[str, bytes]]:
    """The provider vanishes after a root was used; it is back afterwards."""
    sealed = root.seal(made, KEY, AAD)
    provider.away()
    yield made, sealed
    provider.back()


def test_a_provider_that_is_away_is_unavailable_and_nothing_counts_as_destroyed(
    root: Root, away: tuple[str, bytes]
) -> None:
    name, sealed = away
    acts: list[Callable[[], object]] = [
        lambda: root.create(fresh()),
        lambda: root.seal(name, KEY, AAD),
        lambda: root.open(name, sealed, AAD),
        lambda: root.destroy(name),
        lambda: root.destroy(fresh()),
        root.present,
        lambda: root.gives_out(name),
    ]
    for act in acts:
        with pytest.raises(Unavailable) as refused:
            act()
        _says_nothing_inner(refused.value, name)


def _says_nothing_inner(error: TrothError, name: str) -> None:
    text = f"{error.advice} {error!r}"
    assert not any(inner in text for inner in ("CKR_", "Errno", "/", "http", name))
    assert error.advice.endswith(".")


def test_a_provider_that_is_back_goes_on(provider: Provider, root: Root, made: str) -> None:
    sealed = root.seal(made, KEY, AAD)
    provider.away()
    with pytest.raises(Unavailable):
        root.open(made, sealed, AAD)
    provider.back()
    assert root.open(made, sealed, AAD) == KEY
    root.destroy(made)
    with pytest.raises(Gone):
        root.open(made, sealed, AAD)


def test_a_process_that_starts_anew_finds_its_roots(provider: Provider, root: Root, made: str) -> None:
    sealed = root.seal(made, KEY, AAD)
    later = provider.root()
    assert later.present() == [made]
    assert later.open(made, sealed, AAD) == KEY


def test_two_processes(provider: Provider, root: Root, made: str) -> None:
    sealed, theirs = root.seal(made, KEY, AAD), fresh()
    with _process("acts", provider, subprocess.PIPE) as other:

        def tell(line: str) -> str:
            assert other.stdin is not None
            assert other.stdout is not None
            print(line, file=other.stdin, flush=True)
            return other.stdout.readline().strip()

        assert tell("present") == str([made])
        assert tell(f"create {made}") == "root-exists"
        assert tell(f"create {theirs}") == "None"
        assert root.open(theirs, root.seal(theirs, KEY, AAD), AAD) == KEY
        tell(f"destroy {made}")
        with pytest.raises(Gone):  # though its handle is cached here
            root.open(made, sealed, AAD)
        root.destroy(theirs)
        assert tell("present") == "[]"
        assert other.stdin is not None
        other.stdin.close()
        assert other.wait(30) == 0


def test_forks_beside_sixteen_threads(provider: Provider) -> None:
    with _process("forks", provider, None, fresh()) as process:
        said, _ = process.communicate(timeout=120)
        assert process.returncode == 0  # a segmentation fault would be -11
    expected = "hsm-after-fork:0" if provider.kind == "pkcs11" else "open:0"
    assert said.split() == [expected, "True"]


def _process(mode: str, provider: Provider, stdin: int | None, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(PROCESS), mode, pickle.dumps(provider).hex(), *more]
    return subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, text=True)
