"""From PyTorch to the file that is shipped: norms folded into the convolutions, tables in bytes, the rest in half precision."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from torch import Tensor

from training.encode import LABELS
from training.network import Tagger
from troth.redact.model.weights import write


def _bytes(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """int8 and one scale for the whole table."""
    scale = max(float(np.abs(table).max()) / 127, 1e-8)
    return np.clip(np.rint(table / scale), -127, 127).astype(np.int8), np.array([scale], dtype=np.float32)


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().numpy()


def export(model: Tagger, path: Path, facts: dict[str, object]) -> None:
    """Write the weights of one tier."""
    arrays: dict[str, np.ndarray] = {}
    for name in ("norm", "prefix", "suffix", "shape"):
        arrays[f"{name}.table"], arrays[f"{name}.scale"] = _bytes(_array(getattr(model, name).weight))
    arrays["enter.weight"] = _array(model.enter.weight.T).astype(np.float16)
    arrays["enter.bias"] = _array(model.enter.bias).astype(np.float32)
    arrays["space"] = _array(model.space.weight).astype(np.float32)
    for i, layer in enumerate(model.layers):
        gain = _array(layer.norm.weight) / np.sqrt(_array(layer.norm.running_var) + layer.norm.eps)
        arrays[f"layer{i}.weight"] = np.ascontiguousarray((_array(layer.mix.weight) * gain[:, None]).T).astype(
            np.float16
        )
        arrays[f"layer{i}.bias"] = (_array(layer.norm.bias) - _array(layer.norm.running_mean) * gain).astype(np.float32)
    arrays["leave.weight"] = np.ascontiguousarray(_array(model.leave.weight).T).astype(np.float16)
    arrays["leave.bias"] = _array(model.leave.bias).astype(np.float32)
    arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    write(
        path,
        {**facts, "kind": "tagger", "labels": list(LABELS), "reach": [layer.reach for layer in model.layers]},
        arrays,
    )
