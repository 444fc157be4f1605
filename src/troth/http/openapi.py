"""OpenAPI 3.1 made from the operation registry."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticSchemaGenerationError

from troth import __version__
from troth.kernel.operation import Binary, Group, Operation, Registry, Reply, Route, Stream

_MEDIA = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
    "multipart": "multipart/form-data",
    "either": "multipart/form-data",
    "scim": "application/scim+json",
}
_REFERENCE = "#/components/schemas/{model}"


def document(registry: Registry) -> dict[str, Any]:
    """The API description of all routed operations."""
    schemas: dict[str, Any] = {}
    paths: dict[str, dict[str, Any]] = {}
    for operation in registry:
        route = operation.declaration.route
        if route is not None:
            paths.setdefault(route.path, {})[route.method.lower()] = _described(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Troth", "version": __version__, "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "API key, or session without a key"},
                "dpop": {"type": "http", "scheme": "dpop", "description": "Session bound to a key (RFC 9449)"},
            },
        },
    }


def _described(operation: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    declaration = operation.declaration
    route = declaration.route
    assert route is not None
    request = _schema(declaration.request, schemas, "validation")
    in_path = set(re.findall(r"{(\w+)", route.path))
    fields = request.get("properties", {})
    described: dict[str, Any] = {
        "operationId": declaration.name,
        "summary": operation.summary,
        "tags": [declaration.name.partition(".")[0]],
        "parameters": [
            {"name": name, "in": "path" if name in in_path else "query", "required": name in in_path, "schema": schema}
            for name, schema in fields.items()
            if name in in_path or route.body == "none"
        ],
        "responses": {
            str(route.status): _response(operation, schemas),
            "default": {"description": "A refusal (RFC 9457)", "content": {"application/problem+json": {}}},
        },
        "x-troth-permission": declaration.group.value,
        "x-troth-data-class": declaration.data_class.value,
    }
    if declaration.group not in (Group.PUBLIC, Group.SIGN_IN):
        described["security"] = [{"bearer": []}, {"dpop": []}]
    if route.body == "scim":  # RFC 7643 gives the bodies, and /Schemas says which attributes there are
        request = {"type": "object"}
    if route.body != "none" and not (route.body == "scim" and route.method in ("GET", "DELETE")):
        media = _MEDIA[route.body]
        described["requestBody"] = {"content": {media: {"schema": request}}}
    return described


def _route(operation: Operation) -> Route:
    route = operation.declaration.route
    assert route is not None
    return route


def _response(operation: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    returned = operation.response
    if isinstance(returned, type) and issubclass(returned, BaseModel):
        schema = _schema(returned, schemas, "serialization")
        return {"description": operation.summary, "content": {"application/json": {"schema": schema}}}
    if returned is Reply:
        return {"description": operation.summary, "content": {_MEDIA[_route(operation).body]: {}}}
    if returned in (Binary, Stream):
        media = "application/octet-stream" if returned is Binary else "text/event-stream"
        return {"description": operation.summary, "content": {media: {}}}
    return {"description": operation.summary}


def _schema(model: Any, schemas: dict[str, Any], mode: Any) -> dict[str, Any]:
    try:
        schema = TypeAdapter(model).json_schema(ref_template=_REFERENCE, mode=mode)
    except (PydanticInvalidForJsonSchema, PydanticSchemaGenerationError):
        return {"type": "object"}  # bytes of uploads have no JSON schema
    schemas.update(schema.pop("$defs", {}))
    return schema
