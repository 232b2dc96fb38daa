"""Lines: the shop's own numbers on a messaging platform, and whether they still speak for the shop.

Promise:
- what the platform tells of a line (its two-step PIN, its registration, who works for it, what is sent from it) is read as one closed
  set of signals, each with a severity;
- staff say beforehand what they are going to do (a change ticket); what was announced raises no alarm, and nothing is announced
  afterwards;
- a line only gets worse by itself; it is taken back into use by a person, never by a signal.

Not here: who reads a conversation on another device. The platform tells of what a shop sends, never of what others read.
"""

from shopward.lines.line import Line, Ticket
from shopward.lines.signals import Signal, signal_of

__all__ = ["Line", "Signal", "Ticket", "signal_of"]
