"""Attacks upon the model in a prompt, by `securevector-guardian-model` (Apache-2.0), loaded at the first text.

10 MB of memory and half a second to load; 0.2 to 5 ms a text. Only the beginning and the end of a long text are read.
"""

from __future__ import annotations

import threading
import zlib
from functools import lru_cache
from importlib import import_module
from importlib.resources import files
from typing import Any

from troth.kernel.errors import Unavailable
from troth.redact.tiers import knowledge

# Its classes that are upon the model; the others (harm, personal data, deceit) are judged elsewhere, and better.
ATTACKS = frozenset({"prompt_injection", "jailbreak", "model_attack", "data_exfiltration"})
MOST = 2000  # characters at each end
_LOCK = threading.Lock()


def score(text: str) -> float:
    """How likely it is an attack, by the model's own threshold: 0 below it. Raises `Unavailable` (extra-missing)."""
    if not text.strip():
        return 0.0
    with _LOCK:  # one loads it, and the others wait
        model = _loaded()
    read = text if len(text) <= 2 * MOST else f"{text[:MOST]}\n{text[-MOST:]}"
    found = model.judge(read)
    counts = found["verdict"] == "malicious" and found.get("category") in ATTACKS
    return float(found["malicious_score"]) if counts else 0.0


@lru_cache(maxsize=1)
def _loaded() -> Any:
    try:
        # Its own file by name: `resolve_runtime` would look elsewhere first, and could ask the network.
        guardian = import_module("troth.gateway.moderation.guardian").Guardian  # numpy: not before it is needed
        path = files("svguardian").joinpath("_runtime/guardian.runtime.json.gz")
        pure = import_module("svguardian.model.pure_infer").PureGuardian.load(str(path))
        common = knowledge().common  # by CRC-32
        return guardian(pure, lambda word: zlib.crc32(word.encode("utf-8", "surrogatepass")) in common)
    except (ImportError, OSError, ValueError) as error:
        raise Unavailable(
            "The model of prompt attacks is not installed; install the extra 'server', or let the moderation policy "
            "allow prompt_attack.",
            code="extra-missing",
        ) from error
