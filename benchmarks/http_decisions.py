"""How many durable decisions the server answers over HTTP, beside what the disk and nginx allow in the same run.

Starts a real ``shopward serve`` on a fresh store, pinned to one core where the system lets us, with the load generator
on another, and prints one JSON object a line:

- ``single``: one event a request over ``--connections`` kept-alive connections, each sending its next event when the
  last is answered; rate, p50 and p99 as the client sees them;
- ``batch``: NDJSON of ``--lines`` events a request over two connections;
- ``nginx``: POSTs of the same bodies answered by ``return 200`` with an answer of the same size on the same core, the
  yardstick of what HTTP itself costs there; says so where nginx is absent;
- ``uvicorn``: the same POSTs and bytes of answer by uvicorn alone on the same core, with an application that reads the
  body and knows nothing else: what of a single decision is the web server's;
- ``ratios``: what of nginx's rate the others are.

``single`` and ``nginx`` are loaded by wrk where it is installed, from a file of finished requests, so that the generator
is not what is measured; else by the client below. ``server_cpu_us_each`` is the server's CPU time for one decision and
``per_cpu_s`` its inverse: what a core gives where the server has it for itself; the rate beside it is what this machine
gave. ``server_cpu_share`` is CPU time over wall time: below 1 the server was waiting, for the disk or for the generator.
``fdatasync_us_p50`` is the median of a 4 KiB fdatasync on the same disk, taken before and after each part; every
decision waits for such a write, shared with its group.

``--load shop`` (events of the product's own seeded simulator) suits the default policy, ``--load reference`` (payments
that carry every key) the folder ``benchmarks/reference_policy``. CPU times of PostgreSQL itself are not counted.

    python benchmarks/http_decisions.py [--dir .] [--seconds 5] [--connections 128] [--lines 2000]
        [--policy benchmarks/reference_policy --load reference] [--database URL]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn
import uvloop
from reference_load import reference_events

from shopward.testing.simulator import ShopSimulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

USERS, DAYS = 8_000, 400
SINGLES_PER_S, LINES_PER_S = 24_000, 100_000
"""More than the server can answer, so that the events do not run out before the time does."""
ANSWER_BYTES = 250
WRK = """
local file, again = nil, false
function init(arguments)
  file = io.open(arguments[1], "rb")
  again = arguments[2] == "again"
end
function request()
  local size = file:read(8)
  if size == nil and again then
    file:seek("set")
    size = file:read(8)
  elseif size == nil then
    wrk.thread:stop()
    return "GET /healthz HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\n\\r\\n"
  end
  return file:read(tonumber(size))
end
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format("RESULT %d %d %d %d %d\\n", summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"""


def shop_events() -> Iterator[bytes]:
    """The product's own simulated shop, seeded: customers with habits, and attacks among them; each id once."""
    for event in ShopSimulator(seed=11, users=USERS, days=DAYS):
        yield json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()


class Client(asyncio.Protocol):
    """A kept-alive connection that sends its next request when the last is answered."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._buffer = b""
        self._transport: Any = None
        self._sent = 0.0

    def connection_made(self, transport: Any) -> None:
        """Begin."""
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        """One whole answer ends where its length says, or with the last chunk."""
        self._buffer = self._buffer + data if self._buffer else data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end].lower()
        length = head.find(b"content-length: ")
        if length >= 0:
            size = int(head[length + 16 :].split(b"\r\n", 1)[0])
            if len(self._buffer) < end + 4 + size:
                return
        elif not self._buffer.endswith(b"0\r\n\r\n"):
            return
        self._run.answered(time.perf_counter() - self._sent, ok=self._buffer.startswith(b"HTTP/1.1 200"))
        self._buffer = b""
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        """A connection that the server ends early counts as an error."""
        del exc
        self._run.lost(self)

    def _send(self) -> None:
        request = self._run.next_request()
        if request is None:
            self._run.ended(self)
            self._transport.close()
            return
        self._sent = time.perf_counter()
        self._transport.write(request)


class Run:
    """One measured run: requests go out until the time is over; the first fifth is warm-up and not counted."""

    def __init__(self, requests: list[bytes], connections: int, seconds: float) -> None:
        self._requests = iter(requests)
        self._open = connections
        self._ended: set[Client] = set()
        self.done = asyncio.get_running_loop().create_future()
        self.begin = time.perf_counter()
        self.from_ = self.begin + seconds / 5
        self.until = self.begin + seconds
        self.taken: list[float] = []
        self.answered_all = 0
        self.errors = 0

    def next_request(self) -> bytes | None:
        """The next one, ``None`` when the time or the events are over."""
        return next(self._requests, None) if time.perf_counter() < self.until else None

    def answered(self, seconds: float, *, ok: bool) -> None:
        """Count it."""
        self.answered_all += 1
        if not ok:
            self.errors += 1
        elif time.perf_counter() >= self.from_:
            self.taken.append(seconds)

    def ended(self, client: Client) -> None:
        """A connection has nothing more to send."""
        self._ended.add(client)
        self._one_less()

    def lost(self, client: Client) -> None:
        """A connection closed."""
        if client not in self._ended:
            self.errors += 1
            self._one_less()

    def _one_less(self) -> None:
        self._open -= 1
        if self._open == 0 and not self.done.done():
            self.done.set_result(None)


async def load(port: int, requests: list[bytes], connections: int, seconds: float) -> dict[str, Any]:
    """Run it; rates are of whole requests."""
    run = Run(requests, connections, seconds)
    loop = asyncio.get_running_loop()
    for _ in range(connections):
        await loop.create_connection(lambda: Client(run), "127.0.0.1", port)
    await run.done
    taken = sorted(run.taken)
    wall = time.perf_counter() - run.from_
    return {
        "requests": len(taken),
        "answered": run.answered_all,
        "errors": run.errors,
        "requests_per_s": round(len(taken) / wall, 2),
        "p50_ms": round(statistics.median(taken) * 1e3, 2) if taken else None,
        "p99_ms": round(taken[int(len(taken) * 0.99)] * 1e3, 2) if taken else None,
    }


def wrk_load(
    program: str, requests: list[bytes], *, port: int, connections: int, seconds: float, again: bool
) -> dict[str, Any]:
    """The same by wrk, which costs a tenth of the client above."""
    with tempfile.TemporaryDirectory() as name:
        script, bodies = Path(name) / "load.lua", Path(name) / "requests"
        script.write_text(WRK, encoding="ascii")
        with bodies.open("wb") as file:
            file.writelines(b"%08d" % len(each) + each for each in requests)
        command = [program, "-t1", f"-c{connections}", f"-d{seconds:g}s", "-s", str(script)]
        command += [f"http://127.0.0.1:{port}", "--", str(bodies), "again" if again else "once"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    count, duration_us, errors, p50_us, p99_us = (int(word) for word in said.partition("RESULT ")[2].split())
    return {
        "requests": count,
        "answered": count,
        "errors": errors,
        "requests_per_s": round(count / duration_us * 1e6, 2),
        "p50_ms": round(p50_us / 1e3, 2),
        "p99_ms": round(p99_us / 1e3, 2),
    }


def request(path: str, content_type: str, key: str, body: bytes) -> bytes:
    """The bytes of a POST."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def fdatasync_us(directory: Path, *, count: int = 100) -> list[float]:
    """What one durable 4 KiB write takes."""
    block = os.urandom(4096)
    taken = []
    with tempfile.NamedTemporaryFile(dir=directory) as file:
        file.write(block)
        file.flush()
        os.fsync(file.fileno())
        for _ in range(count):
            start = time.perf_counter()
            os.pwrite(file.fileno(), block, 0)
            os.fdatasync(file.fileno())
            taken.append((time.perf_counter() - start) * 1e6)
    return taken


def pin(process: int, core: int) -> bool:
    """Keep a process on one core; whether the system does that."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else []
    if len(cores) < 2:
        return False
    os.sched_setaffinity(process, {cores[core]})
    for task in Path(f"/proc/{process or os.getpid()}/task").iterdir():
        os.sched_setaffinity(int(task.name), {cores[core]})
    return True


def cpu_s(process: int) -> float:
    """CPU time that a process used so far."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measured(
    name: str, server: int, directory: Path, lines: int, run: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """One part with the disk and the server's CPU beside it; ``lines`` decisions a request."""
    disk = fdatasync_us(directory)
    cpu, wall = cpu_s(server), time.perf_counter()
    result = run()
    cpu, wall = cpu_s(server) - cpu, time.perf_counter() - wall
    disk += fdatasync_us(directory)
    decisions = result.pop("answered") * lines
    figures = {
        "per_s": round(result["requests_per_s"] * lines),
        "per_cpu_s": round(decisions / cpu),
        "server_cpu_us_each": round(cpu / decisions * 1e6, 1),
        "server_cpu_share": round(cpu / wall, 2),
        "fdatasync_us_p50": round(statistics.median(disk)),
    }
    return {"part": name} | result | figures


def loaded(
    name: str,
    server: int,
    port: int,
    requests: list[bytes],
    directory: Path,
    arguments: argparse.Namespace,
    *,
    again: bool,
) -> dict[str, Any]:
    """Single requests over many connections, warmed up, by wrk where it is installed."""
    connections, seconds, warm = arguments.connections, arguments.seconds, len(requests) // 6
    program = shutil.which("wrk")
    if program is None:
        result = measured(
            name, server, directory, 1, lambda: asyncio.run(load(port, requests, connections, seconds))
        )
    else:
        wrk_load(program, requests[:warm], port=port, connections=connections, seconds=1.0, again=again)
        result = measured(
            name, server, directory, 1,
            lambda: wrk_load(
                program, requests[warm:], port=port, connections=connections, seconds=seconds, again=again
            ),
        )  # fmt: skip
    say(result | {"connections": connections, "client": "wrk" if program else "python"})
    return result


def shopward(directory: Path, arguments: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Single decisions, then batches, against a fresh server."""
    command = [sys.executable, "-m", "shopward", "serve", "--data", str(directory / "data"), "--port", "0"]
    command += ["--policy", arguments.policy] if arguments.policy else []
    command += ["--database", arguments.database] if arguments.database else []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        if server.stdout is None:
            raise RuntimeError("no output to read")
        key, port = "", 0
        for line in server.stdout:
            key = line.split()[-1] if line.startswith("API key: ") else key
            if line.startswith("listening on "):
                port = int(line.strip().rpartition(":")[2])
                break
        say({"pinned": pin(server.pid, 0)})
        pin(0, 1)
        time.sleep(0.5)
        source = reference_events() if arguments.load == "reference" else shop_events()
        singles = [
            request("/v1/decisions", "application/json", key, body)
            for body in islice(source, int(SINGLES_PER_S * (arguments.seconds + 1)))
        ]
        single = loaded("single", server.pid, port, singles, directory, arguments, again=False)
        del singles
        batches = [
            request(
                "/v1/decisions/batch",
                "application/x-ndjson",
                key,
                b"\n".join(islice(source, arguments.lines)),
            )
            for _ in range(int(LINES_PER_S * arguments.seconds / arguments.lines))
        ]
        batch = measured(
            "batch", server.pid, directory, arguments.lines,
            lambda: asyncio.run(load(port, batches, 2, arguments.seconds)),
        )  # fmt: skip
        say(batch | {"lines": arguments.lines})
        server.terminate()
    return {"single": single, "batch": batch}


def uvicorn_alone(directory: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """What of a single decision is the web server's: uvicorn, its loop and its parser, and an application of no work."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen([sys.executable, __file__, "--answer-on", str(port)]) as server:
        time.sleep(3)
        pin(server.pid, 0)
        source = reference_events() if arguments.load == "reference" else shop_events()
        posts = [request("/", "application/json", "none", body) for body in islice(source, 20_000)]
        result = loaded("uvicorn", server.pid, port, posts, directory, arguments, again=True)
        server.terminate()
    return result


async def answer(_scope: object, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
    """The application of no work."""
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", str(ANSWER_BYTES).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"x" * ANSWER_BYTES})


def nginx(directory: Path, arguments: argparse.Namespace) -> dict[str, Any] | None:
    """The yardstick: what one core of nginx answers to the same POSTs."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        say({"part": "nginx", "absent": "nginx is not installed: no yardstick"})
        return None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    configuration = directory / "nginx.conf"
    configuration.write_text(
        "daemon off; worker_processes 1; pid " + str(directory / "nginx.pid") + "; error_log /dev/null;"
        "events { worker_connections 1024; } http { access_log off; keepalive_requests 100000000;"
        f" server {{ listen 127.0.0.1:{port}; location / {{ default_type application/json; return 200 '"
        + "x" * ANSWER_BYTES
        + "'; } } }",
        encoding="ascii",
    )
    with subprocess.Popen([program, "-c", str(configuration), "-p", str(directory)]) as server:
        time.sleep(1)
        children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text(encoding="ascii").split()
        worker = int(children[0]) if children else server.pid
        pin(worker, 0)
        source = reference_events() if arguments.load == "reference" else shop_events()
        posts = [request("/", "application/json", "none", body) for body in islice(source, 20_000)]
        result = loaded("nginx", worker, port, posts, directory, arguments, again=True)
        server.terminate()
    return result


def say(figures: dict[str, Any]) -> None:
    """One JSON line."""
    print(json.dumps(figures), flush=True)


def main() -> None:
    """Read the arguments and run all parts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dir", type=Path, default=Path())
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--connections", type=int, default=128)
    parser.add_argument("--lines", type=int, default=2_000)
    parser.add_argument("--policy", default="")
    parser.add_argument("--load", choices=("shop", "reference"), default="shop")
    parser.add_argument("--database", default="")
    parser.add_argument("--answer-on", type=int, help="be uvicorn alone, on this port")
    arguments = parser.parse_args()
    if arguments.answer_on:
        uvicorn.run(answer, port=arguments.answer_on, lifespan="off", access_log=False, log_level="warning")
        return
    with tempfile.TemporaryDirectory(dir=arguments.dir) as name:
        directory = Path(name).absolute()
        ours = shopward(directory, arguments)
        ours["uvicorn"] = uvicorn_alone(directory, arguments)
        yardstick = nginx(directory, arguments)
    if yardstick is not None:
        by_core = {name: round(each["per_cpu_s"] / yardstick["per_cpu_s"], 3) for name, each in ours.items()}
        by_rate = {name: round(each["per_s"] / yardstick["per_s"], 3) for name, each in ours.items()}
        say({"part": "ratios", "of": "nginx", "rate": by_rate, "per_cpu_s": by_core})


if __name__ == "__main__":
    uvloop.install()
    main()
