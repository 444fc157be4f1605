"""A real S3 server (SeaweedFS) on loopback with signatures on, and buckets with versions or object lock."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from troth.storage.s3_blobs import Bucket, S3Blobs
from troth.storage.s3_versions import Signing

REGION = "eu-test-1"
_KEYS = ("troth-test", "troth-test-secret")  # of a server that lives as long as the tests
_START_SECONDS = 60.0


@dataclass
class S3Server:
    """A running server."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def bucket(self, *, versioned: bool = False, lock_days: int | None = None) -> str:
        """A fresh bucket."""
        name = f"b-{secrets.token_hex(6)}"
        self.send("PUT", name)
        if versioned or lock_days:
            body = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
            self.send("PUT", name, {"versioning": ""}, body)
        if lock_days:
            rule = f"<Mode>GOVERNANCE</Mode><Days>{lock_days}</Days>"
            body = (
                "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>"
                f"{rule}</DefaultRetention></Rule></ObjectLockConfiguration>"
            ).encode()
            self.send("PUT", name, {"object-lock": ""}, body)
        return name

    def store(self, bucket: str, prefix: str = "", *, secret: str = _KEYS[1], timeout: float = 10.0) -> S3Blobs:
        return S3Blobs(Bucket(bucket, prefix, REGION, self.endpoint, _KEYS[0], secret, timeout))

    def credentials(self, folder: Path) -> Path:
        path = folder / "s3-credentials.toml"
        path.write_text(f'access_key_id = "{_KEYS[0]}"\nsecret_access_key = "{_KEYS[1]}"\n')
        path.chmod(0o600)
        return path

    def send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> bytes:
        signing = Signing(f"127.0.0.1:{self.port}", REGION, _KEYS)
        signed = signing.presigned(method, f"/{path}", query or {}, datetime.now(UTC))
        url = f"{self.endpoint}/{path}?{signed}"
        request = urllib.request.Request(url, data=body, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            content: bytes = answer.read()
        return content

    def stop(self) -> None:
        """The server is gone."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def pause(self) -> None:
        """The server hangs, as behind a cut line: on return each of its threads has stopped."""
        os.killpg(self.process.pid, signal.SIGSTOP)
        os.waitpid(self.process.pid, os.WUNTRACED)  # a signal is on its way for a moment, and answers go out meanwhile

    def go_on(self) -> None:
        os.killpg(self.process.pid, signal.SIGCONT)


@contextmanager
def running() -> Iterator[S3Server]:
    """A server for the length of a block."""
    with tempfile.TemporaryDirectory(prefix="troth-weed-") as name:
        folder = Path(name)
        identity = {
            "name": "troth",
            "credentials": [{"accessKey": _KEYS[0], "secretKey": _KEYS[1]}],
            "actions": ["Admin"],
        }
        (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
        ports = _free_ports(10)
        with (folder / "weed.log").open("wb") as log:
            process = subprocess.Popen(
                _command(folder, ports), stdout=log, stderr=log, start_new_session=True, cwd=folder, env=_environment()
            )
            server = S3Server(ports[0], process)
            try:
                _await(server, folder / "weed.log")
                yield server
            finally:
                server.stop()


def _command(folder: Path, ports: list[int]) -> list[str]:
    weed = str(Path(sys.executable).with_name("weed"))
    s3, s3_grpc, master, master_grpc, volume, volume_grpc, filer, filer_grpc, *_ = ports
    return [
        weed,
        "server",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        f"-dir={folder}",
        "-s3",
        f"-s3.config={folder / 's3.json'}",
        f"-s3.port={s3}",
        f"-s3.port.grpc={s3_grpc}",
        "-s3.port.lance=0",
        "-s3.port.iceberg=0",
        f"-master.port={master}",
        f"-master.port.grpc={master_grpc}",
        "-master.volumeSizeLimitMB=64",
        f"-volume.port={volume}",
        f"-volume.port.grpc={volume_grpc}",
        "-volume.max=0",
        f"-filer.port={filer}",
        f"-filer.port.grpc={filer_grpc}",
        "-master.telemetry=false",
    ]


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TROTH_"))}


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def _await(server: S3Server, log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        if server.process.poll() is not None:
            break
        try:
            server.send("PUT", "ready")
            return
        except (OSError, urllib.error.URLError):
            time.sleep(0.3)
    raise RuntimeError(log.read_text(errors="replace")[-2000:])
