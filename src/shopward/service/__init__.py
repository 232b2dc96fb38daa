"""The composition root: the one place that picks adapters, clocks and sources of ids, and puts the parts together.

Start at ``embedded.Shopward``, which tells the story of opening; ``desks`` puts the desks together over one store, and
``stores`` opens the log and the policies. It speaks no HTTP: ``http`` puts a server around it.
"""

from shopward.service.desks import TENANT, Desks, open_desks
from shopward.service.embedded import Shopward
from shopward.service.stores import edition_of_files, open_log, open_log_to_read, published_policies

__all__ = [
    "TENANT",
    "Desks",
    "Shopward",
    "edition_of_files",
    "open_desks",
    "open_log",
    "open_log_to_read",
    "published_policies",
]
