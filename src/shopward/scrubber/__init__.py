"""Personal values in free text: found and masked, in Indonesian, Chinese and English.

Promise: ``find`` says where in a text a personal value stands and of which kind, with offsets into the text as it was
given; ``scrub`` masks it. Full-width and split digits, zero-width characters and values glued to Han characters are seen
through. Nothing is looked up over a network and nothing is remembered.

It is rules, checksums and gazetteers, no language model: a name that no list knows and no cue announces stays, and so
does a number without a checksum that nothing around it explains. It is a net under what people type, not an anonymiser.
"""

from shopward.scrubber.kinds import KINDS, Kind, Span
from shopward.scrubber.logs import ScrubbingFilter
from shopward.scrubber.search import Scrubbed, find, scrub

__all__ = ["KINDS", "Kind", "Scrubbed", "ScrubbingFilter", "Span", "find", "scrub"]
