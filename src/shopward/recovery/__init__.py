"""Recovery: the guided way back into an account that its owner froze, or that somebody else had.

Promise: states and arrows stand in one table (``states``); which proof is worth anything after what happened stands in
another (``trust``), and what is not in it is worth nothing; a case is one row, and a user has one open case at most; an
undo is a token that works once, expires, and is kept as its hash alone.

Not here: the stories (``flows.recover``, ``flows.undo``), orders (``protection``), factors (``stepup``), sending
anything to anybody. ``store`` speaks SQL; nothing else here does.
"""

from shopward.recovery.cases import Case, Undo
from shopward.recovery.states import FINAL, STEPS, State, Verb, moved

__all__ = ["FINAL", "STEPS", "Case", "State", "Undo", "Verb", "moved"]
