"""POST, GET and DELETE /v1/files."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from troth.gateway.wire.fields import Answer, Identifier, Wire
from troth.gateway.wire.upload import Upload

Purpose = Literal["assistants", "batch", "fine-tune", "vision", "user_data", "evals"]
FileId = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
_HOUR, _MONTH = 3600, 2_592_000  # seconds; the bounds of the original


class ExpiresAfter(Wire):
    """When the file goes: so many seconds after it was made."""

    anchor: Literal["created_at"] = "created_at"
    seconds: Annotated[int, Field(ge=_HOUR, le=_MONTH)]


class CreateFile(Wire):
    """A multipart form; the official client writes `expires_after[seconds]`, which the door reads as an object."""

    file: Upload
    purpose: Purpose
    expires_after: ExpiresAfter | None = None


class ListFiles(Wire):
    """One's own files, newest first unless `order` says otherwise."""

    purpose: Purpose | None = None
    limit: Annotated[int, Field(ge=1, le=10_000)] = 1_000
    order: Literal["asc", "desc"] = "desc"
    after: Identifier | None = None


class FileById(Wire):
    """One file."""

    file_id: FileId


class FileObject(Answer):
    """A kept file. Times are seconds since the epoch; `bytes` is the size after personal metadata was removed."""

    id: str
    object: Literal["file"] = "file"
    bytes: int
    created_at: int
    expires_at: int | None
    filename: str
    purpose: str
    status: Literal["processed"] = "processed"


class FileObjects(Answer):
    """A page of files."""

    object: Literal["list"] = "list"
    data: list[FileObject]
    has_more: bool
    first_id: str | None = None
    last_id: str | None = None


class FileDeleted(Answer):
    """The file can no longer be opened by anyone."""

    id: str
    object: Literal["file"] = "file"
    deleted: Literal[True] = True
