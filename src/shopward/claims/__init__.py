"""Claims: a customer says that money went without him, and the shop answers for it.

Promise:
- the burden of proof is the platform's: each disputed item is paid unless there is evidence against it, and no refusal
  stands without such evidence and a second person;
- what the platform knows of an item (device, session, factor, orders in force, time of the first notice) is collected by
  itself and shown to both sides; a loss after notice is always the platform's;
- a deadline that passes is an approval; the clock stops only with a reason, and never for longer than the regime's total;
- how much is borne follows from a regime, which is data with its source.

Not here: where the money stands (``ledger``), and whether a pattern is fraud (``risk``). A regime is a profile of rules,
not legal advice.
"""

from shopward.claims.assess import Assessment, assess
from shopward.claims.claim import Claim, Item
from shopward.claims.regimes import Regime, load_regime, shipped_regimes

__all__ = ["Assessment", "Claim", "Item", "Regime", "assess", "load_regime", "shipped_regimes"]
