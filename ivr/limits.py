"""Limits on what one number and all new numbers get by text; never in the way of a cry for help, or of an answer."""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import threading
import time
from collections import OrderedDict, deque
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, NamedTuple, Protocol

from limits.storage import RedisStorage

log = logging.getLogger(__name__)

Verdict = Literal["answer", "slow_down", "silence"]


class Limit(NamedTuple):
    most: int
    seconds: int


SAME_TEXT = Limit(5, 600)  # then silence: two machines that answer each other come to an end
A_NUMBER = Limit(30, 600)  # ordinary answers; then the short text
TOLD = Limit(3, 600)  # short texts; then silence, which costs nothing
SEEN = Limit(1, 600)  # a number that did not text for so long is new
NEW_NUMBERS = Limit(600, 60)  # of the whole line; a short code sends a hundred texts a second, no campaign needs more
SHORT_CRY = 40  # characters; an urgent text up to here is always answered, a longer one unless it is repeated unchanged

DEADLINE = 0.01  # seconds that an answer waits for Redis; one beside us takes a tenth of that
REST = 5.0  # seconds that Redis is left alone after a fault
SOCKET = 1.0  # seconds until a thread of ours gives up; longer than the deadline, so that a slow connection gets made
MOST_KEYS = 50_000  # windows and verdicts in memory, some 20 MB; the longest unused are forgotten first


class Asked(NamedTuple):
    """A text that was understood. `sid`: Twilio's; `place`: what the answer says; `urgent`: danger is in it."""

    number: str
    sid: str
    words: str
    place: str
    urgent: bool
    country: str | None = None


class Windows(Protocol):
    """Moving windows by key, as the library's storages have them."""

    def acquire_entry(self, key: str, limit: int, expiry: int) -> bool:
        """Whether there was room for one more within `expiry` seconds; it is taken then."""


class Here:
    """The windows of this process. The library's own would start a thread and walk through all keys at each text,
    and go by a clock that can jump."""

    def __init__(self) -> None:
        self._windows: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def acquire_entry(self, key: str, limit: int, expiry: int) -> bool:
        now = time.monotonic()
        with self._lock:
            window = self._windows.setdefault(key, deque(maxlen=limit))
            self._windows.move_to_end(key)
            if len(window) == limit and window[0] > now - expiry:
                return False
            window.append(now)
            if len(self._windows) > MOST_KEYS:
                self._windows.popitem(last=False)
            return True


class Limits:
    """Judges texts after they are understood. Counts of this process, or of all where Redis answers; losable."""

    def __init__(self, secret: str, countries: tuple[str, ...] = (), redis_url: str = "") -> None:
        """`countries`: whose numbers get ordinary answers, ISO codes; all if empty."""
        self._secret = secret.encode()
        self._countries = frozenset(countries)
        self._here = Here()
        self._redis_url = redis_url
        self._redis: RedisStorage | None = None
        self._resting_until = 0.0
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="limits")
        self._verdicts: OrderedDict[str, Verdict] = OrderedDict()

    def close(self) -> None:
        self._pool.shutdown()
        if self._redis:
            self._redis.storage.close()

    def judge(self, asked: Asked) -> Verdict:
        """What this text gets. A repeated delivery of it counts once, and gets the same."""
        if asked.urgent and len(asked.words) <= SHORT_CRY:
            return "answer"
        delivery = self._hash(asked.sid, asked.number, asked.words)
        verdict = self._verdicts.get(delivery)
        if verdict is None:
            verdict = self._verdicts[delivery] = self._within_deadline(asked)
            if len(self._verdicts) > MOST_KEYS:
                self._verdicts.popitem(last=False)
        return verdict

    def _within_deadline(self, asked: Asked) -> Verdict:
        if not self._redis_url or time.monotonic() < self._resting_until:
            return self._weighed(asked, self._here)
        work = self._pool.submit(self._shared, asked)
        try:
            return work.result(timeout=DEADLINE)
        except Exception as fault:  # whatever breaks there, this process counts alone
            work.cancel()
            self._resting_until = time.monotonic() + REST
            log.warning("Redis did not answer (%s); limits are counted by each process", type(fault).__name__)
            return self._weighed(asked, self._here)

    def _shared(self, asked: Asked) -> Verdict:
        if self._redis is None:
            self._redis = RedisStorage(
                self._redis_url, key_prefix="ivr-limits", socket_timeout=SOCKET, socket_connect_timeout=SOCKET
            )
        return self._weighed(asked, self._redis)

    def _weighed(self, asked: Asked, windows: Windows) -> Verdict:
        def room(limit: Limit, of: str) -> bool:
            return windows.acquire_entry(of, limit.most, limit.seconds)

        if asked.urgent:
            return "answer" if room(SAME_TEXT, self._hash(asked.number, asked.words)) else "silence"
        if self._countries and asked.country not in self._countries:
            return "silence"
        if not room(SAME_TEXT, self._hash(asked.number, _skeleton(asked.words), asked.place)):
            return "silence"
        who = self._hash(asked.number)
        new = room(SEEN, f"seen/{who}")
        if room(A_NUMBER, who) and not (new and not room(NEW_NUMBERS, "new")):
            return "answer"
        return "slow_down" if room(TOLD, f"told/{who}") else "silence"

    def _hash(self, *of: str) -> str:
        """What stands for a number, or for a number and its text: neither is kept, here or in Redis."""
        return hmac.digest(self._secret, "\0".join(("limits", *of)).encode(), hashlib.sha256).hex()[:32]


def _skeleton(words: str) -> str:
    """A long text without its digits: machines count tickets and tell the time, and say the same otherwise."""
    return re.sub(r"\d+", "", words) if len(words) > SHORT_CRY else words
