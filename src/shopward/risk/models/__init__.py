"""Models: learned scores, from labelled examples to a bundle and from a bundle to a score.

Promise: ``fit`` learns from what was known at a time and measures itself on what came after; ``bundle`` is one file of
text, checked whole before any of it is used, and holds no code; ``forest`` walks the trees in-process, without
LightGBM; ``serving`` turns a margin into the contract's score and says why. The rules' decisions stand beside it.

It keeps no state: what a model sees are the declared features. It reads no file and no clock.
"""

from shopward.risk.models.bundle import Bundle, pack, unpack
from shopward.risk.models.examples import Examples
from shopward.risk.models.fit import train
from shopward.risk.models.serving import Scorer, Scorers

__all__ = ["Bundle", "Examples", "Scorer", "Scorers", "pack", "train", "unpack"]
