"""The demo page: a phone in the browser, which texts and calls the line through signed webhooks."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import phonenumbers
from babel import Locale
from flask import Blueprint, Response, abort, current_app, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from ivr.carrier import Carrier, Outcome
from ivr.line import the_line
from ivr.phone import Answered, Incoming, Phone, PhoneError, Played, Player, Spoken, Text, over_wsgi
from ivr.settings import Settings

demo = Blueprint("demo", __name__)

MOST_PHONES = 50  # kept at once; the oldest is forgotten
CALLING = re.compile(r"\((call|answer|press|say|wait)\b")  # turns that are heard, not read
RECEIVE = "(receive)"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer, for the curious."""

    method: str
    url: str
    ms: float
    status: int
    body: str


class Handset(Phone):
    """A phone that keeps what the page shows besides the words."""

    def __init__(self, settings: Settings, number: str, country: str | None) -> None:
        self.texts: list[Text] = []
        self.wire: list[Exchange] = []
        self._send = over_wsgi(current_app.wsgi_app)
        token, account = settings.auth_tokens[0], settings.account_sid
        super().__init__(self._timed, settings.base_url, token, account=account, number=number, country=country)

    def text(self, words: str, media: int = 0, **extra: str) -> list[Text]:
        self.texts = super().text(words, media, **extra)
        return self.texts

    def receive(self) -> list[Text]:
        self.texts = super().receive()
        return self.texts

    def _timed(self, method: str, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Answered:
        start = time.perf_counter()
        answer = self._send(method, url, form, headers)
        ms = (time.perf_counter() - start) * 1000
        body = answer.body.decode("utf-8", "replace") if "xml" in answer.type else f"{len(answer.body)} bytes"
        self.wire.append(Exchange(method, url, round(ms, 1), answer.status, body))
        return answer


@dataclass
class Session:
    """A phone in use, and the script of all that it did: a file for tests/conversations."""

    phone: Handset
    header: list[str]
    script: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.player = Player(lambda _number, _country: self.phone)

    def turn(self, words: str) -> list[str]:
        """A turn as in a script: words, or (call), (press 1), (wait)…; gives what came back, line by line.

        Raises PhoneError where the line did wrong, and keeps the turn, so that the script shows the fault;
        ValueError where there is no such turn.
        """
        said = "> " + " ".join(words.splitlines())
        self.phone.texts, self.phone.wire = [], []
        try:
            played = self.player.line(said)
        except PhoneError:
            self.script.append(said)
            raise
        self.script += played
        return [line[2:] for line in played[1:]]


_sessions: dict[str, Session] = {}  # by number


def deliver(number: str, incoming: Incoming) -> bool:
    """Hands over a text or call that the line itself started; False where no page holds this number's phone.

    Safe from any thread. The page asks for it within seconds.
    """
    session = _sessions.get(number)
    if session is None:
        return False
    session.phone.inbox.append(incoming)
    return True


class Loopback(Carrier):
    """Stands where Twilio's API does, for the worker of a laptop: what goes out rings on the page."""

    def __init__(self) -> None:
        super().__init__("", "")

    def send_text(self, to: str, line: str, body: str) -> Outcome:  # noqa: ARG002 (as the carrier is asked)
        return _delivered(to, Incoming(body=body))

    def call(self, to: str, line: str, url: str) -> Outcome:  # noqa: ARG002
        return _delivered(to, Incoming(url=url))


def _delivered(number: str, incoming: Incoming) -> Outcome:
    """Nothing is tried again: a phone that no page holds any more is gone."""
    return Outcome("accepted", secrets.token_hex(16)) if deliver(number, incoming) else Outcome("refused", why="gone")


@demo.get("/")
def page() -> str:
    line = the_line()
    names = Locale("en").territories
    countries = sorted((names.get(code, code), code) for code in line.catalogue.countries)
    editions = [wording.edition for wording in line.catalogue.languages.values()]
    return render_template("phone.html", countries=countries, editions=editions, settings=line.settings)


@demo.post("/demo/phone")
def new_phone() -> ResponseReturnValue:
    """{"country"} in, {"number"} out: a phone that the line has never met."""
    country = str(request.get_json().get("country"))
    if country not in the_line().catalogue.countries:
        abort(404)
    settings, number = the_line().settings, _fresh_number(country)
    _sessions[number] = Session(Handset(settings, number, country), _header(settings, country))
    while len(_sessions) > MOST_PHONES:
        del _sessions[next(iter(_sessions))]
    return jsonify({"number": number})


@demo.post("/demo/turn")
def turn() -> ResponseReturnValue:
    """{"number", "turn"} in; out come texts, what was heard, what else happened, and whether a call goes on."""
    said = request.get_json()
    session = _session(said.get("number"))
    return jsonify(_took(session, str(said.get("turn", ""))))


@demo.get("/demo/inbox")
def inbox() -> ResponseReturnValue:
    """As a turn: the texts that the line itself started since, and whether it rings. Empty is the rule."""
    session = _session(request.args.get("number"))
    return jsonify(_took(session, RECEIVE) if session.phone.inbox else {})


@demo.get("/demo/script")
def script() -> ResponseReturnValue:
    """The session as a file for tests/conversations, which replays it."""
    session = _session(request.args.get("number"))
    name = f"attachment; filename=session-{time.strftime('%Y%m%d-%H%M%S')}.txt"
    text = "\n".join([*session.header, *session.script, ""])
    return Response(text, content_type="text/plain; charset=utf-8", headers={"Content-Disposition": name})


@demo.errorhandler(PhoneError)
@demo.errorhandler(ValueError)
def stopped(fault: PhoneError | ValueError) -> ResponseReturnValue:
    return jsonify({"error": str(fault)}), 400


def _session(number: object) -> Session:
    return _sessions.get(str(number)) or abort(404)


def _took(session: Session, words: str) -> dict[str, object]:
    """A turn taken, as the page shows it."""
    lines, phone, call = session.turn(words), session.phone, session.player.call
    spoken = call if call and CALLING.match(words) else None
    languages = _languages(phone.texts)
    return {
        "texts": [_shown(text, language) for text, language in zip(phone.texts, languages, strict=True)],
        "heard": [_heard(heard) for heard in spoken.heard] if spoken else [],
        "events": [line for line in lines if line.startswith("(")] if spoken else [],
        "in_call": call is not None and not call.over,
        "rings": words == RECEIVE and phone.ringing is not None,
        "wire": phone.wire,
    }


def _shown(text: Text, language: str) -> dict[str, object]:
    return {"body": text.body, "language": language, "encoding": text.encoding, "segments": text.segments}


def _languages(texts: list[Text]) -> list[str]:
    """The language of each text. The line names all in order, each once: as many as texts means one each."""
    named = (texts[0].language or "").split(", ") if texts else []
    return named if len(named) == len(texts) else [named[0]] * len(texts)


def _heard(heard: Spoken | Played) -> dict[str, str]:
    if isinstance(heard, Played):
        return {"audio": heard.url} | _said(heard.url)
    return {"words": heard.text, "language": heard.language}


def _said(url: str) -> dict[str, str]:
    """The words and language of a recording, as far as the manifest tells."""
    name = urlsplit(url).path.removeprefix("/audio/")
    recording = the_line().recordings.manifest.get(name)
    return {"words": recording.text, "language": name.rpartition("/")[0].rpartition("/")[2]} if recording else {}


def _header(settings: Settings, country: str) -> list[str]:
    """How a saved session begins: the settings that shape answers, and the country's published example number.

    The number in use is made up, so it may be somebody's: it stays out of files.
    """
    chosen = {
        "IVR_LANGUAGES": ",".join(settings.languages),
        "IVR_OPTOUT": settings.optout,
        "IVR_DEFAULT_COUNTRY": settings.default_country,
    }
    sets = [f"# set {name}={value}" for name, value in chosen.items() if value]
    return ["# Saved from the phone page.", *sets, f"from {_example(country)}", f"country {country}"]


def _example(country: str) -> str:
    """A mobile number of that country, from libphonenumber's examples."""
    example = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE) or abort(404)
    return str(phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164))


def _fresh_number(country: str) -> str:
    """One that could be a mobile of that country: nothing is ever sent to it. New, so the line has no memory of it."""
    start, valid = _example(country)[:-4], ""
    while not valid or valid in _sessions:
        made_up = f"{start}{secrets.randbelow(10_000):04}"
        valid = made_up if phonenumbers.is_valid_number(phonenumbers.parse(made_up)) else ""
    return valid
