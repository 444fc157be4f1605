"""The API description names every route with its permission and data class."""

from __future__ import annotations

from .conftest import World


def test_each_operation_is_described(world: World) -> None:
    described = world.client.get("/openapi.json").json()
    assert set(described["paths"]) == {"/echo/{word}", "/echo", "/photo", "/refuse", "/stream"}
    say = described["paths"]["/echo/{word}"]["post"]
    assert (say["operationId"], say["summary"], say["x-troth-permission"]) == ("echo.say", "Say a word.", "own-data")
    assert say["security"] == [{"bearer": []}, {"dpop": []}]
    assert "security" not in described["paths"]["/echo"]["get"]
    assert [one["name"] for one in described["paths"]["/echo"]["get"]["parameters"]] == ["word", "limit"]
