"""Incidents: what happened, since when it is known, whom it touched, what the law asks by when, and who does what.

Promise:
- an incident is one record with its whole history: clocks, timeline, tasks, evidence by hash, victims by version, vendors who
  were asked; nothing of it is overwritten without a line that says who did it and why;
- what the law asks is computed from rules that are data, with the inputs shown; what is not known yet counts against us
  (an obligation applies until somebody says why it does not);
- it is closed only when nothing is owed any more.

It states deadlines; it is not legal advice, and says so wherever it speaks.

Not here: who the victims are (``protection``'s sealed sets), telling them, and paying them (``claims``).
"""

from shopward.incidents.incident import Facts, Incident
from shopward.incidents.law import Rule, shipped_rules
from shopward.incidents.obligations import Obligation, obligations

__all__ = ["Facts", "Incident", "Obligation", "Rule", "obligations", "shipped_rules"]
