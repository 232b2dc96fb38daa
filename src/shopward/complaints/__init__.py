"""Complaints: a customer is not content with what was done, and is answered by a person, in time, and by another one on appeal.

Promise:
- a complaint is about anything: a decision, an order, a claim, privacy, a member of staff, the service;
- it is acknowledged and decided by dates that follow from a regime, which is data with its source; a date that passes is
  shown and told, and never decides by itself;
- who is complained about, and who made what is complained about, decides nothing of it; who decided does not decide the
  appeal;
- outcome, reason and remedy come from closed sets, each with its sentence in Indonesian, Chinese and English.

Not here: carrying a remedy out (an order is released and a claim reopened by their own calls), and ombudsmen. A regime is a
profile of rules, not legal advice.
"""

from shopward.complaints.complaint import Complaint, Remedy
from shopward.complaints.regimes import Regime, regime_of, shipped_regimes

__all__ = ["Complaint", "Regime", "Remedy", "regime_of", "shipped_regimes"]
