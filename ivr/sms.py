"""Texts: the messaging webhook, from Twilio's form to a message, and from a reply to TwiML."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from flask import Blueprint, Response, request
from twilio.twiml.messaging_response import MessagingResponse

from ivr.answering import answer
from ivr.door import let_in
from ivr.events import Event
from ivr.limits import Asked
from ivr.line import Line, person, the_line
from ivr.model import CARRIER_START_WORDS, CARRIER_STOP_WORDS, Message, Place, Reply, Sentence
from ivr.store import Caller
from ivr.wording import KEY_OF, segments

sms = Blueprint("sms", __name__)

MOST_MESSAGES = 10  # replies to one message; more is error 14109


@sms.post("/sms", provide_automatic_options=False)
def text_received() -> Response:
    """Answer one text. Memory is asked before and told after; neither can hold the answer up."""
    line = the_line()
    form = let_in(request, line.settings, "sms")
    number, sid = person(form["From"]), form["MessageSid"]
    caller = line.store.recall(number, sid)
    asked = message(form, caller, line)
    reply = answer(asked, line.catalogue)
    if reply.wants == "call":
        outcome = line.ask("call", form, reply.language, reply.country, reply.place)
        reply = answer(replace(asked, outcome=outcome), line.catalogue)
    reply = _limited(reply, asked, form, line)
    line.store.remember(number, sid, caller, _after(reply, caller, form))
    said = () if carrier_answers(form, line) else reply.said[:MOST_MESSAGES]
    cost = sum(segments(sentence.text)[1] for sentence in said)
    line.count(Event("sms", reply.language, reply.intents[0], reply.country, reply.layer, cost), sid)
    return twiml(render(said), reply)


def _limited(reply: Reply, asked: Message, form: dict[str, str], line: Line) -> Reply:
    """What the limits leave of a reply: all of it, a short text, or silence, and then the person stays in place."""
    urgent = reply.danger or "urgent" in reply.intents
    country = line.country_of(form) if line.settings.countries else None
    number, sid, words = person(form["From"]), form["MessageSid"], form["Body"]
    verdict = line.limits.judge(Asked(number, sid, words, reply.place.name, urgent, country))
    if verdict == "answer":
        return reply
    short = line.catalogue.languages[reply.language].sms("slow_down", key=KEY_OF["urgent"])
    said = (Sentence(short, reply.language),) if verdict == "slow_down" else ()
    return replace(reply, said=said, place=asked.place, decided=verdict)


def message(form: dict[str, str], caller: Caller, line: Line) -> Message:
    known = (caller.language,) if caller.language else ()
    country = caller.country or line.country_of(form)
    ways = frozenset({"call"} if line.settings.callback and line.reaches("call", form) else ())
    return Message("sms", form["Body"], known, country, Place(caller.place), ways=ways)


def _after(reply: Reply, caller: Caller, form: dict[str, str]) -> Caller:
    """What to remember: a country only where the person named it, since a guess can be made again.

    An opt-out lasts until a word that the carrier takes for coming back; a text in between is answered all the same.
    """
    back = form.get("OptOutType") == "START" or form["Body"].strip().upper() in CARRIER_START_WORDS
    stopped = form.get("OptOutType") == "STOP" or "stop" in reply.intents
    opted_out = stopped or (caller.opted_out and not back)
    country = reply.country if "country" in reply.intents else caller.country
    return replace(caller, language=reply.language, country=country, place=reply.place.name, opted_out=opted_out)


def carrier_answers(form: dict[str, str], line: Line) -> bool:
    """Whether the carrier has answered this opt-out itself, so that we must be silent."""
    if form.get("OptOutType") == "STOP":
        return True
    word = form["Body"].strip()  # not folded: the carrier reads it as it is
    return line.settings.optout == "carrier" and word.isascii() and word.upper() in CARRIER_STOP_WORDS


@lru_cache(maxsize=1024)  # what is said is ours, and the same to all who ask for it in one language and country
def render(said: tuple[Sentence, ...]) -> bytes:
    response = MessagingResponse()
    for sentence in said:
        response.message(sentence.text)
    return str(response).encode()


def twiml(document: bytes, reply: Reply) -> Response:
    """A TwiML response; Content-Language tells which languages it is in."""
    languages = ", ".join(dict.fromkeys(sentence.language for sentence in reply.said))
    return Response(document, content_type="text/xml; charset=utf-8", headers={"Content-Language": languages})
