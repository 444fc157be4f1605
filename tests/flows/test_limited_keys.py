"""Keys that are kept to networks and models, used by the official OpenAI client as any other key is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import openai
import pytest

from served import Person, Served, served

CHAT, IMAGE = "troth-echo-1", "troth-studio-1"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="module")
def person(server: Served) -> Person:
    return server.tenant("limited-keys")


def limited(server: Served, person: Person, **limits: Any) -> str:
    """The token of a key that is kept to models or networks."""
    wish = {"name": "limited", "scopes": ["generate"], "days": 1, **limits}
    return str(server.stage.client(person.session).call("POST", "/v1/keys", wish).json()["token"])


def test_a_key_kept_to_a_model_and_a_network_and_its_successor(server: Served, person: Person) -> None:
    token = limited(server, person, models=[CHAT], networks=["127.0.0.0/8", "::1"])
    path = f"/v1/keys/key_{token.split('_')[2]}/rotate"
    made = server.stage.client(person.session).call("POST", path, {"overlap_hours": 1}).json()
    for one in (token, made["token"]):
        with server.openai(one) as client:
            assert [model.id for model in client.models.list()] == [CHAT]
            said = client.chat.completions.create(model=CHAT, messages=[{"role": "user", "content": "Hello"}])
            assert said.choices[0].message.content
            with pytest.raises(openai.NotFoundError):
                client.models.retrieve(IMAGE)
            for model in (IMAGE, openai.omit):
                with pytest.raises(openai.PermissionDeniedError) as refused:
                    client.images.generate(model=model, prompt="waves", size="256x256")
                assert refused.value.code == "model_not_allowed"


def test_a_key_that_is_shown_from_elsewhere(server: Served, person: Person) -> None:
    token = limited(server, person, networks=["203.0.113.0/24", "2001:db8::/32"])
    with server.openai(token) as client, pytest.raises(openai.AuthenticationError) as refused:
        client.models.list()
    assert refused.value.code == "key_network"
    listed = server.stage.client(person.session).call("GET", "/v1/keys").json()["keys"]
    (shown,) = [one for one in listed if one["id"] == f"key_{token.split('_')[2]}"]
    assert shown["refused_at"]
