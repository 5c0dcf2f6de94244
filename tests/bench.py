"""make bench: the line beside simpler and more usual servers, over HTTP, in one run, interleaved; only ratios count.

`SECONDS=2 ROUNDS=5 make bench` measures longer. One worker, 32 connections that each wait for their answer.
"""

from __future__ import annotations

import os
import re
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from urllib.parse import urlencode

from ivr.phone import sign
from ivr.settings import HOME

from .conftest import ACCOUNT, BASE_URL, ENVIRONMENT, TOKEN

ROUNDS, SECONDS = int(os.environ.get("ROUNDS", "3")), float(os.environ.get("SECONDS", "1"))
CONNECTIONS, SENDERS, MOST = 32, 2000, 12_000
PICTURE = HOME / "docs/bench.svg"
COMMON = {"AccountSid": ACCOUNT, "To": "+15005550001", "ApiVersion": "2010-04-01"}
GEOGRAPHY = {f"{end}{name}": "" for end in ("From", "To") for name in ("City", "State", "Zip", "Country")}
MANNERS = {"SmsStatus": "received", "NumSegments": "1", "NumMedia": "0", "MessagingServiceSid": "MG" + "0" * 32}
TEXT = COMMON | GEOGRAPHY | MANNERS | {"Body": "SIDE EFFECTS"}
QUESTION = TEXT | {"Body": "my mother feels dizzy since she takes the tablets, is that normal"}
KEY = COMMON | GEOGRAPHY | {"CallStatus": "in-progress", "Direction": "inbound", "Digits": "3"}

SERVERS = {
    "gunicorn": "gunicorn --worker-class gthread --threads 64 --keep-alive 95 --log-level error --no-control-socket "
    "--bind 127.0.0.1:{port} tests.rungs:app",
    "granian": "granian --interface wsgi --host 127.0.0.1 --port {port} --workers 1 --blocking-threads 64 --http 1 "
    "--no-ws --log-level error tests.rungs:app",
}
NAMES = {
    "L0": ("L0", "/sms", TEXT, "WSGI, a constant"),
    "L1": ("L1", "/sms", TEXT, "Flask, a constant"),
    "L2": ("L2", "/sms", TEXT, "Flask + Twilio's validator"),
    "L4 text": ("L4", "/sms", TEXT, "a typical app, a text"),
    "L4 key": ("L4", "/voice/en/KE/menu/0", KEY, "a typical app, a key"),
    "keyword": ("line", "/sms", TEXT, "the line, a keyword"),
    "question": ("line", "/sms", QUESTION, "the line, a question"),
    "key": ("line", "/voice/en/KE/menu/0", KEY, "the line, a key"),
}
UNIT = ("L2", "gunicorn")
serial = count()


@dataclass
class Figures:
    """Of one rung on one server, a number for each round: requests a second, p99 in ms, CPU µs a request."""

    rate: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


@dataclass
class Server:
    process: subprocess.Popen[bytes]
    port: int
    cold: float  # seconds from the start to the first answer


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@contextmanager
def running(rung: str, command: str, folder: Path) -> Iterator[Server]:
    port, began = free_port(), time.perf_counter()
    database = {"DATABASE_URL": f"sqlite:///{folder}/{port}.db", "RUNG_DATABASE": f"{folder}/{port}-typical.db"}
    environment = os.environ | ENVIRONMENT | database | {"RUNG": rung, "PYTHONPATH": str(HOME)}
    program, *arguments = command.format(port=port).split()
    process = subprocess.Popen([Path(sys.executable).parent / program, *arguments], env=environment, cwd=HOME)
    try:
        while not answered(port):
            time.sleep(0.01)
            if process.poll() is not None or time.perf_counter() - began > 60:
                raise SystemExit(f"{program} does not start {rung}")
        yield Server(process, port, time.perf_counter() - began)
    finally:
        process.terminate()
        process.wait()


def answered(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 60) as connection:
            connection.sendall(b"POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
            return connection.recv(1) != b""
    except OSError:
        return False


# --- Requests and answers -----------------------------------------------------------------------------------


def request(path: str, form: dict[str, str], token: str = TOKEN) -> bytes:
    """A request as Twilio sends it, with a SID that was never seen and one of two thousand senders."""
    number = next(serial)
    sid = {"CallSid": f"CA{number:032x}"} if "Digits" in form else {"MessageSid": f"SM{number:032x}"}
    whole = form | sid | {"From": f"+2547{number % SENDERS:08d}"}
    body = urlencode(whole)
    return (
        f"POST {path} HTTP/1.1\r\nHost: line.example.org\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"X-Twilio-Signature: {sign(token, BASE_URL + path, whole)}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


def status(answer: bytes) -> bytes:
    """The status of a whole answer; empty while some of it is missing."""
    head, end, body = answer.partition(b"\r\n\r\n")
    length = LENGTH.search(head)
    return answer[9:12] if end and length and len(body) >= int(length[1]) else b""


def burst(port: int, requests: list[bytes], seconds: float) -> tuple[float, list[float]]:
    """Seconds that it took, and the seconds of each answer."""
    waiting, times = selectors.DefaultSelector(), list[float]()
    for _ in range(CONNECTIONS):
        connection = socket.create_connection(("127.0.0.1", port))
        waiting.register(connection, selectors.EVENT_READ, [time.perf_counter(), b""])
        connection.sendall(requests.pop())
    began = time.perf_counter()
    while waiting.get_map():
        for chosen, _ in waiting.select():
            state, connection = chosen.data, chosen.fileobj
            assert isinstance(connection, socket.socket)
            state[1] += (received := connection.recv(65536))
            if not (code := status(state[1])) and received:
                continue
            now = time.perf_counter()
            if code != b"200":
                raise SystemExit(f"port {port} answered {state[1][:60]!r}")
            times.append(now - state[0])
            if now - began > seconds or not requests:
                waiting.unregister(connection)
                connection.close()
            else:
                state[:] = [now, b""]
                connection.sendall(requests.pop())
    return time.perf_counter() - began, times


def forged_is_refused(port: int, path: str, form: dict[str, str]) -> bool:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(request(path, form, "another-token"))
        return connection.recv(65536)[9:12] == b"403"


# --- What a process costs -----------------------------------------------------------------------------------


def family(process: int) -> list[int]:
    children = Path(f"/proc/{process}/task/{process}/children").read_text("ascii").split()
    return [process, *(each for child in children for each in family(int(child)))]


def cpu(process: int) -> float:
    """Seconds of CPU that a server and its workers have used."""
    stats = (Path(f"/proc/{each}/stat").read_text("ascii").rpartition(")")[2].split() for each in family(process))
    return sum(int(stat[11]) + int(stat[12]) for stat in stats) / os.sysconf("SC_CLK_TCK")


def worker_memory(process: int) -> float:
    """MB of its own memory that the largest process of a server has."""
    rollups = (Path(f"/proc/{each}/smaps_rollup").read_text("ascii") for each in family(process))
    return max(sum(map(int, re.findall(r"Private_\w+:\s+(\d+)", rollup))) for rollup in rollups) / 1024


# --- The table and the picture ------------------------------------------------------------------------------


def table(figures: dict[tuple[str, str], Figures], servers: dict[tuple[str, str], Server]) -> Iterator[str]:
    unit = figures[UNIT]
    yield f"{'':30}{'':10}{'rate':>7}{'p99':>7}{'CPU µs':>8}{'MB':>6}{'start s':>9}"
    for (name, kind), own in figures.items():
        rung, _, _, title = NAMES[name]
        server = servers[rung, kind]
        rate, p99 = ratio(own.rate, unit.rate), ratio(own.p99, unit.p99)
        memory = worker_memory(server.process.pid)
        spent = statistics.median(own.cpu)
        yield f"{title:30}{kind:10}{rate:7.2f}{p99:7.2f}{spent:8.0f}{memory:6.0f}{server.cold:9.2f}"
    yield f"rate and p99: ratios to L2 on gunicorn ({statistics.median(unit.rate):.0f} requests a second here)"


def ratio(own: list[float], unit: list[float]) -> float:
    """The median over rounds of the ratio within a round: what disturbs one disturbs the other."""
    return statistics.median(mine / other for mine, other in zip(own, unit, strict=True))


def picture(figures: dict[tuple[str, str], Figures]) -> str:
    """Two bars a rung: requests a second as a multiple of Flask with Twilio's validator on gunicorn."""
    rates = {each: ratio(own.rate, figures[UNIT].rate) for each, own in figures.items()}
    scale, height = 440 / max(rates.values()), 60 + 40 * len(NAMES)
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 {height}" font-family="sans-serif" font-size="11">'
    title = "Requests a second, one worker, 32 connections; Flask with Twilio's validator on gunicorn = 1"
    parts = [svg, f'<rect width="720" height="{height}" fill="#fff"/>', f'<text x="10" y="20">{title}</text>']
    for row, name in enumerate(NAMES):
        y = 40 + 40 * row
        parts.append(f'<text x="190" y="{y + 17}" text-anchor="end">{NAMES[name][3]}</text>')
        for lane, (kind, colour) in enumerate((("gunicorn", "#9ab"), ("granian", "#1e915f"))):
            wide = rates[name, kind] * scale
            parts.append(f'<rect x="200" y="{y + 14 * lane}" width="{wide:.1f}" height="12" fill="{colour}"/>')
            label = f"{rates[name, kind]:.2f} {kind}"
            parts.append(f'<text x="{204 + wide:.1f}" y="{y + 14 * lane + 10}">{label}</text>')
    return "\n".join([*parts, "</svg>\n"])


def measure(name: str, server: Server, own: Figures, seconds: float) -> None:
    _, path, form, _ = NAMES[name]
    requests = [request(path, form) for _ in range(round(MOST * max(seconds, 1)))]
    before = cpu(server.process.pid)
    took, times = burst(server.port, requests, seconds)
    own.rate.append(len(times) / took)
    own.p99.append(1000 * statistics.quantiles(times, n=100)[98])
    own.cpu.append(1e6 * (cpu(server.process.pid) - before) / len(times))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        rungs = dict.fromkeys((rung, kind) for rung, *_ in NAMES.values() for kind in SERVERS)
        servers = {
            (rung, kind): stack.enter_context(running(rung, SERVERS[kind], Path(folder))) for rung, kind in rungs
        }
        figures = {(name, kind): Figures() for name in NAMES for kind in SERVERS}
        for name, kind in figures:  # all senders become known, and who must refuse refuses
            rung, path, form, _ = NAMES[name]
            burst(servers[rung, kind].port, [request(path, form) for _ in range(SENDERS)], 60)
            assert rung in ("L0", "L1") or forged_is_refused(servers[rung, kind].port, path, form), name
        for number in range(ROUNDS):
            print(f"round {number + 1} of {ROUNDS}", flush=True)
            for (name, kind), own in list(figures.items())[:: 1 if number % 2 else -1]:
                measure(name, servers[NAMES[name][0], kind], own, SECONDS)
        print(*table(figures, servers), sep="\n")
        PICTURE.write_text(picture(figures), encoding="utf-8")


if __name__ == "__main__":
    main()
