"""Playbooks: who does what by when, for each kind of incident, as data.

Promise:
- a playbook is a sequence of steps, branches and parts side by side; what ships is a TOML file each, what a shop brings
  is CACAO 2.0 (``incidents.cacao``); one that is wrong is refused with the place in it;
- an incident keeps its playbook as it was when it began (``Run``): a newer version changes no incident that runs;
- nothing is carried out by itself. A step may name a deed of ours (an order as a dry run, a scope, a mailing): it is shown as
  the call that a person then makes under their own key.
"""

from shopward.incidents.playbooks.playbook import Act, Branch, Due, Playbook, Step, Together, checked, shipped
from shopward.incidents.playbooks.run import Run
from shopward.incidents.playbooks.running import Standing, standings

__all__ = [
    "Act",
    "Branch",
    "Due",
    "Playbook",
    "Run",
    "Standing",
    "Step",
    "Together",
    "checked",
    "shipped",
    "standings",
]
