"""Objects in a bucket that speaks S3, through obstore: conditional writes, every version deleted, timeouts.

Write-once is `If-None-Match: *`, compare-and-swap is `If-Match`; the server decides both, so several machines may
race. Credentials come from a file of mode 0600 with the members `access_key_id` and `secret_access_key` (TOML).
"""

from __future__ import annotations

import hashlib
import stat
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from troth.kernel.errors import Conflict, Invalid, NotFound, TrothError, Unavailable
from troth.storage.blobs import require_name, too_large
from troth.storage.s3_versions import Versions

Result = TypeVar("Result")
_AT_ONCE = 8  # requests side by side
_CREDENTIALS_LIMIT = 4096  # bytes of a credentials file
_RETRIES = 3


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where a bucket is. `endpoint` is an https address (http only on this machine); `prefix` ends without a slash."""

    name: str
    prefix: str
    region: str
    endpoint: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    timeout_seconds: float = 30.0


def read_credentials(path: Path) -> tuple[str, str]:
    """Access key id and secret from a TOML file. Raises `Unavailable` when it is absent, open to others or unfit."""
    try:
        with path.open("rb") as file:
            if stat.S_IMODE(path.stat().st_mode) & 0o077:
                raise _credentials("is open to other users; set its mode to 0600")
            members = tomllib.loads(file.read(_CREDENTIALS_LIMIT).decode())
        return str(members["access_key_id"]), str(members["secret_access_key"])
    except (OSError, ValueError, KeyError) as error:
        raise _credentials("cannot be read; it holds access_key_id and secret_access_key in TOML") from error


class S3Blobs:
    """A bucket, or the part of it below a prefix, as an object store. Implements `BulkStore`."""

    def __init__(self, bucket: Bucket) -> None:
        try:
            from obstore.store import S3Store  # noqa: PLC0415 - an extra, and 30 ms to import
        except ImportError as error:
            raise Unavailable(
                "Buckets need the package 'obstore'; install it with: pip install 'troth[s3]'.", code="extra-missing"
            ) from error
        local = bucket.endpoint.startswith(("http://127.0.0.1:", "http://localhost:", "http://[::1]:"))
        if not (local or bucket.endpoint.startswith("https://")):
            raise Invalid("A bucket's endpoint begins with https://.", code="plain-endpoint")
        self._bucket = bucket
        self._versions = Versions(bucket.endpoint, bucket.name, bucket.region, self._keys(), bucket.timeout_seconds)
        self._store = S3Store(
            bucket.name,
            config={
                "endpoint": bucket.endpoint,
                "region": bucket.region,
                "access_key_id": bucket.access_key_id,
                "secret_access_key": bucket.secret_access_key,
                "virtual_hosted_style_request": False,
                "conditional_put": "etag",
                "checksum_algorithm": "SHA256",  # the server compares; object lock asks for it too
            },
            client_options={
                "timeout": timedelta(seconds=bucket.timeout_seconds),
                "connect_timeout": timedelta(seconds=min(5.0, bucket.timeout_seconds)),
                "allow_http": local,
            },
            retry_config={"max_retries": _RETRIES, "retry_timeout": timedelta(seconds=bucket.timeout_seconds)},
        )

    def create(self, name: str, content: bytes) -> None:
        self._put(name, content, "create")

    def create_all(self, items: Iterable[tuple[str, bytes]]) -> int:
        """As `BulkStore` says, several requests side by side."""
        count, waiting = 0, iter(items)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            while some := list(islice(waiting, 4 * _AT_ONCE)):  # so that memory holds a few objects only
                count += sum(pool.map(self._created, some))
        return count

    def swap(self, name: str, content: bytes, expected: str | None) -> None:
        if expected is None:
            try:
                self._put(name, content, "create")
            except Conflict as error:
                raise _changed() from error
            return
        try:
            found, e_tag = self._read(name)
        except NotFound as error:
            raise _changed() from error
        if hashlib.sha256(found).hexdigest() != expected:
            raise _changed()
        self._put(name, content, {"e_tag": e_tag})

    def swap_all(self, items: Sequence[tuple[str, bytes, str | None]]) -> None:
        """As `BulkStore` says, several requests side by side."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for _ in pool.map(lambda item: self.swap(*item), items):
                continue

    def get(self, name: str, most: int | None = None) -> bytes:
        return self._read(name, most)[0]

    def part(self, name: str, start: int, length: int) -> bytes:
        from obstore import get_range, head  # noqa: PLC0415

        key = self._key(name)

        def read() -> bytes:
            return bytes(get_range(self._store, key, start=start, length=length))

        try:
            return _mapped(read)
        except Unavailable as error:  # a server answers a range behind the end with a refusal (RFC 9110, 416)
            if error.code != "store-away" or _mapped(lambda: head(self._store, key))["size"] > start:
                raise
            return b""

    def delete(self, name: str) -> bool:
        """Every version of it, and its delete markers.

        Raises `Conflict` (locked) while the bucket's object lock keeps a version, `Unavailable`.
        """
        key = self._key(name)
        there = self._versions.of(key)
        for version in there:
            self._versions.delete(key, version)
        if self._versions.of(key):
            raise Conflict("The bucket still keeps a version under object lock; delete it later.", code="locked")
        return bool(there)

    def delete_all(self, names: Iterable[str]) -> int:
        """As `BlobStore` says, several objects side by side."""
        count, waiting = 0, iter(names)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            while some := list(islice(waiting, 4 * _AT_ONCE)):
                count += sum(pool.map(self.delete, some))
        return count

    def names(self, prefix: str = "") -> Iterator[str]:
        from obstore import list as list_objects  # noqa: PLC0415

        # obstore lists whole folders, the contract says any beginning.
        folder = prefix.rpartition("/")[0]
        start = "/".join(part for part in (self._bucket.prefix, folder) if part)

        def pages() -> list[str]:
            batches = list_objects(self._store, prefix=start or None)
            return [str(one["path"]) for batch in batches for one in batch]

        cut = len(self._bucket.prefix) + 1 if self._bucket.prefix else 0
        yield from sorted(name for path in _mapped(pages) if (name := path[cut:]).startswith(prefix))

    def lock_days(self) -> int | None:
        """The bucket's default object lock in days, None without one. Raises `Unavailable`."""
        return self._versions.lock_days()

    def _created(self, item: tuple[str, bytes]) -> bool:
        try:
            self.create(*item)
        except Conflict:
            return False
        return True

    def _read(self, name: str, most: int | None = None) -> tuple[bytes, str | None]:
        from obstore import get  # noqa: PLC0415

        def read() -> tuple[bytes, str | None]:
            found = get(self._store, self._key(name))
            if most is not None and found.meta["size"] > most:  # as the server announced; the body is not fetched
                raise too_large()
            return bytes(found.bytes()), found.meta["e_tag"]

        return _mapped(read)

    def _put(self, name: str, content: bytes, mode: Any) -> None:
        from obstore import put  # noqa: PLC0415

        work = partial(put, self._store, self._key(name), content, mode=mode, use_multipart=False)
        _mapped(work)

    def _keys(self) -> tuple[str, str]:
        return self._bucket.access_key_id, self._bucket.secret_access_key

    def _key(self, name: str) -> str:
        require_name(name)
        return f"{self._bucket.prefix}/{name}" if self._bucket.prefix else name


def _mapped(work: Callable[[], Result]) -> Result:
    """The result; what the library raises becomes ours, without its text."""
    from obstore import exceptions  # noqa: PLC0415

    try:
        return work()
    except exceptions.AlreadyExistsError as error:
        raise Conflict("An object of that name exists already.", code="exists") from error
    except exceptions.PreconditionError as error:
        raise _changed() from error
    except (exceptions.NotFoundError, FileNotFoundError) as error:
        raise NotFound("There is no object of that name.") from error
    except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as error:
        raise Unavailable("The bucket refused its credentials.", code="store-refused") from error
    except exceptions.BaseError as error:
        raise Unavailable("The bucket does not answer as it should; nothing was kept.", code="store-away") from error


def _changed() -> TrothError:
    return Conflict("The object changed meanwhile; read it again.", code="changed")


def _credentials(what: str) -> Unavailable:
    return Unavailable(f"The credentials file of a bucket {what}.", code="store-credentials")
