"""The few values that everything else passes around: what came in, where a person is, what goes out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Channel = Literal["sms", "voice"]

TOPICS = ("uses", "benefits", "side_effects", "dosage", "warnings", "stopping")
KINDS = ("general", "overdose", "withdrawal", "pump", "self_harm")

# One key means the same on both channels, at every point, in every language.
KEYS = {
    "0": "urgent",
    **{str(number): topic for number, topic in enumerate(TOPICS, 1)},
    "7": "more",
    "8": "text_me",
    "9": "language",
    "*": "repeat",
    "#": "menu",
}

# Twilio's own default words: the carrier answers them itself, and what we send after a stop fails (error 21610).
# People of every language have to text them in English, so they tell nothing about someone's language.
CARRIER_STOP_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE"})
CARRIER_START_WORDS = frozenset({"START", "YES", "UNSTOP"})
CARRIER_WORDS = CARRIER_STOP_WORDS | CARRIER_START_WORDS | {"HELP", "INFO"}
NEUTRAL_WORDS = CARRIER_WORDS | {"MENU"}  # the same word in too many languages to tell one


@dataclass(frozen=True, slots=True)
class Sentence:
    """Something said, and the language it is really in."""

    text: str
    language: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a person is: a name such as `menu`, `uses-1` or `urgent-pump`, and how often it was asked in vain."""

    name: str = "menu"
    tries: int = 0

    @property
    def topic(self) -> str:
        return self.name.rpartition("-")[0] or self.name

    @property
    def part(self) -> int:
        """The number of the part, from 1; 1 where the name carries none."""
        tail = self.name.rpartition("-")[2]
        return int(tail) if tail.isascii() and tail.isdecimal() and len(tail) < 3 else 1

    @property
    def next(self) -> Place:
        """What MORE brings: the next part; after the urgent message the report."""
        if self.topic == "urgent":
            return Place("report-1")
        return Place(f"{self.topic}-{self.part + 1}")

    def again(self) -> Place:
        return replace(self, tries=self.tries + 1)


def urgent(kind: str = "general") -> Place:
    return Place(f"urgent-{kind}")


def first_part(topic: str) -> Place:
    return Place(f"{topic}-1")


@dataclass(frozen=True, slots=True)
class Message:
    """What a person sent. `words`: a text, or a key; None where there is none: a call's first prompt, or silence.

    `languages`: the one language that is known, or several that are likely, the likeliest first; empty: none.
    `heard`: what a recogniser made of speech, and whether it is `sure` of it. `ways`: what the line can do for
    this person now: `text` or `call` them, put them through to a `person`. `outcome`: what became of such a wish.
    """

    channel: Channel
    words: str | None
    languages: tuple[str, ...] = ()
    country: str | None = None
    place: Place = Place()
    heard: str | None = None
    sure: bool = True
    ways: frozenset[str] = frozenset()
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes out, and where the person is then.

    `said`: in a text each is a message of its own; in a call they are spoken in order. `ends`: the line hangs up.
    `decided`: layer, rule and words that decided, for audit; never the text itself.
    `wants`: what the channel must try now (`text`, `call`, `person`), and then ask again with its outcome.
    `danger`: something dangerous was named, whatever was asked for.
    """

    intents: tuple[str, ...]
    languages: tuple[str, ...]
    country: str | None
    place: Place
    said: tuple[Sentence, ...]
    ends: bool = False
    decided: str = ""
    wants: str = ""
    danger: bool = False

    @property
    def language(self) -> str:
        return self.languages[0]

    @property
    def layer(self) -> str:
        """How a text was understood; what was pressed needs no understanding."""
        return self.decided.partition(" ")[0] or "key"
