"""Calls: the voice webhook. A call has no session: its place is plain in the path, and Twilio signs the path."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from flask import Blueprint, Response, request
from twilio.twiml.voice_response import Gather, SsmlProsody, VoiceResponse

from ivr.answering import ANSWERED, CALLED, LANGUAGES, LISTENS, QUEUED, WELCOME, after_silence, answer
from ivr.door import let_in
from ivr.events import Event
from ivr.line import Line, party, person, the_line
from ivr.model import Message, Place, Reply, Sentence
from ivr.sms import twiml

voice = Blueprint("voice", __name__)

NOWHERE = "ZZ"  # in a path: no country is known
WAIT_SECONDS = 5  # for a key, after the prompt
RING_SECONDS = 25  # for a person to pick up; a voice mail often answers after thirty
LONGEST_TALK = 3600  # seconds with a person
SLOWLY = "90%"  # of the voice's usual rate
CALLED_PATH = "called/"  # where a call that the line makes begins
SURE = 0.5  # a recogniser's confidence below which we ask again; where it tells none, it is believed
_PATH = re.compile(r"([A-Za-z.-]{2,200})/([A-Z]{2})/([a-z_]+(?:-[a-z_]+|-\d{1,2})?)/(\d{1,2})", re.ASCII)


@voice.post("/voice", provide_automatic_options=False)
def call_received() -> Response:
    """The first prompt of a call: the languages likely there, and 0. Or none: we reject, and call back."""
    line = the_line()
    form = let_in(request, line.settings, "voice")
    caller = line.store.recall(person(form.get("From", "")), form["CallSid"])
    country = caller.country or line.country_of(form)
    spoken, known = line.spoken, line.catalogue.phone(caller.language)
    languages = (*known, *(code for code in spoken.likely(country) if code not in known))
    message = Message("voice", None, languages, country, LANGUAGES)
    if line.settings.callback and line.ask("call", form, caller.language or "", country, LANGUAGES) == QUEUED:
        reply = answer(message, spoken)
        _count(replace(reply, intents=("call_me",)), form, line)
        return twiml(_rejection(), reply)
    return _answered(message, line, form)


@voice.post("/voice/<path:place>", provide_automatic_options=False)
def call_continues(place: str) -> Response:
    """A key or words at a place, or silence there."""
    line = the_line()
    form = let_in(request, line.settings, "voice")
    languages, country, where = read_path(place.removeprefix(CALLED_PATH))
    message = Message(
        "voice",
        form.get("Digits") or None,
        languages,
        country or line.country_of(form),
        where,
        heard=form.get("SpeechResult"),
        sure=float(form.get("Confidence") or 1) >= SURE,
        outcome=_outcome(place, form),
    )
    return _answered(message, line, form)


def _outcome(place: str, form: Mapping[str, str]) -> str:
    if form.get("DialCallStatus") in ("completed", "answered"):
        return ANSWERED
    return CALLED if place.startswith(CALLED_PATH) else ""


def _answered(message: Message, line: Line, form: dict[str, str]) -> Response:
    """Answer a step of a call. Memory is asked only where it is needed: most keys are answered without."""
    message = replace(message, ways=_ways(message, line, form))
    reply = answer(message, line.spoken)
    if reply.wants == "text":
        reply = answer(replace(message, outcome=_texted(reply, line, form)), line.spoken)
    _count(reply, form, line)
    if reply.place == WELCOME:
        _remember(reply.language, line, form)
    return twiml(render(reply, line), reply)


def _texted(reply: Reply, line: Line, form: dict[str, str]) -> str:
    """What became of the wish for a text: in the language of the call, or as this person writes it."""
    caller = line.store.recall(party(form)[0], form["CallSid"])
    fits = line.catalogue.phone(caller.language) == (reply.language,)  # Hindi in Latin letters, for who texts so
    language = str(caller.language) if fits else reply.language
    return line.ask("text", form, language, reply.country, reply.place, opted_out=caller.opted_out)


def _remember(language: str, line: Line, form: dict[str, str]) -> None:
    """A language was chosen: the next call and text begin with it."""
    number, sid = party(form)[0], form["CallSid"]
    caller = line.store.recall(number, sid)
    if line.catalogue.phone(caller.language) != (language,):
        line.store.remember(number, sid, caller, replace(caller, language=language))


def _ways(message: Message, line: Line, form: Mapping[str, str]) -> frozenset[str]:
    """What the line can do for this caller now beyond words."""
    ways = {"text"} if line.reaches("text", form) else set()
    return frozenset(ways | ({"person"} if line.person(next(iter(message.languages), "")) else set()))


def _count(reply: Reply, form: dict[str, str], line: Line) -> None:
    """One step of a call is its path and its key; Twilio's own token tells a second press from a repeated request."""
    event = Event("voice", reply.language, reply.intents[0], reply.country, reply.layer)
    token = request.headers.get("I-Twilio-Idempotency-Token", "")
    line.count(event, form["CallSid"], request.path, form.get("Digits", ""), token)


def read_path(path: str) -> tuple[tuple[str, ...], str | None, Place]:
    """Languages, country and place of a call's path. What cannot be read becomes the menu, urgent first."""
    read = _PATH.fullmatch(path)
    if read is None:
        return (), None, Place()
    languages, country, name, tries = read.groups()
    known = None if country == NOWHERE else country
    return tuple(dict.fromkeys(languages.split("."))), known, Place(name, int(tries))


def write_path(languages: tuple[str, ...], country: str | None, place: Place, begins: str = "") -> str:
    return f"/voice/{begins}{'.'.join(languages)}/{country or NOWHERE}/{place.name}/{place.tries}"


# TwiML: what is said is ours, and the same to all who hear it in one place, language and country. So it is made once.


class Prompt(NamedTuple):
    """Words, voice and language as Twilio names them, and words to be read as others; or a recording's URL, alone."""

    words: str
    voice: str = ""
    language: str = ""
    spelled: tuple[tuple[str, str], ...] = ()


def prompt(sentence: Sentence, line: Line) -> Prompt:
    """A recording where one is current, else a voice."""
    if recording := line.recordings.find(sentence.language, sentence.text):
        return Prompt(line.audio_url(recording))
    edition = line.catalogue.languages[sentence.language].edition
    return Prompt(sentence.text, edition.voice, edition.say, tuple(edition.spelled.items()))


def render(reply: Reply, line: Line) -> bytes:
    """Speak, and wait for a key or words; on silence go on at another place; or speak and end, or call a person."""
    said = tuple(prompt(sentence, line) for sentence in reply.said)
    here = write_path(reply.languages, reply.country, reply.place)
    if reply.ends:
        return farewell(said)
    if reply.wants == "person" and (number := line.person(reply.language)):
        return _connection(said, here, number)
    edition = line.catalogue.languages[reply.language].edition
    hears = edition.hears if reply.place.topic in LISTENS else ""
    hints = ",".join(line.catalogue.hints[reply.language]) if hears else ""
    return _question(said, here, write_path(reply.languages, reply.country, after_silence(reply)), hears, hints)


def _rejection() -> bytes:
    response = VoiceResponse()
    response.reject()
    return str(response).encode()


@lru_cache(maxsize=1024)
def farewell(said: tuple[Prompt, ...]) -> bytes:
    response = VoiceResponse()
    _speak(response, said)
    response.hangup()
    return str(response).encode()


@lru_cache(maxsize=1024)
def _connection(said: tuple[Prompt, ...], then: str, number: str) -> bytes:
    response = VoiceResponse()
    _speak(response, said)
    dial = response.dial(action=then, method="POST", timeout=RING_SECONDS, time_limit=LONGEST_TALK)
    dial.number(number)
    return str(response).encode()


@lru_cache(maxsize=1024)
def _question(said: tuple[Prompt, ...], then: str, on_silence: str, hears: str, hints: str) -> bytes:
    """`hears`: the tag of the language in which words are heard beside keys; empty: keys only."""
    response = VoiceResponse()
    words = {"language": hears, "speech_timeout": "auto", "hints": hints} if hears else {}
    gather = Gather(
        input="dtmf speech" if hears else "dtmf",
        num_digits="1",
        finish_on_key="",
        timeout=WAIT_SECONDS,
        action=then,
        method="POST",
        **words,
    )
    _speak(gather, said)
    response.append(gather)
    response.redirect(on_silence, method="POST")
    return str(response).encode()


def _speak(verb: VoiceResponse | Gather, said: tuple[Prompt, ...]) -> None:
    """One <Say> a sentence, so that none grows beyond what a voice takes in any script; a little slowly."""
    for each in said:
        if each.voice:
            _pronounce(verb.say(voice=each.voice, language=each.language).prosody(rate=SLOWLY), each)
        else:
            verb.play(each.words)


def _pronounce(speech: SsmlProsody, said: Prompt) -> None:
    """The words, with those marked that this voice would read as another language's."""
    aliases = {word.casefold(): alias for word, alias in said.spelled}
    between = f"({'|'.join(map(re.escape, aliases)) or '$.'})"
    for part in filter(None, re.split(between, said.words, flags=re.IGNORECASE)):
        if alias := aliases.get(part.casefold()):
            speech.sub(part, alias=alias)
        else:
            speech.append(part)
