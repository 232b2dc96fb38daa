"""A mail server as a process: ``letterbox.py FILE`` prints its port and keeps each mail as a line of JSON in a file.

An address with ``refused`` in it gets 550, one with ``later`` gets 451, one with ``slow`` is taken after a second.
"""

import email
import json
import sys
import time
from pathlib import Path

from aiosmtpd.controller import Controller


class Letterbox:
    """Takes mail."""

    def __init__(self, file):
        self.file = Path(file)

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802 -- aiosmtpd's name
        """Whether it has this box."""
        if "refused" in address:
            return "550 no such mailbox"
        if "later" in address:
            return "451 busy"
        envelope.rcpt_tos.append(address)
        return "250 fine"

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 -- aiosmtpd's name
        """Keep it."""
        mail = email.message_from_bytes(envelope.content)
        told = {"to": envelope.rcpt_tos[0], "id": mail["Message-ID"], "subject": str(mail["Subject"])}
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(told) + "\n")
        if "slow" in told["to"]:
            time.sleep(0.3)  # noqa: ASYNC251 -- nobody else is served meanwhile
        return "250 taken"


def mails(file):
    """What it was handed."""
    return (
        [json.loads(line) for line in Path(file).read_text("utf-8").splitlines()]
        if Path(file).exists()
        else []
    )


class Server(Controller):
    """On a free port of this machine."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


def main():
    """Serve until killed."""
    controller = Server(Letterbox(sys.argv[1]), hostname="127.0.0.1", port=0, ready_timeout=120)
    controller.start()
    print(controller.port, flush=True)  # noqa: T201 -- how it is found
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main()
