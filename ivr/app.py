"""create_app: the one place where the parts are joined."""

from __future__ import annotations

import logging
import os
import re
import traceback
from hmac import compare_digest
from pathlib import Path
from time import perf_counter

from flask import Flask, Response, abort, g, request, send_from_directory
from werkzeug.exceptions import HTTPException

from ivr import logs
from ivr.catalogue import Catalogue, load_catalogue
from ivr.database import address, is_file, open_engine
from ivr.demo import demo
from ivr.door import LARGEST_BODY, Refused, let_in
from ivr.events import Events
from ivr.guards import GUARDS
from ivr.limits import Limits
from ivr.line import Line, the_line
from ivr.metrics import TYPE, Metrics
from ivr.model import Sentence
from ivr.outbox import Outbox
from ivr.recordings import HUMAN, TYPES, Recordings
from ivr.settings import Settings
from ivr.sms import render, sms
from ivr.speech import sayable, spoken
from ivr.store import Store
from ivr.voice import farewell, prompt, voice
from ivr.worker import rules_of, waker

HOUR, FOREVER = 3_600, 31_536_000  # seconds

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
    app.extensions["ivr"] = _line(settings, words)
    app.register_blueprint(sms)
    app.register_blueprint(voice)
    if settings.demo:
        app.register_blueprint(demo)
    app.add_url_rule("/status", view_func=status, methods=["POST"], provide_automatic_options=False)
    app.add_url_rule("/audio/<path:name>", view_func=audio)
    app.add_url_rule("/livez", view_func=alive)
    app.add_url_rule("/readyz", view_func=ready)
    if metered := the_line(app).metrics:
        app.add_url_rule("/metrics", view_func=lambda: metrics(metered, settings.metrics_token))
    app.before_request(begun)
    app.after_request(finished)
    app.register_error_handler(Refused, refused)
    app.register_error_handler(Exception, broken)
    return app


def _line(settings: Settings, words: Catalogue) -> Line:
    editions = [wording.edition for wording in words.languages.values()]
    recordings = Recordings(settings.audio, editions, remote=bool(settings.audio_base_url))
    recorded = {
        code
        for code, wording in spoken(words.languages).items()
        if not wording.edition.voice and all(recordings.find(code, text) for text in sayable(wording))
    }
    store = Store(settings.database_url, settings.secret_key)
    outbox = Outbox(settings.database_url, settings.secret_key, rules_of(settings), waker(settings.redis_url))
    return Line(
        settings,
        words,
        words.spoken(recorded),
        store,
        outbox,
        recordings,
        _events(settings),
        Limits(settings.secret_key, settings.countries, settings.redis_url),
        _metrics(settings, outbox),
    )


_AUDIO = re.compile(r"(human/)?[A-Za-z]{2,3}(-[A-Za-z]+)?/[0-9a-f]{12}(-[0-9a-f]{8})?\.(mp3|wav)", re.ASCII)


def audio(name: str) -> Response:
    """A recording. An engine's changes its name with its words, so whoever has it may keep it; a person's may be
    replaced by a better one under the same name."""
    if not _AUDIO.fullmatch(name):
        abort(404)
    human = name.startswith(HUMAN)
    age = HOUR if human else FOREVER
    sent = send_from_directory(the_line().settings.audio, name, mimetype=TYPES[Path(name).suffix], max_age=age)
    if not human:
        sent.cache_control.immutable = True
    return sent


def _events(settings: Settings) -> Events:
    return Events(open_engine(settings.database_url), settings.secret_key, _beside_database(settings) / "journal")


def _metrics(settings: Settings, outbox: Outbox) -> Metrics | None:
    try:
        return Metrics(_beside_database(settings) / "metrics", outbox.tally) if settings.metrics_token else None
    except OSError as fault:
        log.error("there are no metrics, since their folder cannot be written: %s", fault.strerror)
        return None


def _beside_database(settings: Settings) -> Path:
    """The folder of a SQLite file, or var/ where the database is elsewhere."""
    where = address(settings.database_url)
    return Path(str(where.database) if is_file(where) else "var/line.db").parent


def status() -> Response:
    """Twilio reports what became of a message or a call."""
    let_in(request, the_line().settings, "status")
    return Response(status=204)


def alive() -> Response:
    return Response("alive\n", content_type="text/plain")


def ready() -> Response:
    """Whether all is as it should be, part by part. The line answers texts and calls without most of it."""
    line = the_line()
    parts = {
        "catalogue": bool(line.catalogue.languages),
        "database": line.store.reachable(),
        "journal": line.events.writable(),
    }
    told = "".join(f"{part}: {'ready' if fine else 'NOT READY'}\n" for part, fine in parts.items())
    return Response(told, 200 if all(parts.values()) else 503, content_type="text/plain")


def metrics(metered: Metrics, token: str) -> Response:
    if not compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {token}".encode()):
        return Response(status=401, headers={"WWW-Authenticate": "Bearer"})
    return Response(metered.page(), content_type=TYPE)


def begun() -> None:
    g.began = perf_counter()


def finished(response: Response) -> Response:
    """Tell log and metrics of the answer, once it is made; and a browser what it must not do with a page or sound."""
    if event := g.pop("answered", None):
        seconds = perf_counter() - g.began
        logs.answered(event, seconds)
        if counted := the_line().metrics:
            counted.answered(event, seconds)
    if response.mimetype != "text/xml":
        response.headers.extend(GUARDS)
    if request.method == "POST":
        response.headers["Cache-Control"] = "no-store"
    return response


def refused(refusal: Refused) -> Response:
    return Response(f"{refusal}\n", refusal.status, content_type="text/plain; charset=utf-8")


def broken(fault: Exception) -> Response | HTTPException:
    """A fault of ours: logged by its kind and place, since its words may quote a person; answered with an apology
    that still names the hospital."""
    if isinstance(fault, HTTPException):
        return fault
    where = "".join(traceback.format_tb(fault.__traceback__))
    log.error("%s broke on %s\n%s", type(fault).__name__, request.url_rule, where)
    wording = next(iter(the_line().spoken.languages.values()))
    if request.path.startswith("/voice"):
        said = (Sentence(line, wording.edition.language) for line in wording.voice("apology"))
        document = farewell(tuple(prompt(sentence, the_line()) for sentence in said))
    else:
        document = render((Sentence(wording.sms("apology"), wording.edition.language),))
    return Response(document, content_type="text/xml; charset=utf-8")
