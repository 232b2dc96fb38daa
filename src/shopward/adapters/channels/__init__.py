"""Channels for notices beside mail: the shop's own endpoint, and WhatsApp's Cloud API, barred while its line is condemned."""

from shopward.adapters.channels.barred import BarredPostman
from shopward.adapters.channels.shop import ShopPostman
from shopward.adapters.channels.whatsapp import WhatsAppPostman

__all__ = ["BarredPostman", "ShopPostman", "WhatsAppPostman"]
