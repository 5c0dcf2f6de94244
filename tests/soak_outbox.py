"""Sends while the worker is killed at random: python -m tests.soak_outbox 1000 25; none doubled, none forgotten."""

from __future__ import annotations

import logging
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ivr.carrier import Carrier
from ivr.outbox import DAY, PATIENCE, Outbox, Rules
from ivr.settings import HOME
from ivr.worker import Sender, consumer, open_queue, waker

from .twilio_api import TwilioApi

SECRET, ACCOUNT, LINE = "a-key-of-at-least-thirty-two-letters", "AC" + "0" * 32, "+254202012345"
PAGES = ("the first page", "the second page")
LONGEST_LIFE = 60.0  # seconds of a worker that finds nothing more to do
# Nearly one request in four meets a fault; three of seven were accepted all the same.
WEATHER = ["fine"] * 24 + [
    "429", "503", "503-proxy", "reset",
    "500-after-accepting", "504-after-accepting", "reset-after-accepting",
]  # fmt: skip


@dataclass(frozen=True)
class Result:
    """`unknown`: texts whose end nobody can tell; of these `half_out` had all the same reached Twilio in part."""

    sends: int
    kills: int
    sent: int
    unknown: int
    half_out: int
    doubled: int
    forgotten: int
    requests: int


def outbox(folder: Path, *, wakes: bool = False) -> Outbox:
    wake = waker(path=folder / "queue.db") if wakes else None
    return Outbox(f"sqlite:///{folder}/line.db", SECRET, Rules(frozenset({"KE"}), daily=10**6), wake, patience=PATIENCE)


def sender(box: Outbox, url: str, ahead: float = 0.0) -> Sender:
    return Sender(box, Carrier(ACCOUNT, "token", url), lambda _: PAGES, str, lambda: time.time() + ahead)


def run(folder: Path, sends: int, kills: int, seed: int, weather: list[str] = WEATHER) -> Result:
    """Ask for texts, kill the worker at random requests, let what is left come to its end, and count."""
    chance = random.Random(seed)
    numbers = [f"+2547{n:08}" for n in range(10_000_000, 10_000_000 + sends)]
    with TwilioApi() as api:
        api.mode = lambda: chance.choice(weather)
        api.delay = lambda: chance.random() * 0.02
        box = outbox(folder, wakes=True)
        for number in numbers:
            told = box.ask(
                "text", number, line=LINE, language="en", country="KE", place="uses-1", once=number, now=time.time()
            )
            assert told == "queued", told
        for _ in range(kills):
            _killed(folder, api, api.requests + chance.randint(1, max(1, sends // kills)))
        ahead = 0.0  # the clock moves, nobody waits
        api.clock = lambda: time.time() + ahead
        while box.due(time.time() + DAY) and ahead < DAY:
            sender(box, api.url, ahead).sweep()
            ahead += 120
        result = _counted(box, api, numbers, kills)
        box.close()
    return result


def _killed(folder: Path, api: TwilioApi, at: int) -> None:
    """One life of a worker: until Twilio has heard so many requests, then SIGKILL."""
    command = [sys.executable, "-m", "tests.soak_outbox", "worker", str(folder), api.url]
    environment = os.environ | {"PYTHONPATH": str(HOME)}
    with subprocess.Popen(command, cwd=HOME, env=environment, stdout=subprocess.DEVNULL) as worker:
        give_up = time.monotonic() + LONGEST_LIFE
        while api.requests < at and worker.poll() is None and time.monotonic() < give_up:
            with api.heard:
                api.heard.wait(0.5)
        worker.send_signal(signal.SIGKILL)
        assert worker.wait() == -signal.SIGKILL


def _counted(box: Outbox, api: TwilioApi, numbers: list[str], kills: int) -> Result:
    states = box.tally()
    sent = {number: Counter(api.sent(number)) for number in numbers}
    whole = sum(set(bodies) == set(PAGES) for bodies in sent.values())
    return Result(
        sends=len(numbers),
        kills=kills,
        sent=states.get("sent", 0),
        unknown=states.get("unknown", 0),
        half_out=sum(bool(bodies) for bodies in sent.values()) - states.get("sent", 0),
        doubled=sum(max(bodies.values(), default=0) > 1 for bodies in sent.values()),
        forgotten=len(numbers)
        - states.get("sent", 0)
        - states.get("unknown", 0)
        + max(0, states.get("sent", 0) - whole),
        requests=api.requests,
    )


def main() -> None:
    if sys.argv[1] == "worker":
        box = outbox(Path(sys.argv[2]))
        consumer(open_queue(path=Path(sys.argv[2]) / "queue.db"), sender(box, sys.argv[3])).run()
        return
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "fine").mkdir()
        sends, kills, seed = int(sys.argv[1]), int(sys.argv[2]), random.randrange(10**6)
        results = [run(Path(folder) / "fine", sends, kills, seed, ["fine"]), run(Path(folder), sends, kills, seed)]
    for weather, result in zip(("fine weather", "foul weather"), results, strict=True):
        sys.stdout.write(f"{weather}: {result}\n")
    sys.exit(any(result.doubled or result.forgotten for result in results))


if __name__ == "__main__":
    main()
