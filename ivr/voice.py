"""Calls: the voice webhook. A call has no session: its place is plain in the path, and Twilio signs the path."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from flask import Blueprint, Response, request
from twilio.twiml.voice_response import Gather, VoiceResponse

from ivr.answering import LANGUAGES, WELCOME, after_silence, answer
from ivr.catalogue import Catalogue
from ivr.door import let_in
from ivr.events import Event
from ivr.line import Line, person, the_line
from ivr.model import Message, Place, Reply
from ivr.sms import twiml

voice = Blueprint("voice", __name__)

NOWHERE = "ZZ"  # in a path: no country is known
Said = tuple[str, str, str]  # words, voice, language as Twilio names it
WAIT_SECONDS = 5  # for a key, after the prompt
_PATH = re.compile(r"([A-Za-z.-]{2,200})/([A-Z]{2})/([a-z_]+(?:-[a-z_]+|-\d{1,2})?)/(\d{1,2})", re.ASCII)


@voice.post("/voice", provide_automatic_options=False)
def call_received() -> Response:
    """The first prompt of a call: the languages likely there, and 0."""
    line = the_line()
    form = let_in(request, line.settings, "voice")
    caller = line.store.recall(person(form.get("From", "")), form["CallSid"])
    country = caller.country or line.country_of(form)
    languages = line.catalogue.spoken.likely(country, line.catalogue.phone(caller.language))
    reply = answer(Message("voice", None, languages, country, LANGUAGES), line.catalogue.spoken)
    _count(reply, form, line)
    return twiml(render(reply, line.catalogue), reply)


@voice.post("/voice/<path:place>", provide_automatic_options=False)
def call_continues(place: str) -> Response:
    """A key pressed at a place, or silence there."""
    line = the_line()
    form = let_in(request, line.settings, "voice")
    languages, country, where = read_path(place)
    country = country or line.country_of(form)
    message = Message("voice", form.get("Digits") or None, languages, country, where)
    reply = answer(message, line.catalogue.spoken)
    _count(reply, form, line)
    if reply.place == WELCOME:  # a language was chosen: the next call and text begin with it
        number, sid = person(form.get("From", "")), form["CallSid"]
        caller = line.store.recall(number, sid)
        line.store.remember(number, sid, caller, replace(caller, language=reply.language))
    return twiml(render(reply, line.catalogue), reply)


def _count(reply: Reply, form: dict[str, str], line: Line) -> None:
    """One step of a call is its path and its key; Twilio's own token tells a second press from a repeated request."""
    event = Event("voice", reply.language, reply.intents[0], reply.country, reply.layer)
    token = request.headers.get("I-Twilio-Idempotency-Token", "")
    line.events.record(event, form["CallSid"], request.path, form.get("Digits", ""), token)


def read_path(path: str) -> tuple[tuple[str, ...], str | None, Place]:
    """Languages, country and place of a call's path. What cannot be read becomes the menu, urgent first."""
    read = _PATH.fullmatch(path)
    if read is None:
        return (), None, Place()
    languages, country, name, tries = read.groups()
    known = None if country == NOWHERE else country
    return tuple(dict.fromkeys(languages.split("."))), known, Place(name, int(tries))


def write_path(reply: Reply, place: Place) -> str:
    return f"/voice/{'.'.join(reply.languages)}/{reply.country or NOWHERE}/{place.name}/{place.tries}"


def render(reply: Reply, catalogue: Catalogue) -> bytes:
    """Speak, and wait for a key; on silence go on at another place; or speak and hang up."""
    editions = (catalogue.languages[sentence.language].edition for sentence in reply.said)
    said = tuple(
        (words.text, str(edition.voice), edition.say) for words, edition in zip(reply.said, editions, strict=True)
    )
    if reply.ends:
        return _farewell(said)
    return _prompt(said, write_path(reply, reply.place), write_path(reply, after_silence(reply)))


@lru_cache(maxsize=1024)
def _farewell(said: tuple[Said, ...]) -> bytes:
    response = VoiceResponse()
    _speak(response, said)
    response.hangup()
    return str(response).encode()


@lru_cache(maxsize=1024)
def _prompt(said: tuple[Said, ...], on_key: str, on_silence: str) -> bytes:
    response = VoiceResponse()
    gather = Gather(
        input="dtmf",
        num_digits="1",
        finish_on_key="",
        timeout=WAIT_SECONDS,
        action=on_key,
        method="POST",
    )
    _speak(gather, said)
    response.append(gather)
    response.redirect(on_silence, method="POST")
    return str(response).encode()


def _speak(verb: VoiceResponse | Gather, said: tuple[Said, ...]) -> None:
    """One <Say> a sentence, so that none grows beyond what a voice takes in any script."""
    for text, name, language in said:
        verb.say(text, voice=name, language=language)
