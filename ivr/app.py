"""create_app: the one place where the parts are joined."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from flask import Flask, Response, request
from twilio.twiml.messaging_response import MessagingResponse
from twilio.twiml.voice_response import VoiceResponse
from werkzeug.exceptions import HTTPException

from ivr.catalogue import Catalogue, load_catalogue
from ivr.demo import demo
from ivr.door import LARGEST_BODY, Refused, let_in
from ivr.events import Events
from ivr.line import Line, the_line
from ivr.settings import Settings
from ivr.sms import sms
from ivr.store import Store, open_engine
from ivr.voice import voice

log = logging.getLogger(__name__)


def create_app(settings: Settings | None = None, catalogue: Catalogue | None = None) -> Flask:
    """The line as a WSGI application. Raises SettingsError or ContentError, which name what is wrong."""
    settings = settings or Settings.from_env(os.environ)
    loaded = catalogue or load_catalogue(own=settings.content, wanted=settings.languages)
    words = loaded.narrowed(settings.languages, reviewed_only=settings.reviewed_only)
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.url_map.redirect_defaults = False
    app.url_map.merge_slashes = False
    app.extensions["ivr"] = Line(settings, words, Store(settings.database_url, settings.secret_key), _events(settings))
    app.register_blueprint(sms)
    app.register_blueprint(voice)
    if settings.demo:
        app.register_blueprint(demo)
    app.add_url_rule("/status", view_func=status, methods=["POST"], provide_automatic_options=False)
    app.add_url_rule("/livez", view_func=alive)
    app.add_url_rule("/readyz", view_func=alive)
    app.register_error_handler(Refused, refused)
    app.register_error_handler(Exception, broken)
    return app


def _events(settings: Settings) -> Events:
    """Journals lie beside a SQLite file, or in var/ where the database is elsewhere."""
    engine = open_engine(settings.database_url)
    file = engine.url.database if engine.dialect.name == "sqlite" else None
    return Events(engine, settings.secret_key, Path(file or "var/line.db").parent / "journal")


def status() -> Response:
    """Twilio reports what became of a message or a call."""
    let_in(request, the_line().settings, "status")
    return Response(status=204)


def alive() -> Response:
    return Response("alive\n", content_type="text/plain")


def refused(refusal: Refused) -> Response:
    return Response(f"{refusal}\n", refusal.status, content_type="text/plain; charset=utf-8")


def broken(fault: Exception) -> Response | HTTPException:
    """A fault of ours: logged, and answered with an apology that still names the hospital."""
    if isinstance(fault, HTTPException):
        return fault
    log.error("%s broke on %s", type(fault).__name__, request.url_rule, exc_info=fault)
    wording = next(iter(the_line().catalogue.spoken.languages.values()))
    if request.path.startswith("/voice"):
        call = VoiceResponse()
        for sentence in wording.voice("apology"):
            call.say(sentence, voice=wording.edition.voice, language=wording.edition.say)
        call.hangup()
        return Response(str(call), content_type="text/xml; charset=utf-8")
    text = MessagingResponse()
    text.message(wording.sms("apology"))
    return Response(str(text), content_type="text/xml; charset=utf-8")
