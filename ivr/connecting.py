"""ivr connect: points a number of the account at the line, and tells what only a person can set at the carrier."""

from __future__ import annotations

import csv
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urldefrag

import click
import phonenumbers

from ivr.carrier import Carrier, CarrierError, OwnNumber
from ivr.settings import HOME, Settings

CONTENT = HOME / "content"

# How Twilio asks again, whatever went wrong: twice, after 2 s without a connection or 4 s without an answer, and 14 s
# in all, within its own 15 (usage/webhooks/webhooks-connection-overrides). A fragment is neither sent nor signed.
OVERRIDES = "#rc=2&rp=all&ct=2000&rt=4000&tt=14000"
ROUTES = {"voice_url": "/voice", "sms_url": "/sms", "status_callback": "/status"}
METHODS = {"voice_url": "voice_method", "sms_url": "sms_method", "status_callback": "status_callback_method"}
REPLACING = ("voice_application_sid", "sms_application_sid", "trunk_sid")  # each takes the place of URLs


def wanted(base_url: str, overrides: str = OVERRIDES) -> dict[str, str]:
    """The fields of a number that belongs to the line at this address, fallbacks aside."""
    urls = {field: base_url + path + overrides for field, path in ROUTES.items()}
    return urls | dict.fromkeys(METHODS.values(), "POST") | dict.fromkeys(REPLACING, "")


def fallbacks(voice: str | None, sms: str | None) -> dict[str, str]:
    """The fields for documents that answer when the line does not. Asked with GET: they are static files."""
    urls = {"voice_fallback_url": voice, "sms_fallback_url": sms}
    given = {field: url for field, url in urls.items() if url}
    return given | {field.replace("_url", "_method"): "GET" for field in given}


def astray(number: OwnNumber, base_url: str) -> dict[str, str]:
    """The fields that do not lead to the line at this address, with what they should be; overrides do not count."""
    plain = {field: urldefrag(value).url for field, value in number.fields.items()}
    return {field: value for field, value in wanted(base_url, "").items() if plain[field] != value}


def texts_to_enter(number: str) -> dict[str, str]:
    """What the carrier shall answer to STOP, HELP and START by itself, naming this number (E.164)."""
    readable = phonenumbers.format_number(phonenumbers.parse(number), phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    texts = tomllib.loads((CONTENT / "optout.toml").read_text(encoding="utf-8"))
    return {name: text.format(number=readable) for name, text in texts.items()}


def offer(country: str | None, path: Path = CONTENT / "carriers.csv") -> list[str]:
    """What is known of Twilio's texts in this country (ISO 3166), in lines for an operator."""
    with path.open(newline="", encoding="utf-8") as file:
        row = {row["country"]: row for row in csv.DictReader(file)}.get(country or "")
    if row is None:
        return [
            f"{country or 'This number'}: nothing is known here of texts at Twilio; ask its guidelines, and try both."
        ]
    verdict = {
        "yes": "people can text the line and get answers",
        "no": "people cannot text a Twilio number and get answers: announce the number for calls",
        "unsure": "whether people can text the line is unsure: announce calls first, and try it from there",
    }
    told = [f"{country}: {verdict[row['two_way_sms']]}.", row["sender_ids"], row["notes"]]
    return [*filter(None, told), f"Source: {row['source']}, {row['checked_on']}."]


@click.command()
@click.argument("number")
@click.option("--fallback-voice", metavar="URL", help="The voice.xml of ivr fallback export, where you put it.")
@click.option("--fallback-sms", metavar="URL", help="The sms.xml of ivr fallback export, where you put it.")
@click.option("--plain", is_flag=True, help="URLs without Twilio's way of asking again (#rc=…), for other carriers.")
@click.option("--yes", is_flag=True, help="Change it without asking.")
def connect(number: str, fallback_voice: str | None, fallback_sms: str | None, plain: bool, yes: bool) -> None:
    """Point NUMBER, such as +15005550006, at this line: calls, texts, status and fallback."""
    settings = Settings.from_env(os.environ)
    carrier = Carrier(settings.account_sid, settings.auth_tokens[0], settings.api_url)
    goal = wanted(settings.base_url, "" if plain else OVERRIDES) | fallbacks(fallback_voice, fallback_sms)
    try:
        found = _find(carrier.numbers(), number)
        changes = {field: value for field, value in goal.items() if found.fields[field] != value}
        _show(found, changes)
        if changes:
            if not yes:
                click.confirm("Change it?", abort=True)
            carrier.change(found.sid, changes)
            click.echo("changed")
    except CarrierError as fault:
        raise click.ClickException(f"the carrier: {fault}; see ivr doctor") from fault
    for line in _by_hand(found, goal, settings):
        click.echo(line)


def _find(numbers: list[OwnNumber], number: str) -> OwnNumber:
    found = {own.number: own for own in numbers}
    if number not in found:
        raise click.ClickException(f"{number} is not in this account; there are: {', '.join(sorted(found)) or 'none'}")
    return found[number]


def _show(number: OwnNumber, changes: Mapping[str, str]) -> None:
    click.echo(f"{number.number} ({number.sid})" + ("" if changes else ": nothing to change"))
    for field, value in changes.items():
        click.echo(f"  {field}: {number.fields[field] or '(empty)'} -> {value or '(empty)'}")


def _by_hand(number: OwnNumber, goal: Mapping[str, str], settings: Settings) -> Iterator[str]:
    """What no request can set, or only the operator can judge."""
    country = phonenumbers.region_code_for_number(phonenumbers.parse(number.number))
    reached = ", ".join(sorted({*filter(None, (country, settings.default_country)), *settings.outbound_countries}))
    yield "\nBy hand, in the carrier's console:"
    yield "- Messaging, Opt-Out Management. Enter, in each language:"
    for name, text in texts_to_enter(number.number).items():
        yield f"    {name.upper()}: {text}"
    yield f"- Geo permissions, under Voice and under Messaging: allow {reached or 'the countries of your callers'}"
    yield "  and nothing else. A reply to a text from another country fails (21408), and nobody can make the line"
    yield "  call or text numbers that are dear."
    yield "- If the number is in a Messaging Service: set there that texts defer to the sender's webhook."
    for field in ("voice_fallback_url", "sms_fallback_url"):
        if not (goal.get(field) or number.fields[field]):
            yield f"- There is no {field}: put up what ivr fallback export writes, and run this again with --fallback-…"
    yield "\nTexts at Twilio, by country:"
    for line in offer(country):
        yield f"  {line}"
