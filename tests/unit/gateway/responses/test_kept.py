"""A kept response is found by the id of its request, whichever vendor made it."""

from __future__ import annotations

from aiohttp import web

from gateway_world import Upstream, World, serving
from troth.gateway.wire.responses import CreateResponse, Response, ResponseById


def test_one_that_another_vendor_made_is_shown_and_deleted(world: World) -> None:
    async def full(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=503)

    call = world.call()

    async def go() -> Response:
        async with serving(Upstream(handler=full)) as acme, serving(Upstream()) as bravo:
            world.add_vendor(acme.url, vendor="acme")
            world.add_vendor(bravo.url, vendor="bravo")
            wanted = CreateResponse(model="acme-chat", input="hello", store=True)
            made = await world.answers.create_response(call, wanted)
            assert isinstance(made, Response)
            return made

    made = world.run(go())
    receipt = world.receipt(call)
    assert [one.vendor for one in receipt.attempts or []] == ["acme", "bravo"]
    shown = world.answers.show_response(world.call(), ResponseById(response_id=made.id))
    assert shown.output == made.output
    world.answers.delete_response(world.call(), ResponseById(response_id=made.id))
