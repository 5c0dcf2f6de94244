"""The console: what operators see of a running line, signed in; sums only, nobody's number or words."""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
import logging
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import requests
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from flask import Flask, Response, abort, current_app, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFProtect
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from ivr.content import ContentError
from ivr.coverage import Coverage, Language, recorded, speaker
from ivr.database import make_folder, open_engine, prepare
from ivr.guards import GUARDS
from ivr.outbox import Outbox, Rules
from ivr.overview import RANGES, WAYS, Table, history, language_name, today
from ivr.settings import Settings, SettingsError

SESSION = timedelta(hours=12)
TRIES = RateLimitItemPerMinute(5)  # of one address; behind a proxy of all addresses together
PATIENCE = 3  # seconds for the line to tell whether it is ready
LARGEST_FORM = 4096  # bytes
STATES = ("queued", "sending", "sent", "failed", "unknown", "expired")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Console:
    """What the pages read, joined once at start-up."""

    settings: Settings
    engine: Engine
    outbox: Outbox
    coverage: Coverage
    tries: MovingWindowRateLimiter

    def parts(self) -> dict[str, str]:
        """What the line says of itself at /readyz, part by part; empty where it does not answer."""
        try:
            answer = requests.get(f"{self.settings.base_url}/readyz", timeout=PATIENCE, allow_redirects=False)
        except requests.RequestException:
            return {}
        told = (line.partition(": ") for line in answer.text.splitlines() if answer.status_code in (200, 503))
        return {part: state.casefold() for part, found, state in told if found}


def create_console(settings: Settings | None = None) -> Flask:
    """The console as a WSGI application of its own. Raises SettingsError, also where it has no password."""
    settings = settings or Settings.from_env(os.environ)
    if not settings.console_password_hash:
        raise SettingsError(
            "The console cannot start:\n- IVR_CONSOLE_PASSWORD_HASH is not set: run ivr console password"
        )
    app = Flask(__name__, static_folder=None)
    app.config.update(
        SECRET_KEY=session_key(settings),
        MAX_CONTENT_LENGTH=LARGEST_FORM,
        PERMANENT_SESSION_LIFETIME=SESSION,
        SESSION_COOKIE_NAME="console",
        SESSION_COOKIE_PATH="/console",
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_SECURE=True,  # HttpOnly is Flask's own choice
        SESSION_REFRESH_EACH_REQUEST=False,
        WTF_CSRF_SSL_STRICT=False,  # it wants a Referer, which our pages tell browsers not to send
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
    )
    app.extensions["console"] = _joined(settings)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.before_request(signed_in_only)
    CSRFProtect(app)
    _add_routes(app)
    app.after_request(guarded)
    app.register_error_handler(HTTPException, refused)
    app.register_error_handler(SQLAlchemyError, away)
    app.register_error_handler(ContentError, away)
    return app


def _joined(settings: Settings) -> Console:
    engine = open_engine(settings.database_url)
    with suppress(SQLAlchemyError, OSError):  # a page tells of it
        make_folder(engine.url)
        prepare(engine)
    outbox = Outbox(settings.database_url, settings.secret_key, Rules())
    return Console(settings, engine, outbox, Coverage(settings), MovingWindowRateLimiter(MemoryStorage()))


def _add_routes(app: Flask) -> None:
    app.add_url_rule("/", "home", lambda: redirect(url_for("today_page")))
    app.add_url_rule("/console/sign-in", view_func=sign_in, methods=["GET", "POST"])
    app.add_url_rule("/console/sign-out", view_func=sign_out, methods=["POST"])
    app.add_url_rule("/console/", view_func=today_page)
    app.add_url_rule("/console/over-time", view_func=over_time_page)
    app.add_url_rule("/console/languages", view_func=languages_page)
    app.add_url_rule("/console/health", view_func=health_page)
    app.add_url_rule("/console/<name>.csv", view_func=csv_file)


def _console() -> Console:
    """The console that answers the present request."""
    console: Console = current_app.extensions["console"]
    return console


# The door


def session_key(settings: Settings) -> bytes:
    """Another password, or another secret, signs everybody out."""
    of = f"console session\0{settings.console_password_hash}"
    return hmac.digest(settings.secret_key.encode(), of.encode(), hashlib.sha256)


def signed_in_only() -> ResponseReturnValue | None:
    """Whatever is asked for, also what is not there: first the sign-in page."""
    if request.endpoint == "sign_in" or session.get("operator"):
        return None
    return redirect(url_for("sign_in"), 303)


def sign_in() -> ResponseReturnValue:
    if request.method == "GET":
        return render_template("console_sign_in.html")
    console = _console()
    if not console.tries.hit(TRIES, request.remote_addr or ""):
        log.warning("signing in to the console was tried too often")
        return render_template("console_sign_in.html", fault="often"), 429
    if not right(console.settings.console_password_hash, request.form.get("password", "")):
        log.warning("a wrong password at the console")
        return render_template("console_sign_in.html", fault="wrong"), 403
    session.clear()
    session["operator"] = session.permanent = True
    log.info("an operator signed in")
    return redirect(url_for("today_page"), 303)


def right(password_hash: str, password: str) -> bool:
    try:
        return PasswordHasher().verify(password_hash, password)
    except (Argon2Error, InvalidHashError):
        return False


def sign_out() -> ResponseReturnValue:
    session.clear()
    return redirect(url_for("sign_in"), 303)


def guarded(response: Response) -> Response:
    response.headers.extend(GUARDS)
    response.headers["Cache-Control"] = "no-store"
    return response


# The pages


def _today() -> date:
    return datetime.now(UTC).date()


def today_page() -> str:
    return render_template("console_today.html", today=today(_console().engine, _today()))


def over_time_page() -> str:
    way, days = _chosen()
    plot, table = history(_console().engine, way, days, _today())
    return render_template(
        "console_over_time.html", plot=plot, table=table, way=way, days=days, ways=WAYS, ranges=RANGES
    )


def _chosen() -> tuple[str, int]:
    """What the address asks for, if there is such a thing."""
    way, days = request.args.get("by", WAYS[0]), request.args.get("days", "30")
    if way not in WAYS or days not in map(str, RANGES):
        abort(404)
    return way, int(days)


def languages_page() -> str:
    languages = _console().coverage.languages()
    return render_template("console_languages.html", languages=languages, table=coverage_table(languages))


def coverage_table(languages: Iterable[Language]) -> Table:
    head = ("language", "code", "offered", "missing", "unsigned", "too long", "sentences of a call")
    rows = (
        (
            language_name(each.code),
            each.code,
            "yes" if each.offered else "no",
            each.missing,
            each.unsigned,
            each.over,
            each.sayable,
            recorded(each),
            *(each.recorded[engine] for engine in ("human", "gtts", "espeak")),
            speaker(each),
        )
        for each in languages
    )
    return Table("languages", (*head, "recorded", "by people", "by gtts", "by espeak", "spoken by"), tuple(rows))


def health_page() -> str:
    parts, delivery = _health()
    return render_template("console_health.html", parts_table=parts, delivery=delivery)


def _health() -> tuple[Table, Table]:
    console = _console()
    told = console.parts()
    try:
        tally = console.outbox.tally()
        due = len(console.outbox.due(time.time() - 60))
    except SQLAlchemyError:
        return _parts(told, reached=False), Table("delivery", ("state", "texts and call-backs"), ())
    rows = (*((state, tally.get(state, 0)) for state in STATES), ("overdue by a minute", due))
    return _parts(told, reached=True), Table("delivery", ("state", "texts and call-backs"), rows)


def _parts(told: dict[str, str], *, reached: bool) -> Table:
    rows = (
        ("the line answers", "ready" if told else "not ready"),
        *((f"the line: {part}", state) for part, state in told.items()),
        ("the console: database", "ready" if reached else "not ready"),
    )
    return Table("parts", ("part", "state"), rows)


def csv_file(name: str) -> Response:
    """The same rows as the table of that name; empty where few are hidden."""
    table = next((table for table in _tables(name) if table.name == name), None)
    if table is None:
        abort(404)
    written = io.StringIO()
    csv.writer(written).writerows((table.head, *table.rows))
    named = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(written.getvalue(), content_type="text/csv; charset=utf-8", headers=named)


def _tables(name: str) -> tuple[Table, ...]:
    console = _console()
    match name:
        case "over-time":
            return (history(console.engine, *_chosen(), _today())[1],)
        case "languages":
            return (coverage_table(console.coverage.languages()),)
        case "parts" | "delivery":
            return _health()
    return today(console.engine, _today()).tables


# What goes wrong


def refused(fault: HTTPException) -> ResponseReturnValue:
    """What was asked for is not there, or a form was not ours."""
    if fault.response is not None or fault.code is None:
        return fault.get_response()
    return render_template("console_fault.html", status=fault.code), fault.code


def away(fault: Exception) -> ResponseReturnValue:
    """The database or the words cannot be read: told by its kind, since its words may hold an address."""
    log.warning("a page of the console could not be made (%s)", type(fault).__name__)
    words = str(fault) if isinstance(fault, ContentError) else ""
    return render_template("console_fault.html", status=503, words=words), 503
