"""Who leaked: a sample of leaked rows against what was shown to whom.

Promise: ``trace`` ranks recipients by three kinds of evidence (canary rows, keyed marks, the log of accesses) beside the
hypothesis that none of the logged leaked, and says ``proof`` only where a bound on false accusation allows it: two canary
rows, or marks whose chance under innocence, times the number of recipients, is at most one in a million. Everything else
is a ``lead``: whoever sees all that another sees can leak that other's rows and frame them, which no log of accesses shows.

It opens no store: rows, sightings and keys are arguments. What is matched is matched under a keyed index.
"""

from shopward.leaks.canaries import Canaries, Canary
from shopward.leaks.likelihood import Rival, Weighed, shares, weigh
from shopward.leaks.marks import Bias, MarkRing, Marks, Score
from shopward.leaks.matching import Matched, Matcher, normalised
from shopward.leaks.tracing import Candidate, Evidence, Judged, Report, Sighting, judge, trace

__all__ = [
    "Bias",
    "Canaries",
    "Canary",
    "Candidate",
    "Evidence",
    "Judged",
    "MarkRing",
    "Marks",
    "Matched",
    "Matcher",
    "Report",
    "Rival",
    "Score",
    "Sighting",
    "Weighed",
    "judge",
    "normalised",
    "shares",
    "trace",
    "weigh",
]
