"""The worker: sends what the outbox holds. Huey wakes it at once; its sweep finds what Huey lost."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

from huey import Huey, SqliteHuey, crontab
from huey.api import TaskWrapper
from huey.consumer import Consumer

from ivr.answering import LANGUAGES
from ivr.carrier import Carrier, Outcome
from ivr.catalogue import Catalogue
from ivr.model import TOPICS, Place, first_part
from ivr.outbox import PATIENCE, Outbox, Rules, Task, quiet
from ivr.settings import Settings
from ivr.voice import CALLED_PATH, write_path

log = logging.getLogger(__name__)

QUEUE = Path("var/queue.db")  # beside the default database; may be lost at any time
THREADS = 4  # requests to Twilio at once
STOP = 25  # seconds for requests that are out, before the process ends; platforms give 30


def open_queue(redis_url: str = "", path: Path = QUEUE) -> Huey:
    """Where wakings wait: a file, or Redis where several machines share the line. It holds ids and nothing else."""
    if redis_url:
        from huey import RedisHuey  # late: only who uses Redis loads it

        return RedisHuey("ivr", url=redis_url, results=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    return SqliteHuey("ivr", filename=str(path), results=False, timeout=1)


def waker(redis_url: str = "", path: Path = QUEUE) -> Callable[[int], None]:
    """What a web process gives to its Outbox: tells the worker of a new row. The queue is opened when first needed,
    so that a broken one hinders no start.
    """

    @cache
    def deliver() -> TaskWrapper:
        return open_queue(redis_url, path).task(name="deliver")(_elsewhere)

    def wake(id_: int) -> None:
        deliver()(id_)

    return wake


def _elsewhere(id_: int) -> None:
    """The web process knows the task by its name only; the worker registers what it does."""
    raise NotImplementedError(id_)


class Sender:
    """Brings rows to their end: one request to Twilio at a time for each, in the order of its pages."""

    def __init__(
        self,
        outbox: Outbox,
        carrier: Carrier,
        bodies: Callable[[Task], tuple[str, ...]],
        url: Callable[[Task], str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`bodies`: the pages of a text; `url`: where Twilio asks what to say in a call."""
        self._outbox = outbox
        self._carrier = carrier
        self._bodies = bodies
        self._url = url
        self._clock = clock

    def deliver(self, id_: int) -> None:
        """Send a row's pages as far as they go now; nothing where another worker has it, or it is not due.

        A fault of ours is logged and leaves the row to the next sweep: one row never holds up the others.
        """
        try:
            while task := self._outbox.claim(id_, self._clock()):
                outcome, last = self._tried(task)
                self._outbox.settle(task, outcome, self._clock(), last=last)
                log.info("outbox %d: %s %d %s %s", task.id, task.kind, task.page + 1, outcome.kind, outcome.why)
        except Exception as fault:
            log.error("outbox %d: left to the next sweep (%s)", id_, type(fault).__name__)

    def sweep(self) -> None:
        """Deliver all that is due: new rows nobody was woken for, retries, and what a dead worker left."""
        self._outbox.clean(self._clock())
        for id_ in self._outbox.due(self._clock()):
            self.deliver(id_)

    def _tried(self, task: Task) -> tuple[Outcome, bool]:
        """What became of the request, and whether it was the row's last."""
        if task.kind == "call":
            return self._call(task), True
        bodies = self._bodies(task)
        if task.page >= len(bodies):  # reworded meanwhile, and shorter: what is left of it has gone
            return Outcome("refused", why="no such page"), True
        body, last = bodies[task.page], task.page + 1 == len(bodies)
        if task.looking:
            return self._carrier.text_sent_before(task.number, task.line, body, task.tried_at), last
        return self._carrier.send_text(task.number, task.line, body), last

    def _call(self, task: Task) -> Outcome:
        if task.looking:
            return self._carrier.call_made_before(task.number, task.line, task.tried_at)
        if quiet(task.number, self._clock()):  # allowed when it was asked for, but retried into the night
            return Outcome("later", why="night")
        return self._carrier.call(task.number, task.line, self._url(task))


def rules_of(settings: Settings) -> Rules:
    """What the operator allows the line to send by itself."""
    return Rules(frozenset(settings.outbound_countries), settings.outbound_daily)


def sender(settings: Settings, words: Catalogue, carrier: Carrier, clock: Callable[[], float] = time.time) -> Sender:
    """The sender of a line: what the pages of a text are, and what a call back says."""

    def bodies(task: Task) -> tuple[str, ...]:
        wording = words.languages[(task.language, *words.likely(task.country))[task.language not in words.languages]]
        return wording.texts_at(Place(task.place), task.country)

    outbox = Outbox(settings.database_url, settings.secret_key, rules_of(settings), patience=PATIENCE)
    return Sender(outbox, carrier, bodies, lambda task: settings.base_url + _called(task, words), clock)


def _called(task: Task, words: Catalogue) -> str:
    """Where a call back begins: with the topic that was texted last, or with the languages likely there."""
    known, place = words.phone(task.language), Place(task.place)
    if known and place.topic in TOPICS:
        return write_path(known, task.country, first_part(place.topic), CALLED_PATH)
    if known and place.topic == "urgent":
        return write_path(known, task.country, place, CALLED_PATH)
    likely = [code for code in words.likely(task.country) if code not in known and words.phone(code) == (code,)]
    return write_path((*known, *likely), task.country, LANGUAGES, CALLED_PATH)


def consumer(queue: Huey, sender: Sender, *, signals: bool = True) -> Consumer:
    """Huey's consumer over the sender: `run()` it in a process of its own, or `start()` it in threads without signals.

    SIGTERM ends it gracefully: requests that are out come to their end. The first sweep is at once, for what a
    killed worker left.
    """
    queue.task(name="deliver")(sender.deliver)
    sweep = queue.periodic_task(crontab(), name="sweep")(sender.sweep)
    with suppress(Exception):  # a queue that cannot be written to only makes the first sweep a minute late
        sweep()
    kind = Consumer if signals else _InThreads
    return kind(queue, workers=THREADS, max_delay=0.5, shutdown_timeout=STOP, graceful_signal="TERM")


class _InThreads(Consumer):  # type: ignore[misc]
    """Signals belong to the main thread, which serves the demo."""

    def _set_signal_handlers(self) -> None:
        pass
