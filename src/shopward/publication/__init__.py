"""Publication: which policy is in force, which were before, and the files of each.

Promise: publications are numbered without gaps and never changed; the newest is in force; each names the digest of its
files, which are kept once. A ``Mark`` is what the log holds of one: from its entry on, it decided.

Not here: whether a policy is good (``risk.policy``), who may publish and how a server changes over (``flows``).
"""

from shopward.publication.editions import Kind, Mark, Publication

__all__ = ["Kind", "Mark", "Publication"]
