"""The rungs of make bench, each a WSGI application of its own: `RUNG=L2 gunicorn tests.rungs:app`."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Response, request
from twilio.request_validator import RequestValidator
from twilio.twiml.messaging_response import MessagingResponse
from twilio.twiml.voice_response import Gather, VoiceResponse

BASE_URL, TOKEN = "https://line.example.org", "a-token-for-tests"


def constant() -> Callable[..., Iterable[bytes]]:
    def app(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        start_response("200 OK", [("Content-Type", "text/xml"), ("Content-Length", "11")])
        return [b"<Response/>"]

    return app


def flask(checked: bool) -> Flask:
    """A constant answer, as Twilio's own guide to Flask checks the signature: validate(url, request.form, header)."""
    app = Flask("rung")

    @app.post("/sms")
    def answer() -> Response:
        if checked and not signed():
            return Response(status=403)
        return Response("<Response/>", content_type="text/xml")

    return app


def signed() -> bool:
    signature = request.headers.get("X-Twilio-Signature", "")
    return bool(RequestValidator(TOKEN).validate(BASE_URL + request.path, request.form, signature))


def typical() -> Flask:
    """What is usually made by hand: signature, a word looked up, a row committed, TwiML built, for each request."""
    app, file = Flask("typical"), os.environ["RUNG_DATABASE"]
    with sqlite3.connect(file) as made:
        made.execute("CREATE TABLE IF NOT EXISTS log (at TEXT, sender TEXT, said TEXT)")

    @app.post("/sms")
    def text() -> Response:
        if not signed():
            return Response(status=403)
        words = request.form["Body"].strip().lower()
        keep(request.form["From"], words)
        response = MessagingResponse()
        response.message(ANSWERS.get(words, "Sorry, text MENU."))
        return Response(str(response), content_type="text/xml")

    @app.post("/voice/en/KE/menu/0")
    def key() -> Response:
        if not signed():
            return Response(status=403)
        keep(request.form["From"], request.form["Digits"])
        response, gather = VoiceResponse(), Gather(num_digits=1, action="/voice/en/KE/menu/0")
        gather.say(ANSWERS["side effects"], voice="Polly.Joanna", language="en-US")
        gather.say("Press 1 to hear it again.", voice="Polly.Joanna", language="en-US")
        response.append(gather)
        response.redirect("/voice")
        return Response(str(response), content_type="text/xml")

    def keep(sender: str, said: str) -> None:
        connection = sqlite3.connect(file, timeout=30)
        with connection:
            connection.execute("INSERT INTO log VALUES (datetime(), ?, ?)", (sender, said))
        connection.close()

    return app


def line() -> Flask:
    from ivr import limits  # here, so that the other rungs do not carry it
    from ivr.app import create_app

    # All limits are weighed as always, and none is reached: a few thousand senders stand for a whole country.
    limits.SAME_TEXT = limits.A_NUMBER = limits.NEW_NUMBERS = limits.Limit(10**9, 600)
    return create_app()


ANSWERS = {
    "side effects": "Common effects: sleepy, dizzy, tired, weak muscles. Ask your clinic.",
    "menu": "Text 1 to 6.",
}
RUNGS: dict[str, Callable[[], Any]] = {
    "L0": constant,
    "L1": lambda: flask(checked=False),
    "L2": lambda: flask(checked=True),
    "L4": typical,
    "line": line,
}

if "RUNG" in os.environ:
    app = RUNGS[os.environ["RUNG"]]()
