"""Talking to a running server from a terminal: the options that name it, the key, and what is printed of an answer.

Promise: the key comes from the environment (``SHOPWARD_KEY``) and never from an argument, which others on the machine could read;
it goes only to the server that ``--url`` names, and beyond this machine only under TLS. A problem is raised as what it says.
"""

from __future__ import annotations

import http.client
import json
import os
import ssl
from typing import IO, TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import click

from shopward.errors import MalformedInput, Misconfigured, PolicyInvalid, ShopwardError, StoreUnavailable
from shopward.values import stays_private, url_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TIMEOUT_S: Final = 60
PAGE: Final = 100
DEFAULT_URL: Final = "http://127.0.0.1:8700"


class Server:
    """A server to talk to.

    Args:
        url: where it listens.
        key: sent to it alone.
        language: of explanations.
    """

    def __init__(self, url: str, key: str, language: str) -> None:
        self._address = url_parts(url)
        host = self._address.hostname or ""
        if self._address.scheme not in ("http", "https") or not host:
            raise Misconfigured(
                "not an address", path="url", expected="http://HOST:PORT or https://HOST:PORT"
            )
        if not stays_private(self._address.scheme, host):  # fails closed
            raise Misconfigured(
                "refusing to send a key in clear text beyond this machine", path="url", expected="https"
            )
        if not key:
            raise Misconfigured(
                "no key", path="SHOPWARD_KEY", expected="a key of the server, in the environment"
            )
        self._headers = {
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
            "Accept-Language": language,
        }

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON that it answers to a JSON or, where ``body`` is bytes, NDJSON body; a problem is raised as what it says."""
        return _result(*self._answered(method, path, body))

    def listed(self, path: str, name: str, asked: Mapping[str, Any], *, by: str = "before") -> dict[str, Any]:
        """A whole list as one answer, however many pages it has: ``name`` is its key, ``by`` what takes a page's ``next``."""
        found: list[Any] = []
        beginning: str | None = ""
        while beginning is not None:
            given = {**asked, "limit": PAGE, by: beginning}
            page = self.ask("GET", f"{path}?{urlencode({key: each for key, each in given.items() if each})}")
            found += page[name]
            beginning = page["next"] or None
        return {name: found, "next": None}

    def file(self, path: str, *, form: str = "*/*") -> bytes:
        """The bytes that it answers to a GET, in that form; a problem is raised as what it says."""
        status, read = self._answered("GET", path, form=form)
        if status >= http.client.MULTIPLE_CHOICES:
            _result(status, read)
        return read

    def _answered(self, method: str, path: str, body: Any = None, *, form: str = "*/*") -> tuple[int, bytes]:
        is_lines = isinstance(body, bytes)
        data = body if is_lines or body is None else json.dumps(body).encode()
        headers = (
            self._headers | {"Accept": form} | ({"Content-Type": "application/x-ndjson"} if is_lines else {})
        )
        host, port = self._address.hostname or "", self._address.port
        connection: http.client.HTTPConnection
        if self._address.scheme == "https":
            connection = http.client.HTTPSConnection(
                host, port, timeout=TIMEOUT_S, context=ssl.create_default_context()
            )
        else:
            connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
        try:
            connection.request(method, self._address.path.rstrip("/") + path, data, headers)
            answer = connection.getresponse()
            status, read = answer.status, answer.read()
        except OSError as error:
            found = type(error).__name__
        else:
            return status, read
        finally:
            connection.close()
        raise StoreUnavailable(
            "the server does not answer", found=found, hint="is it running there? see --url"
        )


def _result(status: int, read: bytes) -> Any:
    try:
        said = json.loads(read)
    except ValueError:
        said = {}
    if status < http.client.MULTIPLE_CHOICES:
        return said
    parts = {name: said[name] for name in ("path", "expected", "found", "hint") if name in said}
    message, code = str(said.get("detail", f"status {status}")), said.get("code", "error")
    if code == PolicyInvalid.code:
        invalid = PolicyInvalid(message, **parts)
        invalid.file, invalid.line, invalid.column = said.get("file"), said.get("line"), said.get("column")
        raise invalid
    raise ShopwardError(message, code=code, **parts)


def together(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Options as one decorator."""

    def add(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return add


server_options = together(
    click.option("--url", metavar="URL", envvar="SHOPWARD_URL", default=DEFAULT_URL, help=f"The server.  [default: {DEFAULT_URL}]"),
    click.option("--language", type=click.Choice(["en", "id", "zh"]), default="en", help="Language of explanations."),
    click.option("--json", "as_json", is_flag=True, help="The server's JSON instead of text."),
)  # fmt: skip


def talk_to(*, url: str, language: str, as_json: bool) -> Server:  # noqa: ARG001 -- the options as they come
    """The server that the options name, with the key of the environment."""
    return Server(url, os.environ.get("SHOPWARD_KEY", ""), language)


def object_in(file: IO[str], *, expected: str) -> dict[str, Any]:
    """The JSON object of a file; raises ``MalformedInput`` where it holds none."""
    try:
        found = json.load(file)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise MalformedInput("not a JSON object", path=file.name, expected=expected)
    return found


def say(said: Any, text: str, *, as_json: bool) -> None:
    """Print an answer: as it came, or as text for people."""
    click.echo(json.dumps(said, ensure_ascii=False) if as_json else text)
