"""The channels on which a sender is met, and other words for them. Promise: a closed vocabulary; imports nothing of ours."""

from __future__ import annotations

from typing import Final, Literal, get_args

Channel = Literal[
    "sms", "whatsapp", "call", "email", "telegram", "line", "wechat", "instagram", "facebook", "tiktok", "x", "push", "chat",
    "other",
]  # fmt: skip
CHANNELS: Final = get_args(Channel)
_OTHER_WORDS: Final = {
    "phone": "call", "voice": "call", "telephone": "call", "telepon": "call", "wa": "whatsapp", "mail": "email",
    "e-mail": "email", "surel": "email", "text": "sms", "twitter": "x", "tg": "telegram", "weixin": "wechat", "ig": "instagram",
    "app": "push", "in_app": "push", "livechat": "chat", "web": "chat",
}  # fmt: skip


def channel_word(word: str) -> str:
    """A channel as the vocabulary has it; a word that is in no language of ours stays as it is."""
    word = word.strip().lower()
    return word if word in CHANNELS else _OTHER_WORDS.get(word, word)
