"""Wakings through a real Redis, as where web and worker are on several machines; and without it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from ivr.carrier import Carrier
from ivr.outbox import Outbox
from ivr.worker import Sender, open_queue, waker

from .conftest import ACCOUNT, TOKEN, redis_program
from .test_outbox import NOON, NUMBER, PAGES, RULES, SECRET, api, asked, waken
from .twilio_api import TwilioApi

__all__ = ["api"]


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    socket = tmp_path / "redis.sock"
    command = [redis_program(), "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        patient = Retry(ConstantBackoff(0.05), 200, supported_errors=(redis.ConnectionError,))
        with redis.Redis(unix_socket_path=str(socket), retry=patient) as client:
            assert client.ping()
        yield f"unix://{socket}?db=0"
        server.terminate()


def test_a_waking_reaches_the_worker_of_another_machine(tmp_path: Path, redis_url: str, api: TwilioApi) -> None:
    waken(tmp_path, api, waker(redis_url), open_queue(redis_url))


def test_redis_holds_ids_and_no_person(tmp_path: Path, redis_url: str) -> None:
    outbox = Outbox(f"sqlite:///{tmp_path}/line.db", SECRET, RULES, waker(redis_url))
    assert asked(outbox, "text", NUMBER, "CA1") == "queued"
    outbox.close()  # waits for the thread that wakes
    with redis.Redis.from_url(redis_url) as client:
        kept = b"".join(each for key in client.scan_iter() for each in client.lrange(key, 0, -1))
        assert b"deliver" in kept
        assert NUMBER[1:].encode() not in kept


def test_without_redis_all_is_queued_and_found_by_the_sweep(tmp_path: Path, api: TwilioApi) -> None:
    outbox = Outbox(f"sqlite:///{tmp_path}/line.db", SECRET, RULES, waker(f"unix://{tmp_path}/nobody.sock"))
    assert asked(outbox, "text", NUMBER, "CA1") == "queued"
    sender = Sender(outbox, Carrier(ACCOUNT, TOKEN, api.url), lambda _: PAGES, str, lambda: NOON)
    sender.sweep()
    assert outbox.tally() == {"sent": 1}
    outbox.close()
