"""Shopward: a decision on every account event of an online shop, with reasons, recorded before the answer.

Start at ``service.Shopward`` to embed it, ``cli`` to run it, ``flows.engine`` to see how one event is decided, and
``ports`` to see what can be replaced. docs/architecture.md tells the rest.

    >>> from shopward.config import Settings
    >>> from shopward.service import Shopward
    >>> with Shopward.open(Settings(data="./shopward-data")) as shopward:  # doctest: +SKIP
    ...     shopward.decide(b'{"id": "e-1", "type": "login", ...}', language="id")
"""
