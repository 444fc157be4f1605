"""Identity providers of others, started for real: Debian's SimpleSAMLphp under `php -S`, and nanoidp."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import saml_world as w

PHP = Path("/usr/share/simplesamlphp")
PERSON = {"uid": ["ada"], "mail": ["ada@customer.example"], "groups": ["staff", "lab"], "cn": ["Ada Lovelace"]}
_CONFIG = """<?php
$config = [
  'baseurlpath' => 'http://127.0.0.1:%(port)d/', 'certdir' => '%(home)s/cert/', 'loggingdir' => '%(home)s/log/',
  'datadir' => '%(home)s/data/', 'tempdir' => '%(home)s/temp', 'metadatadir' => '%(home)s/metadata/',
  'secretsalt' => 'for-tests-only-0123456789', 'auth.adminpassword' => 'for-tests-only', 'timezone' => 'UTC',
  'technicalcontact_email' => 'na@example.org', 'enable.saml20-idp' => true, 'logging.handler' => 'file',
  'module.enable' => ['exampleauth' => true, 'core' => true, 'saml' => true], 'store.type' => 'phpsession',
  'session.phpsession.savepath' => '%(home)s/sessions', 'session.cookie.secure' => false,
  'session.cookie.samesite' => null, 'language.cookie.secure' => false, 'language.cookie.samesite' => null,
  'session.phpsession.limitedlifetime' => 3600, 'production' => false, 'showerrors' => true,
  'metadata.sources' => [['type' => 'flatfile']], 'trusted.url.domains' => ['troth.example'],
];
"""
_SOURCES = """<?php
$config = ['static' => array_merge(['exampleauth:StaticSource'], json_decode('%s', true))];
"""
_HOSTED = """<?php
$metadata['http://127.0.0.1:%(port)d/idp'] = ['host' => '__DEFAULT__', 'privatekey' => 'idp.key',
  'certificate' => 'idp.crt', 'auth' => 'static', 'simplesaml.nameidattribute' => 'mail',
  'NameIDFormat' => 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress', 'redirect.validate' => true];
"""
_REMOTE = """<?php
$metadata = json_decode(file_get_contents('%s/services.json'), true);
"""
_READ = """
require '/usr/share/simplesamlphp/lib/_autoload.php';
$read = SimpleSAML\\Metadata\\SAMLParser::parseString(stream_get_contents(STDIN));
echo json_encode($read->getMetadata20SP());
"""


@dataclass(frozen=True)
class Posted:
    """What the provider makes the browser post."""

    action: str
    response: str
    state: str


class SimpleSamlPhp:
    """A running SimpleSAMLphp, whose only person signs in by themselves."""

    def __init__(self, home: Path, port: int) -> None:
        self.home = home
        self.base = f"http://127.0.0.1:{port}"
        self._services: dict[str, Any] = {}

    def metadata(self) -> str:
        """The provider's metadata."""
        return httpx2.get(f"{self.base}/saml2/idp/metadata.php", timeout=20).raise_for_status().text

    def know(self, metadata: bytes, **shape: Any) -> None:
        """Let it read a service's metadata by its own parser, and answer that service in a shape."""
        command = ["php", "-r", _READ]
        read = subprocess.run(command, input=metadata, capture_output=True, check=True, env=_environment(self.home))
        service = json.loads(read.stdout)
        self._services[service["entityid"]] = service | {"validate.authnrequest": True} | shape
        (self.home / "services.json").write_text(json.dumps(self._services))


def posted(page: str) -> Posted:
    """The form of a page that posts itself."""
    action = re.search(r'<form[^>]*action="([^"]+)"', page)
    fields = dict(re.findall(r'name="(SAMLResponse|RelayState)"\s+value="([^"]*)"', page))
    assert action is not None, page
    return Posted(html.unescape(action[1]), html.unescape(fields["SAMLResponse"]), html.unescape(fields["RelayState"]))


def visit(address: str) -> Posted:
    """Follow a redirect to the provider as a browser does, up to the form that it answers with."""
    with httpx2.Client(follow_redirects=True, timeout=30) as browser:
        return posted(browser.get(address).raise_for_status().text)


@contextmanager
def simplesamlphp(home: Path) -> Iterator[SimpleSamlPhp]:
    """A running one, with its files in `home`."""
    port = _free_port()
    for name in ("cert", "log", "data", "temp", "metadata", "sessions"):
        (home / name).mkdir(parents=True)
    words = {"port": port, "home": home}
    (home / "config.php").write_text(_CONFIG % words)
    (home / "authsources.php").write_text(_SOURCES % json.dumps(PERSON))
    (home / "metadata" / "saml20-idp-hosted.php").write_text(_HOSTED % words)
    (home / "metadata" / "saml20-sp-remote.php").write_text(_REMOTE % home)
    (home / "services.json").write_text("{}")
    private = w.key("php").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (home / "cert" / "idp.key").write_bytes(private)
    (home / "cert" / "idp.crt").write_bytes(w.certificate("php").public_bytes(Encoding.PEM))
    command = ["php", "-d", "display_errors=0", "-S", f"127.0.0.1:{port}", "-t", str(PHP / "www")]
    with _running(command, _environment(home), home / "log", port):
        yield SimpleSamlPhp(home, port)


class NanoIdp:
    """A running nanoidp, at which a person signs in with name and password."""

    def __init__(self, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}"

    def metadata(self) -> str:
        """The provider's metadata."""
        return httpx2.get(f"{self.base}/saml/metadata", timeout=20).raise_for_status().text

    def visit(self, address: str) -> Posted:
        """Follow a redirect to the provider and sign in there, up to the form that it answers with."""
        with httpx2.Client(timeout=30) as browser:
            page = browser.get(address).raise_for_status().text
            hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
            fields = {name: html.unescape(value) for name, value in hidden.items()}
            given = fields | {"username": "ada", "password": "for-tests-only"}
            return posted(browser.post(f"{self.base}/saml/sso", data=given).raise_for_status().text)


@contextmanager
def nanoidp(home: Path, certificate: str) -> Iterator[NanoIdp]:
    """A running one that takes requests signed by `certificate` (PEM) only."""
    port = _free_port()
    settings = {
        "server": {"port": port},
        "saml": {
            "entity_id": f"http://127.0.0.1:{port}/saml",
            "sso_url": f"http://127.0.0.1:{port}/saml/sso",
            "export_groups": True,
            "want_authn_requests_signed": True,
            "sp_certificates": [str(home / "service.pem")],
            "strict_binding": True,
        },
        "jwt": {"keys_dir": str(home / "keys")},
    }
    person = {"password": "for-tests-only", "email": "ada@customer.example", "groups": ["staff", "lab"]}
    (home / "settings.yaml").write_text(json.dumps(settings))  # JSON is YAML
    (home / "service.pem").write_text(certificate)
    (home / "users.yaml").write_text(json.dumps({"users": {"ada": person}}))
    command = [str(Path(".venv/idp/bin/nanoidp").absolute()), "--config", str(home)]
    with _running(command, {"PATH": os.environ["PATH"]}, home, port):
        yield NanoIdp(port)


def _environment(home: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "SIMPLESAMLPHP_CONFIG_DIR": str(home), "PHP_CLI_SERVER_WORKERS": "1"}


@contextmanager
def _running(command: list[str], environment: dict[str, str], log: Path, port: int) -> Iterator[None]:
    assert shutil.which(command[0]), f"{command[0]} is not installed: scripts/system-packages test"
    with (log / "server.txt").open("wb") as output:
        server = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
        try:
            for _ in range(200):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                assert server.poll() is None, (log / "server.txt").read_text()
                time.sleep(0.1)
            yield
        finally:
            server.terminate()
            server.wait(10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
