"""Processing: what is done with personal data, why that is lawful, how long it stays, and who agreed to what.

Promise:
- an activity has a legal basis of the closed set, the article, data, subjects, recipients and how long it is kept; a new
  version never changes an old one;
- a consent is a line that is never changed: given or withdrawn, to which words, when and how; the newest line counts;
- a purpose that rests on consent is not lawful for a customer who has not given it or has withdrawn it.

Not here: opening anything (``vault``), and whether an activity is lawful, which counsel says. It is a record, not legal advice.
"""

from shopward.processing.activity import Activity, Basis, shipped_activities
from shopward.processing.consent import Consent

__all__ = ["Activity", "Basis", "Consent", "shipped_activities"]
