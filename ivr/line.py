"""The parts of one running line, joined once at start-up and handed to the channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from time import time

from flask import Flask, current_app, g

from ivr.catalogue import Catalogue
from ivr.countries import guess
from ivr.events import Event, Events
from ivr.limits import Limits
from ivr.metrics import Metrics
from ivr.model import Place
from ivr.outbox import Kind, Outbox, Verdict, refusal
from ivr.recordings import Recordings
from ivr.settings import Settings
from ivr.store import Store


@dataclass(frozen=True, slots=True)
class Line:
    settings: Settings
    catalogue: Catalogue
    spoken: Catalogue  # the languages of it that a call can be in
    store: Store
    outbox: Outbox
    recordings: Recordings
    events: Events
    limits: Limits
    metrics: Metrics | None

    def count(self, event: Event, *identity: str) -> None:
        """Count an answer once, by its identity such as a message's SID; log and metrics hear when it goes out."""
        self.events.record(event, *identity)
        g.answered = event

    def audio_url(self, name: str) -> str:
        """Where Twilio fetches a recording: at a store of files, or at the line itself."""
        return f"{self.settings.audio_base_url or f'{self.settings.base_url}/audio'}/{name}"

    def country_of(self, form: Mapping[str, str]) -> str | None:
        """The country that a sender's number, the carrier or the operator's default tells."""
        return guess(form.get("From", ""), form.get("FromCountry", ""), self.settings.default_country)

    def person(self, language: str) -> str | None:
        """The number of a person who answers callers of this language now."""
        now = datetime.now(UTC)
        return next((each.number for each in self.settings.helpers if each.answers(language, now)), None)

    def reaches(self, kind: Kind, form: Mapping[str, str]) -> bool:
        """Whether the rules let us text or call who is on the other end; caps are counted when it is asked for."""
        number, own = party(form)
        return refusal(kind, number, own, self.outbox.rules, time()) is None

    def ask(  # noqa: PLR0913 (what a wish is made of)
        self,
        kind: Kind,
        form: Mapping[str, str],
        language: str,
        country: str | None,
        place: Place,
        *,
        opted_out: bool = False,
    ) -> Verdict:
        """Queue a text or a call back to who is on the other end: `queued`, or why not. A retry asks only once."""
        number, own = party(form)
        sid = form.get("CallSid") or form.get("MessageSid", "")
        return self.outbox.ask(
            kind,
            number,
            line=own,
            language=language,
            country=country,
            place=place.name,
            once=f"{kind} {sid} {place.name}",
            now=time(),
            opted_out=opted_out,
        )


def the_line(app: Flask | None = None) -> Line:
    """The line of an application, or of the one that answers the present request."""
    line: Line = (app or current_app).extensions["ivr"]
    return line


def party(form: Mapping[str, str]) -> tuple[str, str]:
    """Who is on the other end, and the line's own number; a call that the line makes has them the other way round."""
    ends = person(form.get("From", "")), person(form.get("To", ""))
    return ends[::-1] if form.get("Direction", "").startswith("outbound") else ends


def person(address: str) -> str:
    """The bare number of a sender: someone is the same person by SMS, by WhatsApp and by phone.

    Empty for who hides the number: all of them would be one person otherwise.
    """
    number = address.partition(":")[2] or address
    return number if number.removeprefix("+").isdecimal() else ""
