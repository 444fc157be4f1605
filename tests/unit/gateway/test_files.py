from __future__ import annotations

from typing import Any

import pytest

from gateway_world import DAY, World
from troth.gateway.wire.files import CreateFile, FileById, FileObject, ListFiles
from troth.gateway.wire.upload import Upload
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Gone, NotFound, TrothError
from troth.kernel.ids import new_id
from troth.vault.objects import KeepRequest


def create(world: World, name: str = "Jane Doe.jsonl", purpose: str = "user_data", **more: Any) -> FileObject:
    upload = Upload(filename=name, media_type="application/jsonl", content=b'{"a": 1}\n')
    request = CreateFile.model_validate({"file": upload, "purpose": purpose} | more)
    return world.operations.create_file(world.call(), request)


def test_a_file_is_kept_sealed_and_comes_back(world: World) -> None:
    made = create(world, expires_after={"anchor": "created_at", "seconds": 3600})
    assert (made.filename, made.purpose, made.bytes) == ("Jane Doe.jsonl", "user_data", 9)
    assert made.expires_at == made.created_at + 3600
    shown = world.operations.show_file(world.call(), FileById(file_id=made.id))
    assert shown == made
    assert world.operations.open_file(world.call(), FileById(file_id=made.id)).content == b'{"a": 1}\n'
    disk = world.bytes_on_disk()
    assert b"Jane Doe" not in disk
    assert b'{"a": 1}' not in disk


def test_without_a_wish_the_class_decides(world: World) -> None:
    made = create(world)
    assert made.expires_at is not None
    assert made.expires_at <= (world.now + 30 * DAY) // 1000


def test_lists_page_by_page(world: World) -> None:
    ids = []
    for number in range(5):
        ids.append(create(world, f"{number}.jsonl", "user_data" if number % 2 else "evals").id)
        world.clock.forward(seconds=1)
    first = world.operations.list_files(world.call(), ListFiles(limit=3))
    assert [one.id for one in first.data] == ids[:1:-1]
    assert first.has_more
    rest = world.operations.list_files(world.call(), ListFiles(limit=3, after=first.last_id))
    assert [one.id for one in rest.data] == [ids[1], ids[0]]
    assert not rest.has_more
    evals = world.operations.list_files(world.call(), ListFiles(purpose="evals", order="asc"))
    assert [one.id for one in evals.data] == ids[::2]
    with pytest.raises(NotFound):
        world.operations.list_files(world.call(), ListFiles(after="obj_x"))


def test_deleted_is_gone(world: World) -> None:
    made = create(world)
    assert world.operations.delete_file(world.call(), FileById(file_id=made.id)).deleted
    with pytest.raises(Gone):
        world.operations.open_file(world.call(), FileById(file_id=made.id))
    assert world.operations.list_files(world.call(), ListFiles()).data == []


def test_others_see_nothing(world: World) -> None:
    made = create(world)
    for stranger in (world.call(tenant=new_id("ten")), world.call(subject=new_id("usr"))):
        with pytest.raises(NotFound):
            world.operations.open_file(stranger, FileById(file_id=made.id))
        with pytest.raises(NotFound):
            world.operations.delete_file(stranger, FileById(file_id=made.id))


def test_a_receipt_is_no_file(world: World) -> None:

    call = world.call()
    kept = world.objects.keep(
        KeepRequest(call.tenant, call.subject, DataClass.USER_GENERATED, "receipt", "application/json", "r", b"{}")
    )
    with pytest.raises(NotFound):
        world.operations.show_file(call, FileById(file_id=kept.id))


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.exe", b"MZ" + b"\0" * 200), ("a.png", b"no picture"), ("a.jsonl", b"{broken"), ("a.txt", b"")],
)
def test_what_intake_refuses_is_not_kept(world: World, name: str, content: bytes) -> None:
    upload = Upload(filename=name, media_type="application/octet-stream", content=content)
    with pytest.raises(TrothError):
        world.operations.create_file(world.call(), CreateFile(file=upload, purpose="user_data"))
    assert world.operations.list_files(world.call(), ListFiles()).data == []
