"""The contract of object stores, on folders and on a real S3 server: plain, versioned and under object lock."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import s3_server
from s3_server import S3Server
from troth.kernel.errors import Conflict, IntegrityError, Invalid, NotFound, Unavailable
from troth.storage.blobs import BulkStore, LocalBlobs
from troth.storage.s3_blobs import Bucket, S3Blobs, read_credentials

KINDS = ["folder", "bucket", "versioned bucket"]


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with s3_server.running() as running:
        yield running


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BulkStore:
    if request.param == "folder":
        return LocalBlobs(tmp_path / "store")
    server: S3Server = request.getfixturevalue("server")
    return server.store(server.bucket(versioned=request.param != "bucket"), "some/prefix")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _race(work: Callable[[int], None], most: int = 8) -> list[int]:
    """Who won of `most` that begin together."""
    won: list[int] = []
    together = threading.Barrier(most)

    def run(number: int) -> None:
        together.wait()
        try:
            work(number)
        except Conflict:
            return
        won.append(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(most)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return won


def test_a_name_is_written_once(store: BulkStore) -> None:
    store.create("a/b", b"one")
    with pytest.raises(Conflict) as refused:
        store.create("a/b", b"two")
    assert (refused.value.code, store.get("a/b")) == ("exists", b"one")


def test_a_part_is_what_was_asked_for_and_no_more(store: BulkStore) -> None:
    store.create("ten", b"0123456789")
    store.create("none", b"")
    assert [store.part("ten", *asked) for asked in ((0, 4), (4, 3), (8, 9), (9, 1), (10, 1), (99, 5))] == [
        b"0123",
        b"456",
        b"89",
        b"9",
        b"",
        b"",
    ]
    assert store.part("none", 0, 5) == b""
    with pytest.raises(NotFound):
        store.part("other", 0, 5)


def test_of_eight_creators_one_wins(store: BulkStore) -> None:
    won = _race(lambda number: store.create("race", str(number).encode()))
    assert len(won) == 1
    assert store.get("race") == str(won[0]).encode()


def test_of_eight_swappers_one_wins(store: BulkStore) -> None:
    store.swap("head", b"begin", None)
    won = _race(lambda number: store.swap("head", str(number).encode(), _digest(b"begin")))
    assert len(won) == 1
    assert store.get("head") == str(won[0]).encode()


def test_swap_needs_the_present_digest(store: BulkStore) -> None:
    with pytest.raises(Conflict):
        store.swap("head", b"0", _digest(b"absent"))
    store.swap("head", b"1", None)
    store.swap("head", b"2", _digest(b"1"))
    for expected in (_digest(b"1"), None):
        with pytest.raises(Conflict) as refused:
            store.swap("head", b"3", expected)
        assert refused.value.code == "changed"
    assert store.get("head") == b"2"


@pytest.mark.parametrize("many", [3, 40])  # a folder writes few one by one
def test_many_are_swapped_or_refused(store: BulkStore, many: int) -> None:
    store.swap("head/1", b"before", None)
    first = [(f"head/{at}", b"%d" % at, _digest(b"before") if at == 1 else None) for at in range(many)]
    store.swap_all(first)
    assert [store.get(f"head/{at}") for at in range(many)] == [b"%d" % at for at in range(many)]
    last = f"head/{many - 1}"
    with pytest.raises(Conflict):
        store.swap_all([(f"head/{at}", b"new", _digest(b"%d" % (at + (at == many - 1)))) for at in range(many)])
    assert store.get(last) == b"%d" % (many - 1)


def test_many_at_once_leave_what_exists(store: BulkStore) -> None:
    store.create("m/7", b"first")
    assert store.create_all((f"m/{at}", b"%d" % at) for at in range(40)) == 39
    assert (store.get("m/7"), store.get("m/39"), len(list(store.names("m/")))) == (b"first", b"39", 40)


def test_deleting_twice_and_reading_what_is_not_there(store: BulkStore) -> None:
    with pytest.raises(NotFound):
        store.get("none")
    store.create("x", b"1")
    assert (store.delete("x"), store.delete("x")) == (True, False)
    with pytest.raises(NotFound):
        store.get("x")
    store.create("x", b"2")
    assert store.get("x") == b"2"


def test_many_are_deleted_at_once_and_the_rest_stays(store: BulkStore) -> None:
    store.create_all((f"{folder}/{at}", b"1") for folder in ("d", "e") for at in range(20))
    gone = [f"{folder}/{at}" for folder in ("d", "e") for at in range(18)]
    assert store.delete_all(iter([*gone, "d/never-was"])) == 36
    assert store.delete_all(["d/18", "d/never-was"]) == 1  # all in one folder
    assert list(store.names()) == ["d/19", "e/18", "e/19"]
    assert (store.delete_all(gone), store.delete_all([])) == (0, 0)


def test_many_folders_are_emptied_at_once(store: BulkStore) -> None:
    store.create_all((f"f{at}/{name}", b"1") for at in range(70) for name in ("gone", "stays"))
    assert store.delete_all([f"f{at}/gone" for at in range(71)]) == 70
    assert [name for name in store.names("f") if name.endswith("gone")] == []
    assert len(list(store.names("f"))) == 70


def test_names_are_listed_by_any_beginning_and_sorted(store: BulkStore) -> None:
    for name in ("k/2", "k/1", "kk", "m/1"):
        store.create(name, b"")
    assert list(store.names("k/")) == ["k/1", "k/2"]
    assert list(store.names("k")) == ["k/1", "k/2", "kk"]
    assert list(store.names()) == ["k/1", "k/2", "kk", "m/1"]


def test_large_and_empty_objects(store: BulkStore) -> None:
    large = bytes(range(256)) * (40 << 10)
    store.create("large", large)
    store.create("empty", b"")
    assert (store.get("large"), store.get("empty")) == (large, b"")


def test_what_is_larger_than_allowed_is_refused(store: BulkStore) -> None:
    store.create("b", b"12345")
    assert (store.get("b", 5), store.get("b", 500)) == (b"12345", b"12345")
    with pytest.raises(IntegrityError) as refused:
        store.get("b", 4)
    assert refused.value.code == "too-large"


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a//b", "", "a/../b", "a b", ".hidden", "x" * 513])
def test_names_cannot_leave_their_place(store: BulkStore, name: str) -> None:
    for attempt in (
        lambda: store.create(name, b""),
        lambda: store.get(name),
        lambda: store.swap(name, b"", None),
        lambda: store.delete_all([name]),
    ):
        with pytest.raises(IntegrityError):
            attempt()


def test_prefixes_keep_two_stores_of_one_bucket_apart(server: S3Server) -> None:
    bucket = server.bucket()
    one, other = server.store(bucket, "one"), server.store(bucket, "other")
    one.create("x", b"1")
    with pytest.raises(NotFound):
        other.get("x")
    assert list(other.names()) == []


def test_deleting_removes_every_version(server: S3Server) -> None:
    bucket = server.bucket(versioned=True)
    store = server.store(bucket)
    store.swap("x", b"1", None)
    store.swap("x", b"2", _digest(b"1"))
    assert server.send("GET", bucket, {"versions": ""}).count(b"<VersionId>") == 2
    store.create("y", b"1")
    assert store.delete("x")
    assert store.delete_all(["x", "y"]) == 1
    assert server.send("GET", bucket, {"versions": ""}).count(b"<VersionId>") == 0


def test_what_is_locked_is_not_said_to_be_deleted(server: S3Server) -> None:
    store = server.store(server.bucket(versioned=True, lock_days=1))
    store.create("x", b"1")
    assert store.lock_days() == 1
    for attempt in (lambda: store.delete("x"), lambda: store.delete_all(["x"])):
        with pytest.raises(Conflict) as refused:
            attempt()
        assert refused.value.code == "locked"


def test_a_bucket_without_lock_has_no_days(server: S3Server) -> None:
    assert server.store(server.bucket()).lock_days() is None


def test_wrong_credentials_are_refused_typed(server: S3Server) -> None:
    store = server.store(server.bucket(), secret="wrong")
    for attempt in (lambda: store.create("x", b"1"), lambda: store.get("x"), lambda: list(store.names())):
        with pytest.raises(Unavailable):
            attempt()


def test_a_server_that_hangs_times_out_and_nothing_is_half_there(server: S3Server) -> None:
    bucket = server.bucket()
    impatient, patient = server.store(bucket, timeout=1.0), server.store(bucket)
    patient.create("before", b"1")
    server.pause()
    try:
        for attempt in (
            lambda: impatient.create("during", b"2"),
            lambda: impatient.get("before"),
            lambda: impatient.delete("before"),
            lambda: list(impatient.names()),
        ):
            with pytest.raises(Unavailable):
                attempt()
    finally:
        server.go_on()
    assert patient.get("before") == b"1"
    assert set(patient.names()) <= {"before", "during"}  # what was sent may arrive, whole
    if "during" in set(patient.names()):
        assert patient.get("during") == b"2"


def test_a_server_that_is_gone_is_told_apart_from_an_absent_object() -> None:
    store = S3Blobs(Bucket("b", "", "eu-test-1", "http://127.0.0.1:9", "id", "secret", 1.0))
    with pytest.raises(Unavailable):
        store.get("x")


def test_plain_http_leaves_this_machine_never() -> None:
    with pytest.raises(Invalid):
        S3Blobs(Bucket("b", "", "eu-test-1", "http://192.0.2.1:80", "id", "secret"))


def test_credentials_files_must_be_private_and_whole(tmp_path: Path, server: S3Server) -> None:
    path = server.credentials(tmp_path)
    assert read_credentials(path)[0] == "troth-test"
    path.chmod(0o644)
    with pytest.raises(Unavailable):
        read_credentials(path)
    path.chmod(0o600)
    path.write_text("access_key_id = 1")
    with pytest.raises(Unavailable):
        read_credentials(path)
    with pytest.raises(Unavailable):
        read_credentials(tmp_path / "absent")
