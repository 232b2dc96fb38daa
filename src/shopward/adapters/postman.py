"""``ports.Postman`` over SMTP: notices to customers.

Promise: a mail server that refuses an address or a message for good (5xx, RFC 5321 section 4.2.1) is ``refused``; everything else that
is no acceptance (4xx, no connection, no TLS, a time-out) is ``later``: the message may or may not have been taken, and is
handed in again under the same ``Message-ID``. What the server says is never repeated: it may quote the address.
"""

from __future__ import annotations

import smtplib
from typing import TYPE_CHECKING, Final, Literal

from shopward.adapters.mail import Mail

if TYPE_CHECKING:
    from shopward.adapters.mail import MailServer

PERMANENT: Final = 500


class SmtpPostman:
    """Hands notices in.

    Args:
        server: takes mail.
    """

    def __init__(self, server: MailServer) -> None:
        self._server = server

    def hand_in(
        self, *, to: str, subject: str, text: str, language: str, message: str
    ) -> Literal["taken", "refused", "later"]:
        """One message to one address."""
        try:
            self._server.hand_in(Mail(to, subject, text, language, message))
        except smtplib.SMTPRecipientsRefused as refused:
            codes = [code for code, _said in refused.recipients.values()]
            return "refused" if min(codes, default=0) >= PERMANENT else "later"
        except (smtplib.SMTPSenderRefused, smtplib.SMTPAuthenticationError):
            return "later"  # ours to mend, and no fault of the address
        except smtplib.SMTPResponseException as refused:
            return "refused" if refused.smtp_code >= PERMANENT else "later"
        except ValueError:
            return "refused"  # an address or a subject that no header can hold
        except (OSError, smtplib.SMTPException):
            return "later"
        return "taken"
