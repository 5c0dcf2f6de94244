"""Twilio's REST API on loopback, as far as the line uses it: a recording stand-in for the documented protocol.

Messages and Calls can be created and listed (2010-04-01). `modes` names what happens to the next requests to create, in
order; after them, `mode`. What was accepted stands in `accepted`, whatever the client heard of it. The account can be
fetched, its IncomingPhoneNumbers listed and changed (`numbers`; `changes` holds what was sent) by whoever has `token`.
"""

from __future__ import annotations

import json
import random
import re
import socket
import struct
import threading
import time
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

# Mode -> status, Twilio's code, whether it was accepted all the same. A code of 0 is a proxy's page, not Twilio's JSON.
ANSWERS = {
    "fine": (201, 0, True),
    "429": (429, 20429, False),
    "503": (503, 20503, False),
    "503-proxy": (503, 0, False),
    "503-proxy-after-accepting": (503, 0, True),
    "500": (500, 20500, False),
    "500-after-accepting": (500, 20500, True),
    "502-after-accepting": (502, 0, True),
    "504-after-accepting": (504, 0, True),
    "401": (401, 20003, False),
    "21610": (400, 21610, False),
    "21211": (400, 21211, False),
    "21614": (400, 21614, False),
    "garbled": (201, 0, True),
    "reset": (0, 0, False),
    "reset-after-accepting": (0, 0, True),
    "hangs": (0, 0, False),
    "hangs-after-accepting": (0, 0, True),
}


class TwilioApi:
    """`with TwilioApi() as api:` serves at `api.url`, below `path` if one is given."""

    def __init__(self, path: str = "") -> None:
        self.account = {"status": "active", "type": "Full"}
        self.token: str | None = None  # any, unless one is given
        self.numbers: dict[str, dict[str, Any]] = {}  # by SID, as Twilio's JSON has them
        self.changes: list[dict[str, str]] = []  # the forms that changed a number
        self.path = path
        self.mode: str | Callable[[], str] = "fine"
        self.modes: list[str] = []
        self.list_modes: list[str] = []
        self.accepted: list[dict[str, str]] = []
        self.requests = 0  # to create something
        self.clock: Callable[[], float] = time.time
        self.delay: Callable[[], float] = lambda: 0.0  # seconds between accepting and saying so
        self.lock = threading.Lock()
        self.heard = threading.Condition()  # notified at each request to create something
        self.released = threading.Event()  # lets the hanging requests go
        handler = type("Handler", (_Handler,), {"api": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.url = f"http://127.0.0.1:{self._server.server_port}{path}"

    def __enter__(self) -> TwilioApi:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, _type: type | None, _fault: BaseException | None, _trace: TracebackType | None) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def sent(self, to: str) -> list[str]:
        """Bodies of texts, or URLs of calls, that were accepted for this number, in order."""
        return [entry.get("body") or entry.get("url", "") for entry in self.accepted if entry["to"] == to]

    def own(self, number: str, **fields: Any) -> dict[str, Any]:
        """Give the account a number, as one newly bought: it answers with Twilio's demonstration."""
        demo = "https://demo.twilio.com/welcome"
        new = {
            "sid": f"PN{len(self.numbers):032x}",
            "phone_number": number,
            "capabilities": {"voice": True, "sms": True},
        }
        new |= {"voice_url": f"{demo}/voice/", "sms_url": f"{demo}/sms/reply/", "status_callback": ""}
        new |= dict.fromkeys(("voice_method", "sms_method", "status_callback_method"), "POST")
        self.numbers[new["sid"]] = new | fields
        return self.numbers[new["sid"]]

    def change(self, sid: str, form: dict[str, str]) -> dict[str, Any] | None:
        """What a form in Twilio's spelling (VoiceUrl) makes of a number; None for one that is not there."""
        if sid not in self.numbers:
            return None
        self.changes.append(form)
        changed = {re.sub("(?<!^)(?=[A-Z])", "_", name).lower(): value for name, value in form.items()}
        self.numbers[sid] |= changed
        return self.numbers[sid]

    def next_mode(self) -> str:
        with self.lock:
            self.requests += 1
            mode = self.modes.pop(0) if self.modes else self.mode
        return mode if isinstance(mode, str) else mode()

    def accept(self, kind: str, form: dict[str, str], direction: str = "outbound-api") -> dict[str, str]:
        sid = ("SM" if kind == "Messages" else "CA") + f"{random.getrandbits(128):032x}"
        entry = {"sid": sid, "kind": kind, "direction": direction, "status": "queued"}
        entry |= {name.lower(): value for name, value in form.items()}
        entry["date_created"] = formatdate(self.clock()).replace("-0000", "+0000")
        with self.lock:
            self.accepted.append(entry)
        return entry

    def listed(self, kind: str, query: dict[str, str]) -> list[dict[str, str]]:
        with self.lock:
            found = [entry for entry in self.accepted if entry["kind"] == kind]
        return [e for e in reversed(found) if e["to"] == query.get("To") and e["from"] == query.get("From")]


class _Handler(BaseHTTPRequestHandler):
    api: ClassVar[TwilioApi]
    timeout = 30

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(self.api.clock() if timestamp is None else timestamp)

    def do_POST(self) -> None:
        kind = urlsplit(self.path).path.rpartition("/")[2].removesuffix(".json")
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body, keep_blank_values=True).items()}
        if "/IncomingPhoneNumbers/" in self.path:
            return self._admitted(lambda: self.api.change(kind, form))
        mode = self.api.next_mode()
        status, code, accepted = ANSWERS[mode]
        entry = self.api.accept(kind, form) if accepted else {}
        with self.api.heard:
            self.api.heard.notify_all()
        self.api.released.wait(30 if mode.startswith("hangs") else self.api.delay())
        if not status:
            self._reset()
        elif mode == "fine":
            self._answer(201, json.dumps(entry | {"date_sent": None}))
        elif mode == "garbled" or not code:
            self._answer(status, "<html>")
        else:
            self._answer(status, json.dumps({"status": status, "code": code, "message": f"to {form['To']}"}))
        return None

    def _admitted(self, found: Callable[[], Any]) -> None:
        """What only the account's own token may see and change."""
        name = self.path.removeprefix(self.api.path).split("/")[3].removesuffix(".json")
        key = b64encode(f"{name}:{self.api.token}".encode()).decode()
        if self.api.token and self.headers["Authorization"] != f"Basic {key}":
            return self._answer(401, json.dumps({"status": 401, "code": 20003, "message": "Authenticate"}))
        entry = found()
        if entry is None:
            return self._answer(404, json.dumps({"status": 404, "code": 20404, "message": "not found"}))
        return self._answer(200, json.dumps(entry))

    def do_HEAD(self) -> None:
        self._answer(404, "")

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        kind = url.path.rpartition("/")[2].removesuffix(".json")
        if kind == "IncomingPhoneNumbers":
            listed = {"incoming_phone_numbers": [*self.api.numbers.values()], "next_page_uri": None}
            return self._admitted(lambda: listed)
        if url.path.rpartition("/")[0].endswith("/Accounts"):
            return self._admitted(lambda: self.api.account | {"sid": kind})
        mode = self.api.list_modes.pop(0) if self.api.list_modes else "fine"
        if mode == "hangs":
            self.api.released.wait(30)
            return self._reset()
        if mode != "fine":
            return self._answer(ANSWERS[mode][0], "<html>")
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        page: dict[str, Any] = {kind.lower(): self.api.listed(kind, query), "next_page_uri": None}
        return self._answer(200, json.dumps(page))

    def _answer(self, status: int, body: str) -> None:
        with suppress(ConnectionError):  # the client has been killed, or has given up
            self._written(status, body.encode())

    def _written(self, status: int, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _reset(self) -> None:
        """Closes so that the client meets a reset, not an end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def log_message(self, *_: Any) -> None:
        pass
