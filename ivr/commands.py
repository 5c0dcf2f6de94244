"""The ivr command: one small group of Flask's own command line."""

from __future__ import annotations

import json
import os
import sys
from datetime import date
from pathlib import Path

import click
import phonenumbers
from flask import Flask
from flask.cli import FlaskGroup

from ivr import logs
from ivr.app import create_app
from ivr.cards import cards
from ivr.carrier import Carrier
from ivr.catalogue import load_catalogue
from ivr.checking import Check
from ivr.connecting import connect
from ivr.content import ContentError, Source
from ivr.database import StoreError
from ivr.demo import Loopback
from ivr.doctor import doctor
from ivr.fallback import export
from ivr.line import the_line
from ivr.phone import Call, Phone, PhoneError, over_wsgi
from ivr.record import record
from ivr.reviewing import approve, unapproved
from ivr.settings import HOME, Settings, SettingsError, listed, own_content
from ivr.tending import COMMANDS
from ivr.translating import extract, update
from ivr.understanding import understand
from ivr.worker import consumer, open_queue, sender

PASSWORD_LENGTH = 12  # characters, for the console
CONTENT, LOCALES = HOME / "content", HOME / "locales"


def _laptop() -> Settings:
    """Settings of the commands that play a phone: no account is needed, and none is used."""
    port = os.environ.get("PORT", "5000")
    return Settings.for_demo(f"http://127.0.0.1:{port}", {**os.environ, "IVR_BASE_URL": ""})


def _app() -> Flask:
    return create_app(_laptop())


@click.group(cls=FlaskGroup, create_app=_app, add_version_option=False, load_dotenv=False)
def cli() -> None:
    """The baclofen line: texts and calls about the medicine baclofen."""


for command in (cards, connect, doctor, record, *COMMANDS):
    cli.add_command(command)


def main() -> None:
    """Run the command; faults that an operator can mend are told in their own words, without a trace."""
    try:
        cli()
    except (SettingsError, ContentError, StoreError, PhoneError) as fault:
        click.echo(str(fault), err=True)
        sys.exit(1)


@cli.command(with_appcontext=False)
@click.option("--port", type=int, default=5000, envvar="PORT", show_default=True)
def demo(port: int) -> None:
    """Start the line on this laptop, with a simulated phone in the browser."""
    from werkzeug.serving import run_simple

    settings = Settings.for_demo(f"http://127.0.0.1:{port}", os.environ)
    app = create_app(settings)
    line = the_line(app)
    consumer(open_queue(settings.redis_url), sender(settings, line.catalogue, Loopback()), signals=False).start()
    click.echo(f"The line is at {settings.base_url} : a phone to try it on is on that page.")
    click.echo(f"Requests are signed with TWILIO_AUTH_TOKEN={settings.auth_tokens[0]}; end it with Ctrl-C.")
    run_simple("127.0.0.1", port, app, threaded=True)


@cli.command(with_appcontext=False)
def worker() -> None:
    """Send the texts and make the calls that people asked for, until SIGTERM; one line of log for each outcome."""
    settings = Settings.from_env(os.environ)
    logs.configure()
    loaded = load_catalogue(own=settings.content, wanted=settings.languages)
    words = loaded.narrowed(settings.languages, reviewed_only=settings.reviewed_only)
    carrier = Carrier(settings.account_sid, settings.auth_tokens[0], settings.api_url)
    consumer(open_queue(settings.redis_url), sender(settings, words, carrier)).run()


def _phone(number: str | None, country: str | None) -> Phone:
    settings = _laptop()
    return Phone(
        over_wsgi(create_app(settings)),
        settings.base_url,
        settings.auth_tokens[0],
        account=settings.account_sid,
        number=number or _example_number(country),
        country=country,
    )


def _example_number(country: str | None) -> str:
    """A number that looks like one of that country; nothing is ever sent to it."""
    example = phonenumbers.example_number(country.upper()) if country else None
    return phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164) if example else "+15005550006"


_FROM = click.option("--from", "number", help="The number that texts or calls, such as +15005550006.")
_COUNTRY = click.option("--country", help="The country it comes from, such as KE.")


@cli.command(with_appcontext=False)
@click.argument("words")
@_FROM
@_COUNTRY
def text(words: str, number: str | None, country: str | None) -> None:
    """Send WORDS as a text, and print every reply with its language, its encoding and its segments."""
    for reply in _phone(number, country).text(words):
        click.echo(f"[{reply.language}, {reply.encoding}, {reply.segments} segments]\n{reply.body}\n")


@cli.command(with_appcontext=False)
@_FROM
@_COUNTRY
@click.option("--press", help="Keys to press, comma-separated, such as 1,3,0; - waits in silence.")
def call(number: str | None, country: str | None, press: str | None) -> None:
    """Call the line: press keys in the terminal, or give them with --press for a transcript."""
    line = _phone(number, country).call()
    _print(line)
    keys = iter(press.split(",")) if press is not None else iter(lambda: click.prompt("key", "-"), None)
    for key in keys:
        if line.over:
            break
        click.echo(f"> press {key}" if key != "-" else "> wait")
        line.press(key.strip()) if key.strip() != "-" else line.wait()
        _print(line)


def _print(line: Call) -> None:
    for heard in line.lines:
        click.echo(f"< {heard}")


@cli.command("understand", with_appcontext=False)
@click.option("--explain", metavar="TEXT", help="Tell what one text means, and which words decided.")
@click.option("--lang", help="The language remembered of the person, for --explain.")
def understand_lines(explain: str | None, lang: str | None) -> None:
    """Read lines {"text": …, "lang": …} and write them with "pred" added: what each text means."""
    lexicon = load_catalogue().lexicon
    if explain is not None:
        meaning = understand(explain, lang, lexicon)
        for name in meaning.__slots__:
            click.echo(f"{name:9} {getattr(meaning, name)}")
        return
    for number, line in enumerate(sys.stdin, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            intent = understand(row["text"], row.get("lang"), lexicon).intents[0]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise click.ClickException(f"line {number}: a JSON object with a text is expected ({error})") from error
        row["pred"] = {"country": "menu", "report": "menu", "call_me": "unknown"}.get(intent, intent)
        click.echo(json.dumps(row, ensure_ascii=False).encode("utf-8", "replace").decode())


@cli.command(with_appcontext=False)
@click.option("--json", "as_json", is_flag=True, help="Findings as JSON.")
def check(as_json: bool) -> None:
    """Check every sentence in every language; exit 1 with each place named where something is wrong."""
    wanted = listed(os.environ.get("IVR_LANGUAGES", ""))
    run = Check(CONTENT, LOCALES, own=own_content(os.environ), wanted=wanted)
    findings = list(run.findings())
    if as_json:
        found = [{"where": finding.where, "what": finding.what} for finding in findings]
        click.echo(json.dumps({"findings": found, "tables": run.tables()}, ensure_ascii=False, indent=1))
    else:
        for table in run.tables().values():
            click.echo(table + "\n")
        for finding in findings:
            click.echo(f"WRONG {finding.where}: {finding.what}")
        click.echo(f"{len(findings)} findings")
    sys.exit(1 if findings else 0)


def _source() -> Source:
    return Source(CONTENT, LOCALES, own_content(os.environ))


@cli.group()
def fallback() -> None:
    """What Twilio answers by itself when no computer of ours does: export."""


@fallback.command("export", with_appcontext=False)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def fallback_export(folder: Path) -> None:
    """Write static TwiML for voice and SMS of every country into FOLDER, the urgent message first."""
    written = export(the_line(create_app(_laptop())), folder)
    click.echo(f"wrote {len(written)} files; yours are {folder}/<country>/voice.xml and sms.xml")


@cli.group()
def review() -> None:
    """Sign-off of languages by named people: status, approve."""


@review.command("status", with_appcontext=False)
def review_status() -> None:
    """Tell which languages are signed, and how much is still a draft."""
    source = _source()
    for language in source.languages:
        missing = len(unapproved(source, language))
        click.echo(f"{language:8} {f'draft: {missing} sentences unsigned' if missing else 'approved'}")


@review.command("approve", with_appcontext=False)
@click.argument("language")
@click.option("--by", "name", required=True, help="Your full name and profession.")
def review_approve(language: str, name: str) -> None:
    """Sign every present word of LANGUAGE. The signature falls away for exactly the sentences that change."""
    source = _source()
    if language not in source.languages:
        raise click.ClickException(f"there is no language {language} in content/languages.toml")
    try:
        signed = approve(source, language, name, date.today())
        click.echo(f"{language}: {signed} sentences signed by {name}")
    except ValueError as fault:
        raise click.ClickException(str(fault)) from fault


@cli.group()
def console() -> None:
    """The pages for operators: password."""


@console.command("password", with_appcontext=False)
@click.password_option(prompt="A password of 12 characters or more")
def console_password(password: str) -> None:
    """Ask for a password and print the setting that holds its hash, as a shell or an .env file takes it."""
    from argon2 import PasswordHasher  # only this command needs it

    if len(password) < PASSWORD_LENGTH:
        raise click.BadParameter(f"fewer than {PASSWORD_LENGTH} characters")
    click.echo(f"IVR_CONSOLE_PASSWORD_HASH='{PasswordHasher().hash(password)}'")


@cli.group()
def translate() -> None:
    """gettext catalogues: extract, update, status."""


@translate.command("extract", with_appcontext=False)
def translate_extract() -> None:
    """Write locales/messages.pot anew from content/."""
    click.echo(f"wrote {_short(extract(CONTENT, LOCALES))}")


@translate.command("update", with_appcontext=False)
@click.argument("languages", nargs=-1)
def translate_update(languages: tuple[str, ...]) -> None:
    """Bring catalogues up to date: new sentences empty, reworded ones marked doubtful (fuzzy)."""
    for language in languages or _translated():
        click.echo(f"wrote {_short(update(CONTENT, LOCALES, language))}")


@translate.command("status", with_appcontext=False)
def translate_status() -> None:
    """Tell how many sentences each language still lacks."""
    incomplete = load_catalogue(CONTENT, LOCALES).incomplete
    for language in _translated():
        missing = len(incomplete.get(language, ()))
        click.echo(f"{language:8} {f'{missing} missing or doubtful' if missing else 'complete'}")


def _translated() -> list[str]:
    return [language for language in _source().languages if language != "en"]


def _short(path: Path) -> Path:
    return path.relative_to(HOME)
