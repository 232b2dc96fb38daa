"""Every call of the document, walked about one person whose every word is unmistakable: as the document shows it, as its
schema allows it, and spoiled.

Bodies are made from the document's own examples and schemas, so that a call which is added is walked without anybody thinking
of it. Ids that answers name are used in later calls.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from itertools import count
from urllib.parse import quote

from shopward.http.reference import document
from shopward.values import DAY_MS, SystemClock, to_rfc3339

WORDS = {
    "name": "Zqmarkani Wulandari", "phone": "+6281299887755", "email": "zqmarkani@contoh.example", "street": "Jl. Zqmarkan 77",
    "city": "Zqmarkota", "ip": "203.0.113.77", "user_agent": "Zqmarkagent/9", "device_id": "zqmarkdevice-1",
    "password": "zqmarkword-9Xy", "text": "zqmarktext, 081299887755", "national_id": "3171074401905577",
}  # fmt: skip
"""What is said of the person."""
USER = "zqmarkuser-5577"
TIME = "2026-01-05T00:00:00Z"
_USERS = ("user", "user_id", "users", "customer", "customers")
_THE_SHOPS = ("contact", "letters")
"""What an example says of a partner's desk, and what the shop writes to everybody."""
_STAFF = ("target", "person", "assignee", "author")
"""Where somebody of the shop's staff is named, who is told of by name."""
WAYS = ("example", "example", "schema", "unknown field", "wrong kind")
_NDJSON = "application/x-ndjson"
_LEFT_OUT = ("/v1/vault/users/{id}/erase", "/v1/vault/rotations", "/v1/vault/locks", "/v1/keys")
"""Walked last: they would end what the others speak of."""
_ASKED_UNDER = {"/v1/users/{id}/freeze": "/v1/recoveries/", "/v1/reports": "/v1/reports/"}
"""Where what a call makes is asked for under another path than its own."""


class Walk:
    """Walks a running server.

    Args:
        server: it answers ``get``, ``post`` and ``delete``.
        words: by which the person is known, by what a field is called.
    """

    def __init__(self, server, words=WORDS):
        self.server = server
        self.words = words
        self.document = document()
        self.ids = {}
        self.said = []
        self.answered = {}
        self._numbers = count(1)

    def names(self, content):
        """The words of the person that stand in some bytes."""
        return sorted(word for word in {USER, *self.words.values()} if _in(word, content))

    def calls(self):
        """Path, method and call, in an order in which what is spoken of is made before."""
        made = [
            (path, method, call)
            for path, calls in self.document["paths"].items()
            for method, call in calls.items()
        ]
        made.sort(key=lambda each: (each[1] == "delete" or each[0].startswith(_LEFT_OUT), each[0].count("{")))
        return made

    def walk(self, ways=WAYS):
        """Each call as its examples show it, then as its schema allows it, then spoiled in two ways."""
        for way in ways:
            for path, method, call in self.calls():
                self.ask(path, method, call, way)

    def ask(self, path, method, call, way):
        """One call; what was answered is kept."""
        where = self._where(path, call, is_spoiled=way not in ("example", "schema"))
        key = f"{method} {path}"
        if "requestBody" not in call:
            status, body = self.server.post(where, None, method=method.upper(), **self._key(call))
        else:
            kind, content = next(iter(call["requestBody"]["content"].items()))
            status, body = self.server.post(
                where, self._body(kind, content, way), kind, method=method.upper(), **self._key(call)
            )
        self.said.append((key, status, body))
        self.answered.setdefault(key, []).append(status)
        self._learn(path, status, body)

    def _key(self, call):
        """The key as this call reads it; where that is neither ours nor a peer's, ours is sent, and refused."""
        (scheme,) = next(iter(call.get("security") or [{"key": []}]))
        basic = b64encode(f":{self.server.key}".encode()).decode()
        others = {"castle": {"Authorization": f"Basic {basic}"}, "tirreno": {"Api-Key": self.server.key}}
        return others.get(scheme, {})

    def _where(self, path, call, *, is_spoiled):
        for part in re.findall(r"{(\w+)}", path):
            before = path[: path.index("{" + part)]
            known = USER if before.endswith("/users/") else self.ids.get(before, "zqmarkpath")
            value = "0" if part in ("page", "version", "number") else known
            path = path.replace("{" + part + "}", quote(value + (" zqmarkpath" if is_spoiled else "")), 1)
        asked = [
            f"{each['name']}={quote(str(self.made(each['schema'], each['name'])) if not is_spoiled else USER)}"
            for each in call.get("parameters", ()) if each["in"] == "query" and (is_spoiled or each["name"] in _USERS)
        ]  # fmt: skip
        return path + ("?" + "&".join(asked) if asked else "")

    def _body(self, kind, content, way):
        made = self.made(content.get("schema", {}), "")
        if way == "example":
            made = self._dressed(content.get("example", made))
        if kind == _NDJSON:
            made = made if isinstance(made, dict) else {"id": USER}
        if not isinstance(made, dict):
            return str(made).encode()
        if way == "unknown field":
            made |= {"surprise": self.words["name"]}
        elif way == "wrong kind":
            made = {key: [self.words["name"], USER] for key in made}
        return json.dumps(made).encode()

    def _dressed(self, example, name=""):
        """An example of the document, said of this person."""
        if name in _THE_SHOPS:
            return example
        if isinstance(example, dict):
            return {
                key: self._dressed(each, key if name != "user" else "user") for key, each in example.items()
            }
        if isinstance(example, list):
            return [self._dressed(each, name) for each in example]
        if name in _USERS and isinstance(example, str):
            return USER
        if name in ("ends_at", "review_at"):
            return to_rfc3339(SystemClock().now_ms() + DAY_MS)
        return self.words.get(name, example) if name != "name" else example

    def _learn(self, path, status, body):
        """Which ids there are, by the path under which they are asked for."""
        if 200 <= status < 300 and body.startswith(b"{"):
            found = _id_in(json.loads(body))
            if found:
                self.ids.setdefault(_ASKED_UNDER.get(path, path.rstrip("/") + "/"), found)

    # What fits a schema.

    def made(self, schema, name):
        """A value that fits, filled with the person's words."""
        if "$ref" in schema:
            return self.made(self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], name)
        if "const" in schema or "enum" in schema:
            return schema.get("const", next((each for each in schema.get("enum", ()) if each), None))
        for several in ("oneOf", "anyOf", "allOf"):
            if several in schema:
                return self.made(next(each for each in schema[several] if each.get("type") != "null"), name)
        kind = schema.get("type", "string")
        kind = kind[0] if isinstance(kind, list) else kind
        return getattr(self, "_" + kind, self._string)(schema, name)

    def _object(self, schema, name):
        made = {key: self.made(each, key) for key, each in schema.get("properties", {}).items()}
        if not made and isinstance(schema.get("additionalProperties"), dict):
            made = {key: self.words[key] for key in ("name", "phone", "email", "street", "city")}
        if not made and name in ("properties", "details"):
            made = {"note": self.words["text"]}
        return made

    def _array(self, schema, name):
        return [self.made(schema.get("items", {}), name)]

    def _integer(self, schema, _name):
        return max(1, schema.get("minimum", 1))

    _number = _integer

    def _boolean(self, _schema, _name):
        return False

    def _string(self, schema, name):
        if schema.get("format") == "date-time":
            return TIME
        if name in _USERS:
            return USER
        if name in self.words or name in _STAFF:
            return self.words.get(name, "budi")
        if name == "id" or name.endswith("_id") or "pattern" in schema:
            return f"w-{next(self._numbers)}"
        return self.words["name"][: schema.get("maxLength", 40)]


def _in(word, content):
    """As it is, and as JSON or a URL would write it."""
    return any(form.encode() in content for form in (word, json.dumps(word)[1:-1], quote(word)))


def _id_in(answer):
    """The first id that an answer names, of the whole before its parts."""
    if isinstance(answer, list):
        return next((found for found in map(_id_in, answer) if found), None)
    if not isinstance(answer, dict):
        return None
    if isinstance(answer.get("case_id"), str):
        return answer["case_id"]
    own = answer.get("id", answer.get("name"))
    return own if isinstance(own, str) else _id_in(list(answer.values()))
