"""Time stamps by RFC 3161: an authority of openssl behind a small server, with and without our trust, and away."""

from __future__ import annotations

import io
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import encypher_c2pa
import pytest
from PIL import Image

from stamp_authority import StampAuthority, answering, certificate, new_key, pem
from troth.gateway.provenance import Credentials, TimeStamps
from troth.gateway.provenance.authority import Authority
from troth.kernel.clock import SystemClock
from troth.kernel.errors import Unavailable

_CONFIGURATION = """
[req]
distinguished_name = name
prompt = no
[name]
O = Test Stamps
CN = Test Root
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[stamper]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[tsa]
default_tsa = one
[one]
serial = ./serial
signer_cert = ./stamper.pem
certs = ./root.pem
signer_key = ./stamper.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256,sha384,sha512
ess_cert_id_alg = sha256
"""


@dataclass
class Stamper:
    """The authority: its address, its root, and what it was asked."""

    url: str
    root: str
    asked: list[bytes] = field(default_factory=list)


def _openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True, timeout=30)


@pytest.fixture(scope="module")
def stamper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stamper]:
    folder = tmp_path_factory.mktemp("stamps")
    (folder / "c.cnf").write_text(_CONFIGURATION)
    (folder / "serial").write_text("01\n")
    for name in ("root", "stamper"):
        _openssl(folder, "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key")
    _openssl(folder, "req", "-x509", "-new", "-key", "root.key", "-days", "3650", "-config", "c.cnf",
             "-extensions", "root", "-out", "root.pem")  # fmt: skip
    _openssl(folder, "req", "-new", "-key", "stamper.key", "-config", "c.cnf", "-subj", "/CN=Test Stamper",
             "-out", "stamper.csr")  # fmt: skip
    _openssl(folder, "x509", "-req", "-in", "stamper.csr", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial",
             "-days", "3600", "-extfile", "c.cnf", "-extensions", "stamper", "-out", "stamper.pem")  # fmt: skip
    running = Stamper("", (folder / "root.pem").read_text())

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            running.asked.append(self.rfile.read(int(self.headers["content-length"])))
            (folder / "query").write_bytes(running.asked[-1])
            _openssl(folder, "ts", "-reply", "-config", "c.cnf", "-queryfile", "query", "-out", "reply")
            reply = (folder / "reply").read_bytes()
            self.send_response(200)
            self.send_header("content-type", "application/timestamp-reply")
            self.send_header("content-length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *_words: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        running.url = f"http://127.0.0.1:{server.server_port}/"
        yield running
        server.shutdown()


def _picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (32, 32), "teal").save(out, "PNG")
    return out.getvalue()


def test_a_stamp_of_an_authority_we_trust(stamper: Stamper, tmp_path: Path) -> None:
    credentials = Credentials(tmp_path / "c", stamps=TimeStamps(stamper.url, stamper.root))
    signed = credentials.sign(_picture(), "image/png", source="algorithmicMedia")
    found = credentials.verify(signed, "image/png")
    assert found.time_stamp == "trusted"
    assert (found.signed_at or "").startswith("20")
    assert max(map(len, stamper.asked)) < 200  # a digest and a number, and nothing of the picture
    told = encypher_c2pa.verify(signed, "image/png", telemetry=False, online=False, no_default_trust=True,
                                trust_pem=credentials.anchor)  # fmt: skip
    assert told["integrity"] == "valid"


def test_a_stamp_of_a_stranger_counts_as_one(stamper: Stamper, tmp_path: Path) -> None:
    credentials = Credentials(tmp_path / "c", stamps=TimeStamps(stamper.url))
    found = credentials.read(credentials.sign(_picture(), "image/png", source="algorithmicMedia"), "image/png")
    assert (found.state, found.time_stamp) == ("trusted", "untrusted")


def test_without_the_authority_nothing_is_signed(tmp_path: Path) -> None:
    credentials = Credentials(tmp_path / "c", stamps=TimeStamps("http://127.0.0.1:9/"))
    with pytest.raises(Unavailable) as refusal:
        credentials.sign(_picture(), "image/png", source="algorithmicMedia")
    assert refusal.value.code == "credentials-failed"


def test_unless_the_operator_lets_it_go_without(tmp_path: Path) -> None:
    credentials = Credentials(tmp_path / "c", stamps=TimeStamps("http://127.0.0.1:9/", required=False))
    found = credentials.verify(credentials.sign(_picture(), "image/png", source="algorithmicMedia"), "image/png")
    assert (found.time_stamp, found.signed_at) == ("none", None)


def test_the_root_of_the_stamps_vouches_for_no_signer(tmp_path: Path) -> None:
    theirs = Credentials(tmp_path / "theirs")
    ours = Credentials(tmp_path / "ours", stamps=TimeStamps("http://127.0.0.1:9/", theirs.anchor, required=False))
    assert ours.read(theirs.sign(_picture(), "image/png", source="algorithmicMedia"), "image/png").state == "valid"
    assert ours.read(ours.sign(_picture(), "image/png", source="algorithmicMedia"), "image/png").state == "trusted"


@pytest.fixture
def silent() -> Iterator[str]:
    """An authority that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


def test_a_silent_authority_holds_nobody_up(silent: str, tmp_path: Path) -> None:
    credentials = Credentials(tmp_path / "c", stamps=TimeStamps(silent, seconds=0.05))
    for _ in range(20):  # more than may be under way at once
        with pytest.raises(Unavailable) as refusal:
            credentials.sign(_picture(), "image/png", source="algorithmicMedia")
        assert refusal.value.code == "credentials-failed"


def test_a_silent_authority_that_is_not_required_is_done_without(silent: str, tmp_path: Path) -> None:
    credentials = Credentials(tmp_path / "c", stamps=TimeStamps(silent, required=False, seconds=0.05))
    found = credentials.verify(credentials.sign(_picture(), "image/png", source="algorithmicMedia"), "image/png")
    assert (found.time_stamp, found.signed_at) == ("none", None)


def test_a_signer_of_ones_own_is_asked(tmp_path: Path) -> None:
    """The key may lie elsewhere: in a module or a key service, which signs and never gives it out."""
    elsewhere, asked = Authority(tmp_path / "module", SystemClock()), list[int]()

    class Module:
        anchor, chain, assurance = elsewhere.anchor, elsewhere.chain, "A2"

        def sign(self, message: bytes) -> bytes:
            asked.append(len(message))
            return elsewhere.sign(message)

    credentials = Credentials(tmp_path / "unused", signer=Module())
    found = credentials.verify(credentials.sign(_picture(), "image/png", source="algorithmicMedia"), "image/png")
    assert found.valid
    assert found.signer_class == "A2"
    assert len(asked) == 1
    assert not (tmp_path / "unused").exists()


@pytest.fixture(scope="module")
def wayward() -> Iterator[StampAuthority]:
    """An authority that answers as a test wants."""
    with answering(StampAuthority()) as running:
        yield running


@pytest.fixture(scope="module")
def trusting(wayward: StampAuthority, tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    stamps = TimeStamps(wayward.url, pem(wayward.root))
    return Credentials(tmp_path_factory.mktemp("wayward") / "c", stamps=stamps)


def test_an_authority_made_by_hand_is_trusted(wayward: StampAuthority, trusting: Credentials) -> None:
    wayward.how = {}
    signed = trusting.signed(_picture(), "image/png", source="algorithmicMedia")
    assert signed.stamped
    assert trusting.verify(signed.content, "image/png").time_stamp == "trusted"


def test_a_stamp_of_somebody_else_is_none_where_the_authority_is_known(
    wayward: StampAuthority, trusting: Credentials
) -> None:
    stranger = new_key()
    root = certificate(stranger)
    wayward.how = {"leaf": certificate(stranger, (root, stranger)), "key": stranger}
    with pytest.raises(Unavailable) as refusal:
        trusting.sign(_picture(), "image/png", source="algorithmicMedia")
    assert refusal.value.code == "credentials-failed"


@pytest.mark.parametrize(
    "how",
    [{"http": 302}, {"http": 307}, {"http": 500}, {"media_type": "text/html"}, {"nonce": 1},
     {"mangled": lambda made: made + bytes(1 << 20)}],
    ids=["302", "307", "500", "html", "nonce", "large"],
)  # fmt: skip
def test_what_is_no_answer_signs_nothing(wayward: StampAuthority, trusting: Credentials, how: dict[str, Any]) -> None:
    wayward.how = how
    with pytest.raises(Unavailable) as refusal:
        trusting.sign(_picture(), "image/png", source="algorithmicMedia")
    assert refusal.value.code == "credentials-failed"


def test_an_answer_without_an_end_is_not_read(wayward: StampAuthority, trusting: Credentials) -> None:
    wayward.how, wayward.sent = {"flood": 1 << 30}, 0
    with pytest.raises(Unavailable):
        trusting.sign(_picture(), "image/png", source="algorithmicMedia")
    assert wayward.sent < 64 << 20  # what stands in the buffers of two sockets
