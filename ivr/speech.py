"""What a call can say: every sentence of it, and how an engine of speech is given one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from ivr.answering import OFFERED_AT_ONCE
from ivr.content import Edition
from ivr.model import KINDS
from ivr.wording import KEY_OF, Wording

# The prompts that name a key, and the keys they can name.
PROMPT_KEYS = {
    "way_urgent": (KEY_OF["urgent"],),
    "way_more": (KEY_OF["more"],),
    "way_report": (KEY_OF["more"],),
    "language_label": (KEY_OF["language"],),
    "text_offer": (KEY_OF["text_me"],),
    "person_offer": (KEY_OF["urgent"],),
    "language_offer": tuple(str(number) for number in range(1, OFFERED_AT_ONCE + 1)),
}

# Those that name a language, or a country and its number.
NAMING = {"cannot_speak", "emergency_number", "number_again"}


def spoken(languages: Mapping[str, Wording]) -> dict[str, Wording]:
    """Those languages that a call can be in, once they have a voice or recordings; the rest is for texts only."""
    return {code: wording for code, wording in languages.items() if wording.edition.phone == code}


def aloud(text: str, edition: Edition) -> str:
    """A sentence as an engine is given it: digits, star and hash as words, and the language's own spellings.

    Engines read figures in English, or not at all (espeak-ng skips the digits of Urdu).
    """
    for word, spelling in edition.spelled.items():
        text = re.sub(rf"\b{re.escape(word)}\b", spelling, text, flags=re.IGNORECASE)
    return re.sub(r"[\d*#]", lambda sign: _in_words(sign[0], edition), text)


def _in_words(sign: str, edition: Edition) -> str:
    return edition.digits[sign if sign in "*#" else str(int(sign))]  # int() reads the digits of every script


def sayable(wording: Wording) -> Iterator[str]:
    """Every sentence that a call in this language can hold, each once, those of all callers before the countries'."""
    yield from dict.fromkeys(line for part in _parts(wording) for line in part)


def _parts(wording: Wording) -> Iterator[Iterable[str]]:
    yield wording.menu_spoken()
    for name in wording.edition.prompts.keys() - NAMING:
        for key in PROMPT_KEYS.get(name, ("",)):
            yield wording.voice(name, key=key)
    for language in wording.edition.voiceless.values():
        yield wording.voice("cannot_speak", language=language)
    for parts in wording.parts.values():
        yield from parts
    for country in (None, *wording.countries):
        for kind in KINDS:
            yield wording.urgent_spoken(kind, country)
        yield wording.emergency_spoken(country)
        yield from wording.report_parts(country)
