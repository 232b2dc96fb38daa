"""Sites that everybody knows: institutions, places where anybody has a page, and sites that only pass on.

Promise: ``known.toml`` is read once; a domain stands for all that is below it, except where something below it is listed as
shared. What is well known is told as somebody else's, never as the shop's.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, unquote

REDIRECTS_MAX: Final = 5
_QUERY_FIELDS_MAX: Final = 50


class Known(NamedTuple):
    """The tables of ``known.toml``.

    Attributes:
        well_known: what kind of institution a domain is of, by domain.
        shared: hosts below or on which anybody has pages of his own.
        shorteners: hosts of short links.
        redirectors: names of query fields by ``host/path``.
    """

    well_known: dict[str, str]
    shared: frozenset[str]
    shorteners: frozenset[str]
    redirectors: dict[str, tuple[str, ...]]


@cache
def known() -> Known:
    """The tables."""
    text = (resources.files("shopward.screening.links") / "known.toml").read_text(encoding="utf-8")
    said: dict[str, Any] = tomllib.loads(text)
    return Known(
        {domain: kind for kind, domains in said["well_known"].items() for domain in domains.split()},
        frozenset(said["tables"]["shared"].split()),
        frozenset(said["tables"]["shorteners"].split()),
        {place: tuple(fields) for place, fields in said["redirectors"].items()},
    )


def well_known(host: str) -> tuple[str, str] | None:
    """The institution's domain and kind where a host is of one that everybody knows and nobody else can write on."""
    kinds = _kinds()
    at = host
    while at:
        kind = kinds.get(at)
        if kind is not None:
            return (at, kind) if kind else None
        at = at.partition(".")[2]
    return None


def is_shared(host: str) -> bool:
    """Whether pages of different people stand on this very host, told apart by their paths alone."""
    tables = known()
    for front in ("www.", "m.", "mobile."):
        host = host.removeprefix(front)
    return host in tables.shared or host in tables.shorteners


def may_pass_on(host: str) -> bool:
    """Whether anything on a host only passes on."""
    return host in _passing()


def passes_on_to(host: str, path: str, query: str) -> str:
    """Where a site that only passes on leads; empty where it is no such site or says nothing."""
    fields = known().redirectors.get(host + path)
    if fields is None or len(query) < 2:
        return ""
    if fields == ("",):
        return unquote(query[1:])
    try:
        said = dict(reversed(parse_qsl(query[1:], max_num_fields=_QUERY_FIELDS_MAX)))
    except ValueError:  # more fields than any honest link has
        return ""
    return next((said[field] for field in fields if said.get(field)), "")


@cache
def _kinds() -> dict[str, str]:
    """What kind of institution a domain is of; nothing for where others write."""
    tables = known()
    return tables.well_known | dict.fromkeys(tables.shared | tables.shorteners, "")


@cache
def _passing() -> frozenset[str]:
    return frozenset(place.partition("/")[0] for place in known().redirectors)
