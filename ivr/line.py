"""The parts of one running line, joined once at start-up and handed to the channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import current_app

from ivr.catalogue import Catalogue
from ivr.countries import guess
from ivr.events import Events
from ivr.settings import Settings
from ivr.store import Store


@dataclass(frozen=True, slots=True)
class Line:
    settings: Settings
    catalogue: Catalogue
    store: Store
    events: Events

    def country_of(self, form: Mapping[str, str]) -> str | None:
        """The country that a sender's number, the carrier or the operator's default tells."""
        return guess(form.get("From", ""), form.get("FromCountry", ""), self.settings.default_country)


def the_line() -> Line:
    """The line of the application that answers the present request."""
    line: Line = current_app.extensions["ivr"]
    return line


def person(address: str) -> str:
    """The bare number of a sender: someone is the same person by SMS, by WhatsApp and by phone.

    Empty for who hides the number: all of them would be one person otherwise.
    """
    number = address.partition(":")[2] or address
    return number if number.removeprefix("+").isdecimal() else ""
