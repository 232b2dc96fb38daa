"""Parts of an OpenAPI document: calls, parameters, bodies, answers and the problems that every call may answer with.

Promise: a call that is written with these names all statuses that it can answer with and the headers that it reads; the
shapes themselves are the structs of the code, by reference.
"""

from __future__ import annotations

from typing import Any, Final

from shopward.protection.members import PAGES_MAX

PROBLEM_EXAMPLE: Final = {
    "type": "/docs#problem-unknown_word", "title": "Unknown word", "status": 422, "detail": "not in the vocabulary",
    "code": "unknown_word", "path": "type", "expected": "one of login, logout, ...", "found": "another word",
    "hint": "did you mean payment?",
}  # fmt: skip
ID: Final = {
    "name": "id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1, "maxLength": 128},
}  # fmt: skip


def portable(part: Any) -> Any:
    """A part of a document whose patterns end in ``$``, as JSON Schema asks: there it is the end, where Python's also stands before a line feed."""
    if isinstance(part, dict):
        return {
            key: each[:-2] + "$" if key == "pattern" and str(each).endswith(r"\Z") else portable(each)
            for key, each in part.items()
        }
    return [portable(each) for each in part] if isinstance(part, list) else part


def call(
    name: str, summary: str, text: str, takes: str, example: dict[str, Any], gives: str, *refusals: str, status: str = "200"
) -> dict[str, Any]:  # fmt: skip
    """A POST of one shape that is answered with another."""
    return post(
        name, summary, text, {"application/json": content(takes, example)},
        {status: answer(summary, "application/json", gives, None)}, *refusals,
    )  # fmt: skip


def tried(
    name: str, summary: str, text: str, takes: str, example: dict[str, Any], gives: str, *, status: str = "200"
) -> dict[str, Any]:  # fmt: skip
    """The same about an id, where tries are counted."""
    return on_id(call(name, summary, text, takes, example, gives, "404", "429", status=status))


def bare(name: str, summary: str, shape: str, status: str = "200") -> dict[str, Any]:
    """A POST about an id, without a body."""
    made = on_id(post(
        name, summary, summary + ".", {}, {status: answer(summary, "application/json", shape, None)}, "403", "404",
    ))  # fmt: skip
    del made["requestBody"]
    made["parameters"] = [part for part in made["parameters"] if part["name"] != "Idempotency-Key"]
    return made


def on_page(call: dict[str, Any]) -> dict[str, Any]:
    """A call about a page of an id."""
    call = on_id(call)
    call["parameters"].insert(
        1, parameter("page", "path", {"type": "integer", "minimum": 0, "maximum": PAGES_MAX - 1})
    )
    return call


def on_id(call: dict[str, Any], *, required: bool = True) -> dict[str, Any]:
    """A call about an id."""
    call["parameters"].insert(0, ID)
    call["requestBody"]["required"] = required
    return call


def post(
    name: str, summary: str, text: str, content: dict[str, Any], answers: dict[str, Any], *refusals: str
) -> dict[str, Any]:
    """A call with a body."""
    return {
        "operationId": name,
        "summary": summary,
        "description": text,
        "parameters": [
            parameter("Idempotency-Key", "header", {"type": "string", "pattern": "^[!-~]{1,255}$"}),
            parameter("Accept-Language", "header", {"type": "string", "examples": ["id", "zh", "en"]}),
            parameter("X-Request-Id", "header", {"type": "string"}),
        ],
        "requestBody": {"required": True, "content": content},
        "responses": answers
        | problems("400", "401", *refusals, "403", "408", "409", "413", "415", "422", "500", "503"),
    }


def get(
    name: str, summary: str, text: str, shape: str, parameters: list[Any], *refusals: str
) -> dict[str, Any]:
    """A call that reads."""
    return {
        "operationId": name,
        "summary": summary,
        "description": text,
        "parameters": [*parameters, parameter("Accept-Language", "header", {"type": "string"})],
        "responses": {"200": answer(summary, "application/json", shape, None)}
        | problems("400", "401", *refusals, "500", "503"),
    }


def unlocked(name: str, summary: str, media_type: str, *others: str) -> dict[str, Any]:
    """A call that takes no key."""
    content = {
        media_type: {"schema": {"type": "object"} if media_type == "application/json" else {"type": "string"}}
    }
    answers = {status: {"description": "Not now", "content": content} for status in others}
    return {
        "operationId": name,
        "summary": summary,
        "security": [],
        "responses": {"200": {"description": summary, "content": content}} | answers,
    }


def parameter(name: str, place: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter; one of the path is required."""
    return {"name": name, "in": place, "required": place == "path", "schema": schema}


def content(shape: str, example: Any) -> dict[str, Any]:
    """A body of a shape."""
    content: dict[str, Any] = {"schema": {"$ref": f"#/components/schemas/{shape}"}}
    return content if example is None else content | {"example": example}


def answer(text: str, media_type: str, shape: str, example: Any) -> dict[str, Any]:
    """An answer of a shape."""
    return {"description": text, "headers": request_id(), "content": {media_type: content(shape, example)}}


def problems(*statuses: str) -> dict[str, Any]:
    """The problems of these statuses."""
    return {
        status: {
            "description": "A problem",
            "headers": request_id(),
            "content": {"application/problem+json": content("Problem", PROBLEM_EXAMPLE)},
        }
        for status in statuses
    }


def request_id() -> dict[str, Any]:
    """The header that every answer has."""
    return {"X-Request-Id": {"schema": {"type": "string"}, "description": "Echoed, or made by the server."}}
