"""Messages: does somebody pretend to be the shop, or ask for what nobody may ask for, in Indonesian, Chinese or English?

- ``normalise``: the letters behind disguises, each with its place in the text as it was given;
- ``extract``: links, phones, accounts, codes, amounts, app files, messenger names;
- ``lexicon``, ``intents``: what is asked for, by request, object and destination, negation heeded;
- ``learned``: how much the wording resembles that of known frauds, from a small bundle; ``training`` makes one;
- ``ordinary``: whether a bundle of one's own may judge, tried on messages that nobody should be warned of;
- ``context``: whether it claims to be the shop while a link, sender, phone or account is not the shop's;
- ``check``: the verdict of all of them.
"""

from shopward.screening.messages.check import check_message
from shopward.screening.messages.learned import MessageModel, load_model, shipped_model
from shopward.screening.messages.ordinary import own_model

__all__ = ["MessageModel", "check_message", "load_model", "own_model", "shipped_model"]
