"""Conversations of customers with the shop on a messaging line: who may read which, who did, and what was answered.

Promise:
- here stands who spoke with whom when, and how each message was judged; what was said lies in the vault, under the customer's key;
- one agent looks after a conversation at a time; a reading by anybody else is unexplained, and is shown as such;
- outside of a day after the customer's last message a shop may send an approved template alone.

Not here: what is read on another device of the line; the platform does not tell.
"""

from shopward.conversations.conversation import Conversation, Message
from shopward.conversations.inbound import Inbound, inbound_in

__all__ = ["Conversation", "Inbound", "Message", "inbound_in"]
