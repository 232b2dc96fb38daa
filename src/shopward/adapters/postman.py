"""``ports.Postman`` over SMTP: notices to customers.

Promise: a mail server that refuses an address or a message for good (5xx, RFC 5321 section 4.2.1) is ``refused``; everything else that
is no acceptance (4xx, no connection, no TLS, a time-out) is ``later``: the message may or may not have been taken, and is
handed in again under the same ``Message-ID``. What the server says is never repeated: it may quote the address.
"""

from __future__ import annotations

import smtplib
from typing import TYPE_CHECKING, Final

from shopward.adapters.mail import Mail
from shopward.ports import Handed

if TYPE_CHECKING:
    from shopward.adapters.mail import MailServer
    from shopward.ports import Parcel

PERMANENT: Final = 500


class SmtpPostman:
    """Hands notices in.

    Args:
        server: takes mail.
    """

    def __init__(self, server: MailServer) -> None:
        self._server = server

    def hand_in(self, parcel: Parcel) -> Handed:
        """One message to one address."""
        try:
            self._server.hand_in(
                Mail(parcel.to, parcel.subject, parcel.text, parcel.language, parcel.message)
            )
        except smtplib.SMTPRecipientsRefused as refused:
            codes = [code for code, _said in refused.recipients.values()]
            return _by_code(min(codes, default=0))
        except (smtplib.SMTPSenderRefused, smtplib.SMTPAuthenticationError):
            return Handed("later", why="sender")  # ours to mend, and no fault of the address
        except smtplib.SMTPResponseException as refused:
            return _by_code(refused.smtp_code)
        except ValueError:
            return Handed("refused", why="address")  # an address or a subject that no header can hold
        except (OSError, smtplib.SMTPException):
            return Handed("later", why="no_connection")
        return Handed("taken")


def _by_code(code: int) -> Handed:
    return Handed("refused" if code >= PERMANENT else "later", why=f"smtp_{code}")
