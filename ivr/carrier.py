"""The one place that asks Twilio for something: a text, a call, what became of one whose outcome is unknown; and, for
who sets the line up, the account and its numbers."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Literal

TIMEOUT = 10.0  # seconds, to connect and again to answer; Twilio answers within one
SKEW = 60.0  # seconds that Twilio's clock and ours may differ
NEWEST = 100  # entries of Twilio's list that are looked through; a number gets far fewer a day

# Surely not processed, and mended within the day: a token in rotation, a suspended account, a wrong address, a limit.
# "When an API request receives an Error 429 response, this request is never processed" (Twilio support, 360044308153).
MENDED_SOON = frozenset({401, 403, 404, 408, 429})
UNAVAILABLE = 20503  # Twilio's own "service unavailable, try again"; a 503 without it may come from a proxy in between

# The query of Twilio's list carries a number: the client would log it at INFO, what is below it at DEBUG.
for _name in ("twilio.http_client", "urllib3.connectionpool"):
    logging.getLogger(_name).setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request. `accepted`: Twilio has it, as `sid`; `refused`: never will; `later`: surely not
    accepted, ask again; `unknown`: perhaps accepted, so never repeat it. `why`: a code or an error's name, never words
    of Twilio's, which may hold the number.
    """

    kind: Literal["accepted", "refused", "later", "unknown"]
    sid: str = ""
    why: str = ""


class CarrierError(Exception):
    """The API refused or did not answer, in words for an operator. `status`: of HTTP, 0 where there was none."""

    def __init__(self, why: str, status: int = 0) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True, slots=True)
class OwnNumber:
    """A number of the account. `fields`: NUMBER_FIELDS and their values, empty where none is set; `capabilities`:
    such as {"sms": False}.
    """

    sid: str
    number: str
    fields: Mapping[str, str]
    capabilities: Mapping[str, bool]


# What decides where a number's calls and texts go, by the names of the client's `update`. An application or a trunk
# takes the place of the URLs.
NUMBER_FIELDS = (
    "voice_url", "voice_method", "voice_fallback_url", "voice_fallback_method",
    "sms_url", "sms_method", "sms_fallback_url", "sms_fallback_method",
    "status_callback", "status_callback_method",
    "voice_application_sid", "sms_application_sid", "trunk_sid",
)  # fmt: skip
MOST_NUMBERS = 1000  # of an account; one page of Twilio's list


class Carrier:
    """Twilio's REST API, or one that speaks its protocol at `api_url`."""

    def __init__(self, account: str, token: str, api_url: str = "", timeout: float = TIMEOUT) -> None:
        self._account = account
        self._token = token
        self._api_url = api_url
        self._timeout = timeout

    def send_text(self, to: str, line: str, body: str) -> Outcome:
        return _outcome(lambda: self._client.messages.create(to=to, from_=line, body=body).sid)

    def call(self, to: str, line: str, url: str) -> Outcome:
        """Ring a number; when it answers, Twilio asks `url` (POST) what to say."""
        return _outcome(lambda: self._client.calls.create(to=to, from_=line, url=url, method="POST").sid)

    def text_sent_before(self, to: str, line: str, body: str, since: float) -> Outcome:
        """Whether Twilio has this text of ours since then: accepted, unknown (not seen), or later (cannot tell now).

        `since` is in seconds of 1970. The list is not narrowed by date: a message still waiting has no date of sending.
        Replies to a webhook carry the same words but another direction. A trial account puts words in front of ours.
        """
        return self._sent_before(
            lambda: (
                message
                for message in self._client.messages.list(to=to, from_=line, limit=NEWEST)
                if (message.body or "").endswith(body)
            ),
            since,
        )

    def call_made_before(self, to: str, line: str, since: float) -> Outcome:
        """Whether Twilio has a call of ours to this number since then; a number is called too rarely to mix up two."""
        return self._sent_before(lambda: self._client.calls.list(to=to, from_=line, limit=NEWEST), since)

    def _sent_before(self, listed: Callable[[], Iterable[Any]], since: float) -> Outcome:
        earliest = datetime.fromtimestamp(since - SKEW, UTC)
        try:
            for entry in listed():
                if entry.direction == "outbound-api" and (entry.date_created or earliest) >= earliest:
                    return Outcome("accepted", entry.sid)
        except Exception as fault:  # a list harms nobody: whatever went wrong, ask again
            return Outcome("later", why=type(fault).__name__)
        return Outcome("unknown", why="not in the list")

    def account(self) -> tuple[str, str]:
        """The account's status ("active") and type ("Full", "Trial"). Raises CarrierError."""
        with _told():
            account = self._client.api.accounts(self._account).fetch()
            return str(account.status or ""), str(account.type or "")

    def numbers(self) -> list[OwnNumber]:
        """The account's numbers. Raises CarrierError."""
        with _told():
            return [_own(number) for number in self._client.incoming_phone_numbers.list(limit=MOST_NUMBERS)]

    def change(self, sid: str, fields: Mapping[str, str]) -> None:
        """Set these of NUMBER_FIELDS at a number. Raises CarrierError."""
        with _told():
            self._client.incoming_phone_numbers(sid).update(**fields)

    @cached_property
    def _client(self) -> Any:
        from twilio.http.http_client import TwilioHttpClient  # late: 14 MB that no web process needs
        from twilio.rest import Client

        # A fresh connection each time: on one kept open, a reset would leave the outcome unknown.
        client = Client(
            self._account, self._token, http_client=TwilioHttpClient(pool_connections=False, timeout=self._timeout)
        )
        if self._api_url:
            client.api.base_url = self._api_url
        return client


def _own(number: Any) -> OwnNumber:
    fields = {name: str(getattr(number, name) or "") for name in NUMBER_FIELDS}
    return OwnNumber(number.sid, number.phone_number, fields, number.capabilities or {})


@contextmanager
def _told() -> Iterator[None]:
    """Whatever goes wrong with a request, as a CarrierError."""
    from twilio.base.exceptions import TwilioException

    try:
        yield
    except TwilioException as fault:
        status = getattr(fault, "status", 0)
        raise CarrierError(f"HTTP {status}, {getattr(fault, 'msg', fault)}", status) from fault
    except Exception as fault:
        raise CarrierError(f"no answer that can be read ({type(fault).__name__})") from fault


def _outcome(request: Callable[[], str]) -> Outcome:
    from twilio.base.exceptions import TwilioException

    try:
        return Outcome("accepted", request())
    except TwilioException as fault:
        return _refusal(getattr(fault, "status", 0), getattr(fault, "code", 0))
    except Exception as fault:  # time-outs, resets, an answer that cannot be read
        return Outcome("later" if _never_left(fault) else "unknown", why=type(fault).__name__)


def _refusal(status: int, code: int) -> Outcome:
    """500, 502, 504: Twilio says itself that a text may have been accepted all the same (error 20500)."""
    if status in MENDED_SOON or (status, code) == (503, UNAVAILABLE):
        return Outcome("later", why=str(code))
    return Outcome("refused" if 400 <= status < 500 else "unknown", why=str(code))


def _never_left(fault: Exception) -> bool:
    """Whether there was no connection yet: refused, no such host, an untrusted certificate, a proxy that is down."""
    from requests.exceptions import ConnectionError as NotConnected
    from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError, ProxyError, SSLError

    retries = fault.args[0] if isinstance(fault, NotConnected) and fault.args else None
    cause = retries.reason if isinstance(retries, MaxRetryError) else None
    if isinstance(cause, SSLError):
        return any(isinstance(part, ssl.SSLCertVerificationError) for part in cause.args)
    return isinstance(cause, NewConnectionError | ConnectTimeoutError | ProxyError)
