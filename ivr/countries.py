"""Countries: their sourced numbers, their names, and the guess from a caller's number."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import phonenumbers


@dataclass(frozen=True, slots=True)
class Country:
    """One row of countries.csv. `call` is the number to say in an emergency: the ambulance's where there is one.

    An empty number is one that nobody could source: the wording without a number is used instead.
    """

    code: str
    call: str
    poison: str
    advice: str
    report: str
    confidence: str
    checked_on: date
    source: str


def load_countries(path: Path) -> dict[str, Country]:
    """Read the table. Raises ValueError with the line where a row is not as it should be."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        countries = {}
        for row in rows:
            try:
                code = row.pop("country")
                countries[code] = Country(code, checked_on=date.fromisoformat(row.pop("checked_on")), **row)
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(f"{path.name}:{rows.line_num}: {error}") from error
    return countries


def guess(number: str, said_by_carrier: str = "", default: str | None = None) -> str | None:
    """The country of a phone number (ISO 3166), or what the carrier says, or the operator's default.

    The number tells the ringing country, not where the caller stands: the message names it for that reason.
    """
    plain = number.partition(":")[2] or number  # whatsapp:+1…
    try:
        region = phonenumbers.region_code_for_number(phonenumbers.parse(plain))
    except phonenumbers.NumberParseException:
        region = None
    if region and region.isalpha():
        return region
    return said_by_carrier.upper() if len(said_by_carrier) == 2 and said_by_carrier.isalpha() else default


def find(words: str, names: Mapping[str, str]) -> str | None:
    """The country that these words name, by its name in any language (`names`: folded name to code) or its code."""
    return names.get(fold_name(words))


def fold_name(name: str) -> str:
    """A name as people type it: without case, accents, spaces, dots and invisible characters."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in letters if unicodedata.category(letter)[0] in "LN" or _kept_mark(letter))


def _kept_mark(letter: str) -> bool:
    """Vowel signs are kept, Latin accents and the dot of Hindi and Bengali (nukta) are not."""
    return unicodedata.category(letter) in ("Mn", "Mc") and ord(letter) > 0x36F and letter not in "\u093c\u09bc"
