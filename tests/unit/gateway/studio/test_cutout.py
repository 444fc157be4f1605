from __future__ import annotations

import numpy as np
from PIL import Image

from troth.gateway.studio.cutout import Background, foreground, replaced


def test_old_background_does_not_shine_through_the_rim() -> None:
    """A red subject with a soft edge, photographed before green: before white nothing green is left."""
    alpha = np.clip((np.arange(160) - 75) / 10, 0, 1).astype(np.float32)[None, :].repeat(90, 0)
    red, green = np.array([0.8, 0.1, 0.1]), np.array([0.1, 0.9, 0.1])
    seen = (alpha[..., None] * red + (1 - alpha[..., None]) * green).astype(np.float32)
    image = Image.fromarray((seen * 255).astype(np.uint8))
    front = np.concatenate([strip for _, strip in foreground(np.asarray(image), alpha)])
    half = (alpha > 0.3) & (alpha < 0.7)
    assert float(front[half][:, 1].max()) < 0.25 < float(seen[half][:, 1].min())
    assert replaced(image, alpha, Background("transparent")).mode == "RGBA"


def test_a_blurred_background_has_nothing_of_the_subject() -> None:
    truth = np.zeros((240, 320), bool)
    truth[50:200, 100:220] = True
    image = Image.fromarray(np.where(truth[..., None], [176, 58, 46], [150, 170, 190]).astype(np.uint8))
    soft = np.asarray(replaced(image, truth.astype(np.float32), Background("blurred"))).astype(int)
    assert int(np.abs(soft[~truth] - np.array([150, 170, 190])).max()) < 8
