"""What no setting alone says: settings that would be unsafe together, or cannot work.

Promise: such settings are ``Misconfigured`` before anything is opened, and the message says what to do. No message repeats a value.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from shopward.errors import Misconfigured
from shopward.flows.reveal import SUBJECT_ACCESS
from shopward.training import courses_of
from shopward.values import is_loopback, stays_private, url_parts
from shopward.vault.purposes import PURPOSES

if TYPE_CHECKING:
    from shopward.config import Settings

_NAME_MAX: Final = 64


def check_settings(settings: Settings) -> None:
    """Refuse what would be unsafe or cannot work, before anything is opened; raises ``Misconfigured``."""
    if settings.state != "memory":
        raise Misconfigured(
            "this state is not available in this version",
            path="state",
            expected="memory",
            found="another state",
            hint="leave --state out; features live in memory and are rebuilt from the log",
        )
    _check_tls(settings)
    _check_training(settings)
    _check_sim_swap(settings)
    _check_step_up(settings)
    if not (is_loopback(settings.host) or settings.has_tls or settings.behind_proxy):  # fails closed
        raise Misconfigured(
            "refusing to listen beyond loopback in clear text",
            path="host",
            expected="a loopback address, or TLS, or a declared proxy",
            found="another address",
            hint="give --tls-cert and --tls-key, or --behind-proxy where a proxy in front ends TLS",
        )


def _check_step_up(settings: Settings) -> None:
    """Codes and passkeys need a domain that they are bound to; what is half set is refused."""
    if not settings.shop_name or len(settings.shop_name) > _NAME_MAX or ":" in settings.shop_name:
        raise Misconfigured(
            "the shop's name cannot be used",
            path="shop_name",
            expected=f"1 to {_NAME_MAX} characters without a colon",
            found="another text",
        )
    if settings.signals_url and not _is_safe_address(settings.signals_url):
        raise Misconfigured(
            "other companies cannot be told this address",
            path="signals_url",
            expected="https://, a host and nothing behind it but a path, or http on this machine",
            found="another text",
        )
    customers = settings.customer_url
    if customers and not (_is_safe_address(customers) and url_parts(customers).path in ("", "/")):
        raise Misconfigured(
            "customers cannot be led to this address",
            path="customer_url",
            expected="https:// and a host with nothing behind it, since their pages stand at its root, or http on this machine",
            found="another text",
        )
    if settings.page_url and not settings.page_url.startswith(("https://", "http://")):
        raise Misconfigured(
            "the address of the page cannot be opened",
            path="page_url",
            expected="https:// and a host",
            found="another text",
        )
    needs = ("shop_origins", "smtp_url", "code_webhook_url")
    without = next((name for name in needs if getattr(settings, name)), None)
    if without and not settings.shop_domain:
        raise Misconfigured(
            "passkeys and codes are bound to a domain",
            path="shop_domain",
            expected=f"the shop's domain beside {without}",
            found="nothing",
        )
    if bool(settings.smtp_url) != bool(settings.mail_from):
        raise Misconfigured(
            "mail needs a server and a sender",
            path="mail_from" if settings.smtp_url else "smtp_url",
            expected="both smtp_url and mail_from",
            found="one of them",
        )
    for origin in settings.origins:
        _check_origin(origin, settings.shop_domain)


def _is_safe_address(url: str) -> bool:
    parts = url_parts(url)
    return stays_private(parts.scheme, parts.hostname) and not (
        parts.username or parts.query or parts.fragment
    )


def _check_origin(origin: str, domain: str) -> None:
    """An origin is a web page of the domain or of a name below it, under TLS; a browser would refuse all others."""
    host = origin.removeprefix("https://").partition(":")[0]
    if not origin.startswith("https://") or (host != domain and not host.endswith("." + domain)):
        raise Misconfigured(
            "an origin cannot ask for passkeys of this domain",
            path="shop_origins",
            expected="https://, the domain or a name below it, and a port if it has one",
            found="another text",
        )


def _check_training(settings: Settings) -> None:
    """A purpose that is misspelt would be for everybody."""
    if unknown := set(courses_of(settings.trained_purposes)) - {*PURPOSES, SUBJECT_ACCESS}:
        raise Misconfigured(
            "no such purpose of a reveal",
            path="trained_purposes",
            expected=", ".join([*PURPOSES, SUBJECT_ACCESS]),
            found=f"{len(unknown)} others",
        )


def _check_sim_swap(settings: Settings) -> None:
    """Half of it set would be a check that nobody makes."""
    needs = ("sim_swap_url", "sim_swap_token_url", "sim_swap_client_id", "sim_swap_client_secret")
    missing = [name for name in needs if not getattr(settings, name)]
    if missing and len(missing) < len(needs):
        raise Misconfigured(
            "the operator cannot be asked about SIM swaps",
            path=missing[0],
            expected=f"all of {', '.join(needs)}",
            found=f"{len(missing)} of them empty",
        )


def _check_tls(settings: Settings) -> None:
    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise Misconfigured(
            "TLS needs a certificate and its key",
            path="tls_key" if settings.tls_cert else "tls_cert",
            expected="both --tls-cert and --tls-key",
            found="one of them",
        )
    for name in ("tls_cert", "tls_key"):
        file = getattr(settings, name)
        if file and not Path(file).is_file():
            raise Misconfigured("a TLS file is missing", path=name, expected="a PEM file", found="no file")
