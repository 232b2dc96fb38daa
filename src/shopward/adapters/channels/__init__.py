"""Channels for notices beside mail: the shop's own endpoint, and WhatsApp's Cloud API."""

from shopward.adapters.channels.shop import ShopPostman
from shopward.adapters.channels.whatsapp import WhatsAppPostman

__all__ = ["ShopPostman", "WhatsAppPostman"]
