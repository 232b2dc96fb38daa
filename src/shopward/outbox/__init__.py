"""The outbox: what is owed to the outside, written in the transaction of the deed.

Promise: ``Outbox.owe`` (in ``messages``) writes a message in the transaction of the deed that it tells of, so that neither
stands without the other; the words are a closed vocabulary (``Topic``), and what is told is thin: ids, words and
numbers, and nothing that names a person.

Not here: who is told, and the telling. Modules that speak SQL are imported by their names, so that the flows, which
name topics, bring in no database.
"""

from shopward.outbox.topics import Topic

__all__ = ["Topic"]
