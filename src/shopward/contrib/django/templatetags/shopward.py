"""``{% load shopward %}{% shopward_page %}`` in a form: a hidden field that says which page of the shop it came from.

Promise: a field of random bytes under the shop's key; nothing of the visitor stands in it. With ``"pages": True`` in
``SHOPWARD`` events of guarded views and logins say whether it came back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template
from django.utils.html import format_html

from shopward.contrib.django.tokens import PAGE_FIELD, page_tokens

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def shopward_page() -> SafeString:
    """The field."""
    return format_html('<input type="hidden" name="{}" value="{}">', PAGE_FIELD, page_tokens().issue())
