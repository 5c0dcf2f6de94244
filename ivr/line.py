"""The parts of one running line, joined once at start-up and handed to the channels."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app

from ivr.catalogue import Catalogue
from ivr.settings import Settings
from ivr.store import Store


@dataclass(frozen=True, slots=True)
class Line:
    settings: Settings
    catalogue: Catalogue
    store: Store


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
