"""Policies: rules that an analyst can read, checked and compiled.

Promise: a policy that compiles cannot name what does not exist, cannot run unbounded and cannot hold origin against
anybody. It holds no state and makes no decision by itself (``risk.verdict`` does).
"""

from shopward.risk.policy.compile import STRENGTH, CompiledRule, Policy
from shopward.risk.policy.files import PolicyFiles
from shopward.risk.policy.load import load_default_policy, load_policy
from shopward.risk.policy.spec import LANGUAGES, Action, Consequences, PolicySpec, RuleSpec, Texts

__all__ = [
    "LANGUAGES",
    "STRENGTH",
    "Action",
    "CompiledRule",
    "Consequences",
    "Policy",
    "PolicyFiles",
    "PolicySpec",
    "RuleSpec",
    "Texts",
    "load_default_policy",
    "load_policy",
]
