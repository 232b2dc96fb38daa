"""HTTP: the contract's calls, and the pages, around an open ``Shopward``.

Promise: every answer that is no success is a problem document (RFC 9457) with a stable code and no value of the
caller's; a decision leaves only after the log has it; a client that hangs, floods or sends garbage harms nobody else.
``Application`` is the ASGI app, ``serve`` runs it under uvicorn. Nothing here decides: groups of events go to the desk
of ``flows.decide`` through one gate.
"""

from shopward.http.app import Application
from shopward.http.server import serve

__all__ = ["Application", "serve"]
