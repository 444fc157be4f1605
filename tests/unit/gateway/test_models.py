from __future__ import annotations

import pytest

from gateway_world import World
from troth.gateway.vendors.record import Retention
from troth.gateway.wire.models import ListModels, ShowModel
from troth.kernel.errors import NotFound


def names(world: World, jurisdiction: str = "eu") -> list[str]:
    return [one.id for one in world.operations.list_models(world.call(jurisdiction=jurisdiction), ListModels()).data]


def test_models_are_those_that_may_be_used_now(world: World) -> None:
    studio = ["troth-echo-1", "troth-motion-1", "troth-studio-1", "troth-vectors-1"]
    assert names(world) == studio
    world.add_vendor("https://vendor.test/v1", retention=Retention.DAYS, retention_days=3)
    assert names(world) == ["acme-chat", "acme-image", "acme-native", "acme-vectors", "acme-video", *studio]
    assert names(world, "us") == studio
    world.clock.forward(days=181)
    assert names(world) == studio


def test_one_model(world: World) -> None:
    model = world.operations.show_model(world.call(), ShowModel(model="troth-studio-1"))
    assert (model.owned_by, model.object) == ("local-studio", "model")
    with pytest.raises(NotFound) as refusal:
        world.operations.show_model(world.call(), ShowModel(model="other"))
    assert refusal.value.code == "model-not-found"
