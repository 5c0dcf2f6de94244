"""What a Prometheus server may ask for: answers, their seconds and the outbox, of all processes together."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from typing import Any

from ivr.events import Event

TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 2.0, 5.0, 15.0)  # seconds; Twilio gives up after fifteen
ROOM = 1 << 20  # bytes for one kind of metric: more than all channels, languages, intents and layers can fill
LABELS = ("channel", "language", "intent", "layer")


class Metrics:
    """Counters that cost a webhook a few microseconds. No label tells more than dozens of things apart."""

    def __init__(self, folder: Path, tally: Callable[[], dict[str, int]]) -> None:
        """`folder`: where the processes of this machine keep their counts, each server's in a folder of its own;
        `tally`: how many rows of the outbox are in each state. Raises OSError where there is no room.
        """
        server = os.getppid()  # workers of one server have the same parent
        _forget_servers(folder)
        os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(folder / str(server)))
        _reserve(Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]))
        # Late: the library looks for its folder when it is first imported, and only who asks for metrics loads it.
        from prometheus_client import CollectorRegistry, Counter, Histogram

        own = CollectorRegistry()
        self._tally = tally
        self._answers = Counter("ivr_answers", "Answers given", LABELS, registry=own)
        self._seconds = Histogram("ivr_answer_seconds", "Time to answer", ("channel",), buckets=BUCKETS, registry=own)

    def answered(self, event: Event, seconds: float) -> None:
        with suppress(OSError):  # no count is worth an answer
            self._answers.labels(event.channel, event.language, event.intent, event.layer).inc()
            self._seconds.labels(event.channel).observe(seconds)

    def page(self) -> bytes:
        """All counts in Prometheus' text format."""
        from prometheus_client import CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        everybody = CollectorRegistry()
        MultiProcessCollector(everybody)  # type: ignore[no-untyped-call]
        everybody.register(self)
        return generate_latest(everybody)

    def collect(self) -> Iterable[Any]:
        """The library's question to a collector: the outbox as it is now; left out where the database is away."""
        from prometheus_client.core import GaugeMetricFamily

        rows = GaugeMetricFamily("ivr_outbox", "Texts and call-backs by state", labels=["state"])
        try:
            for state, count in self._tally().items():
                rows.add_metric([state], count)
        except Exception:
            return []
        return [rows]


def _reserve(folder: Path) -> None:
    """Room on the disk for this process. The library writes to mapped memory: on a full disk that would kill us."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind in ("counter", "histogram"):
        file = os.open(folder / f"{kind}_{os.getpid()}.db", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.posix_fallocate(file, 0, ROOM)
        finally:
            os.close(file)


def _forget_servers(folder: Path) -> None:
    """Delete what servers left that are no more."""
    for old in folder.glob("[1-9]*"):
        try:
            os.kill(int(old.name), 0)
        except ProcessLookupError:
            rmtree(old, ignore_errors=True)
        except (PermissionError, ValueError):
            continue
