"""Seal and open against OpenSSL, Tink and the AWS Encryption SDK in one run, by `python bench/vault_objects.py`.

Writes results/vault_objects.md. The peers come with `make bench` (requirements-bench.lock). Sealing makes a fresh key,
wraps it and commits to it for each object, as the AWS Encryption SDK does (with its committing suite); Tink's AEAD and
`openssl speed` use one key for everything and commit to nothing. CPU time of one thread, best of three rounds.
Goals: 1 KiB at 30,000 seals a second, 1 MiB at 70 % of `openssl speed`.
"""

from __future__ import annotations

import os
import platform
import re
import secrets
import subprocess
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import distributions, version
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from troth.kernel.data_class import DataClass
from troth.vault import framing

SIZES = {"1 KiB": 1 << 10, "64 KiB": 1 << 16, "1 MiB": 1 << 20, "64 MiB": 1 << 26}
TARGET = Path(__file__).parent / "results" / "vault_objects.md"
ROUNDS, SECONDS = 3, 0.25
FACTS = framing.Facts("eu", DataClass.USER_GENERATED, b"t" * 16, b"o" * 16, 1)


@dataclass(frozen=True)
class Unit:
    id: bytes = b"u" * 16
    generation: int = 1
    key: bytes = b"k" * 32


def rate(work: Callable[[], object]) -> float:
    """Calls per second of CPU time, the best of the rounds."""
    work()
    best = 0.0
    for _ in range(ROUNDS):
        count, start = 0, time.process_time()
        while (spent := time.process_time() - start) < SECONDS:
            work()
            count += 1
        best = max(best, count / spent)
    return best


def peers() -> dict[str, Callable[[bytes], object]]:
    """Encryption by the peers, by name; one that is not installed is left out and named on the screen."""
    found: dict[str, Callable[[bytes], object]] = {}
    for name, make in (("Tink", _tink), ("AWS ESDK", _aws)):
        try:
            found[name] = make()
        except ImportError as error:
            print(f"{name} is left out: {error.name} is not installed (make bench installs it)")
    return found


def _tink() -> Callable[[bytes], object]:
    import tink
    from tink import aead

    aead.register()
    cipher = tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM).primitive(aead.Aead)
    return lambda content: cipher.encrypt(content, b"object")


def _aws() -> Callable[[bytes], object]:
    import aws_encryption_sdk as sdk
    from aws_encryption_sdk import identifiers
    from aws_encryption_sdk.internal.crypto.wrapping_keys import WrappingKey
    from aws_encryption_sdk.key_providers.raw import RawMasterKeyProvider

    class Provider(RawMasterKeyProvider):
        provider_id = "bench"

        def _get_raw_key(self, key_id: str) -> WrappingKey:
            algorithm = identifiers.WrappingAlgorithm.AES_256_GCM_IV12_TAG16_NO_PADDING
            return WrappingKey(algorithm, b"k" * 32, identifiers.EncryptionKeyType.SYMMETRIC)

    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # raw keys are deprecated in favour of another package, and measured as they are
        provider = Provider()
        provider.add_master_key("k")
    client = sdk.EncryptionSDKClient()  # commitment is its default
    suite = identifiers.Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY  # without its ECDSA signature, as ours
    return lambda content: client.encrypt(source=content, key_provider=provider, algorithm=suite)


def openssl(size: int) -> float:
    """MB/s of `openssl speed -evp aes-256-gcm`, which counts CPU time; the best of three one-second runs."""
    command = ["openssl", "speed", "-evp", "aes-256-gcm", "-bytes", str(size), "-seconds", "1"]
    best = 0.0
    for _ in range(3):
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        best = max(best, float(re.findall(r"AES-256-GCM\s+([0-9.]+)k", said)[-1]) / 1000)
    return best


def measured(size: int) -> dict[str, float]:
    """Seals and opens per second beside plain AES-GCM of the same library."""
    plain, unit, cipher = os.urandom(size), Unit(), AESGCM(secrets.token_bytes(32))
    sealed, nonce = framing.seal(FACTS, unit, plain), bytes(12)
    encrypted = cipher.encrypt(nonce, plain, None)
    return {
        "seal": rate(lambda: framing.seal(FACTS, unit, plain)),
        "open": rate(lambda: framing.open(sealed, FACTS, unit)),
        "plain encrypt": rate(lambda: cipher.encrypt(nonce, plain, None)),
        "plain decrypt": rate(lambda: cipher.decrypt(nonce, encrypted, None)),
    }


def tools() -> str:
    """Versions of the peers that are there."""
    names = [
        name for name in ("tink", "aws-encryption-sdk") if any(d.metadata["Name"] == name for d in distributions())
    ]
    return "".join(f"{name} {version(name)}, " for name in names)


def beside(others: dict[str, Callable[[bytes], object]], name: str, size: int, *, count: bool = False) -> str:
    """A peer's cell."""
    if name not in others:
        return "not installed"
    content = os.urandom(size)
    per_second = rate(lambda: others[name](content))
    return f"{per_second * size / 1e6:,.0f}" + (f" ({per_second:,.0f}/s)" if count else "")


def conditions() -> str:
    """What a reader needs to judge the numbers."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    said = subprocess.run(["openssl", "version"], check=True, capture_output=True, text=True).stdout.split()
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {model[1] if model else platform.machine()}, {os.cpu_count()} cores, "
        f"load average {os.getloadavg()[0]:.1f}, Python {platform.python_version()}, "
        f"cryptography {version('cryptography')}, {tools()}"
        f"{said[0]} {said[1]}; CPU time of one thread, best of {ROUNDS} rounds."
    )


def main() -> None:
    lines = [
        "# Vault objects: TOB1 beside OpenSSL, Tink and the AWS Encryption SDK",
        "",
        f"`python bench/vault_objects.py`. {conditions()}",
        "",
        "| size | seal/s | seal MB/s | open MB/s | plain AESGCM enc / dec MB/s | openssl speed MB/s | seal : openssl "
        "| Tink MB/s | AWS ESDK MB/s (messages/s) |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    others = peers()
    for name, size in SIZES.items():
        here, peer = measured(size), openssl(size)
        speed = {what: per_second * size / 1e6 for what, per_second in here.items()}
        lines.append(
            f"| {name} | {here['seal']:,.0f} | {speed['seal']:,.0f} | {speed['open']:,.0f} "
            f"| {speed['plain encrypt']:,.0f} / {speed['plain decrypt']:,.0f} | {peer:,.0f} "
            f"| {speed['seal'] / peer:.0%} "
            f"| {beside(others, 'Tink', size)} | {beside(others, 'AWS ESDK', size, count=True)} |"
        )
        print(lines[-1], flush=True)
    TARGET.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
