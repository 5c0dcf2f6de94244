"""The demo page: a plain simulated phone in the browser, driving the line through signed webhooks."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from ivr.line import the_line
from ivr.phone import Call, Phone, PhoneError, over_wsgi

demo = Blueprint("demo", __name__)

MOST_CALLS = 50  # kept at once; an old one is forgotten

_calls: dict[str, Call] = {}


@demo.get("/")
def page() -> str:
    return render_template("phone.html")


@demo.post("/demo/text")
def text() -> ResponseReturnValue:
    """{"words", "number"} in; a list of {"body", "language", "encoding", "segments"} out."""
    said = request.get_json()
    replies = _phone(said).text(str(said.get("words", "")))
    keys = ("body", "language", "encoding", "segments")
    return jsonify([{key: getattr(reply, key) for key in keys} for reply in replies])


@demo.post("/demo/call")
def call() -> ResponseReturnValue:
    """{"number"} starts a call; {"sid", "key"} presses a key in it, or waits where key is empty."""
    said = request.get_json()
    line = _calls.get(str(said.get("sid")))
    if line is None:
        line = _phone(said).call()
        _calls[line.sid] = line
        while len(_calls) > MOST_CALLS:
            _calls.pop(next(iter(_calls)))
    elif not line.over:
        key = str(said.get("key") or "")
        line.press(key) if key else line.wait()
    return jsonify({"sid": line.sid, "heard": [str(heard) for heard in line.lines], "over": line.over})


@demo.errorhandler(PhoneError)
def stopped(fault: PhoneError) -> ResponseReturnValue:
    return jsonify({"error": str(fault)}), 400


def _phone(said: dict[str, Any]) -> Phone:
    settings = the_line().settings
    return Phone(
        over_wsgi(current_app.wsgi_app),
        settings.base_url,
        settings.auth_tokens[0],
        account=settings.account_sid,
        number=str(said.get("number") or "+15005550006"),
    )
