"""Notices: telling many people one thing, each once, whatever ends the process in between.

Promise:
- a mailing is fixed before it starts: its texts in each language that its recipients read, no link, no order mail in it;
- everybody on it is told; a message has the same id over all tries, so that at most the one in flight at a crash comes twice;
- an address lies sealed in the store and leaves it for the mail server alone; nobody's address is in an answer or a log;
- what bounced is known by its message's id, and the mailing says how many were told, were not, and wait.

Not here: who the victims are (``protection``), what the law wants said (``incidents``), and the channel.
"""

from shopward.notices.mailing import Mailing, Recipient

__all__ = ["Mailing", "Recipient"]
