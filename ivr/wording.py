"""What is said at each place: texts in pages of few segments, calls in parts of few seconds."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

import smsutil

from ivr.content import NUMBERED, PLAIN, Edition, Topic
from ivr.countries import Country
from ivr.model import KEYS, KINDS, TOPICS, Place

LONGEST_TEXT = 1600  # characters in one message; Twilio refuses more (error 21617)
PAGE_SEGMENTS = {"GSM-7": 3, "UCS-2": 4}  # budget of one page
PAGE_LENGTH = 3 * 153  # characters; no page of more fits, in either encoding
PART_SECONDS = 40.0  # one part of a topic in a call
MENU_SECONDS = 20.0
URGENT_SECONDS = 25.0
SLOW = 100  # words a minute, for a language whose speed nobody measured: it is not offered before

KEY_OF = {intent: key for key, intent in KEYS.items()}


@lru_cache(maxsize=16384)  # the texts of a line are few, and counting one takes about a millisecond
def segments(text: str) -> tuple[str, int]:
    """The encoding of a text, `GSM-7` or `UCS-2`, and how many SMS segments it takes."""
    if not text or smsutil.is_valid_gsm(text):
        return "GSM-7", max(1, len(smsutil.split(text).parts))
    return "UCS-2", _clustered(text)


def _clustered(text: str) -> int:
    """UCS-2 segments as Twilio's calculator fills them: a letter and its combining marks are never parted."""
    sizes: list[int] = []
    for character in text:
        size = len(character.encode("utf-16-be")) // 2
        if sizes and (unicodedata.category(character) in ("Mn", "Mc", "Me") or character == "\u200d"):
            sizes[-1] += size
        else:
            sizes.append(size)
    if sum(sizes) <= 70:
        return 1
    count, room = 1, 67
    for size in sizes:
        if size > room:
            count, room = count + 1, 67
        room -= size
    return count


def spoken_number(number: str, edition: Edition) -> str:
    """A telephone number as words, digit by digit, with a comma's pause between its groups."""
    groups = "".join(letter if letter in edition.digits else " " for letter in number).split()
    return ", ".join(" ".join(edition.digits[letter] for letter in group) for group in groups)


LEFT_TO_RIGHT = "\u200e"


def written_number(number: str, edition: Edition) -> str:
    """A telephone number for a text. Right-to-left writing would show its groups in reverse order: there they join.

    A star, hash or plus would change sides; an invisible mark keeps those few (none is an emergency number) in order.
    """
    if not edition.rtl:
        return number
    joined = re.sub(r"(?<=\d)[ -]+(?=\d)", "", number)
    return f"{LEFT_TO_RIGHT}{joined}{LEFT_TO_RIGHT}" if re.search("[*#+]", joined) else joined


def pack(lines: tuple[str, ...], fits: Callable[[tuple[str, ...], bool], bool]) -> Iterator[tuple[str, ...]]:
    """Cut lines into parts, each as long as `fits(part, is_last)` allows and of one line at least."""
    while lines:
        size = next((n for n in range(len(lines), 1, -1) if fits(lines[:n], n == len(lines))), 1)
        yield lines[:size]
        lines = lines[size:]


class Wording:
    """One edition put into texts and spoken prompts; pages and parts are cut at start-up, so no caller waits for it."""

    def __init__(self, edition: Edition, countries: Mapping[str, Country]) -> None:
        self.edition = edition
        self.countries = countries
        self.pages = {name: tuple(self._pages(topic)) for name, topic in edition.topics.items()}
        self.parts = {name: tuple(self._parts(topic)) for name, topic in edition.topics.items()}

    # Texts

    def sms(self, name: str, **values: str) -> str:
        """A prompt as a text, folded so that it costs least."""
        return self.edition.prompts[name].sms.format(**values).translate(self.edition.fold)

    def _pages(self, topic: Topic) -> Iterator[str]:
        chunks = list(pack(topic.utterances, lambda lines, last: self._fits(self._page(topic, lines, last))))
        for number, lines in enumerate(chunks, 1):
            yield self._page(topic, lines, number == len(chunks))

    def _page(self, topic: Topic, lines: tuple[str, ...], last: bool) -> str:
        closing = [self.sms(name) for name in topic.always if self.sms(name) not in lines]
        closing.append(self.sms("way_urgent", key=KEY_OF["urgent"]))
        if not last:
            closing.append(self.sms("way_more", key=KEY_OF["more"]))
        return self._joined(lines) + "\n" + self.edition.space.join(closing)

    def _joined(self, lines: tuple[str, ...]) -> str:
        return self.edition.space.join(lines).translate(self.edition.fold)

    @staticmethod
    def _fits(page: str) -> bool:
        if len(page) > PAGE_LENGTH:
            return False
        encoding, count = segments(page)
        return count <= PAGE_SEGMENTS[encoding]

    def urgent_text(self, kind: str, country: str | None, *, alone: bool = True) -> str:
        """The urgent message; where it stands alone, the way to the report follows if it costs no more segments."""
        text = self._joined(self._urgent_lines("sms", kind, country))
        longer = text + "\n" + self.sms("way_more", key=KEY_OF["more"])
        return longer if alone and segments(longer)[1] == segments(text)[1] else text

    def emergency(self, country: str | None) -> str:
        row = self.numbered(country)
        if row is None:
            return self.sms("emergency_none")
        return self.sms(
            "emergency_number", number=written_number(row.call, self.edition), country=self.country_name(row.code)
        )

    def menu_text(self, *, calls: bool = False) -> str:
        """The list of keys; `calls`: the line calls back who asks for it."""
        labels = [(KEY_OF["urgent"], self.edition.urgent_label)]
        labels += [(topic.key, topic.label) for topic in self.edition.topics.values()]
        labels += [(KEY_OF["text_me"], self.sms("call_label"))] if calls else []
        labels += [(KEY_OF["language"], self.sms("language_label"))]
        listed = "\n".join(f"{key} {label}" for key, label in labels)
        return f"{self.sms('menu_title')}\n{listed}".translate(self.edition.fold)

    def topic_label(self, topic: str) -> str:
        about = self.edition.topics[topic]
        return f"{about.key} {about.label}".translate(self.edition.fold)

    def report_texts(self, country: str | None) -> tuple[str, ...]:
        lines = self._report_lines(country, spoken=False)
        return tuple(map(self._joined, pack(lines, lambda chunk, _: self._fits(self._joined(chunk)))))

    def texts_at(self, place: Place, country: str | None) -> tuple[str, ...]:
        """All texts of what is said at this place of a call: whole topics, since their parts are cut elsewhere."""
        match place.topic:
            case "urgent" if self.has(place, country):
                return (self.urgent_text(place.name.partition("-")[2], country),)
            case "report":
                return self.report_texts(country)
            case topic if topic in TOPICS:
                return self.pages[topic]
        return (f"{self.emergency(country)}\n{self.menu_text()}",)

    # Calls

    def voice(self, name: str, **values: str) -> tuple[str, ...]:
        return tuple(line.format(**values) for line in self.edition.prompts[name].voice)

    def seconds(self, *lines: str) -> float:
        """How long these lines take to say, by the rate that languages.toml gives."""
        if self.edition.characters_a_second:
            return sum(map(len, lines)) / self.edition.characters_a_second
        return sum(len(line.split()) for line in lines) * 60 / (self.edition.words_a_minute or SLOW)

    @property
    def measured(self) -> bool:
        return bool(self.edition.characters_a_second or self.edition.words_a_minute)

    def _parts(self, topic: Topic) -> Iterator[tuple[str, ...]]:
        offer = self.voice("text_offer", key=KEY_OF["text_me"])

        def fits(lines: tuple[str, ...], last: bool) -> bool:
            return self.seconds(*self._part(topic, lines, last), *offer) <= PART_SECONDS

        chunks = list(pack(topic.utterances, fits))
        for number, lines in enumerate(chunks, 1):
            yield self._part(topic, lines, number == len(chunks))

    def _part(self, topic: Topic, lines: tuple[str, ...], last: bool) -> tuple[str, ...]:
        closing = [line for name in topic.always for line in self.voice(name) if line not in lines]
        closing += self.voice("way_urgent", key=KEY_OF["urgent"])
        if not last:
            closing += self.voice("way_more", key=KEY_OF["more"])
        return (*lines, *closing)

    def menu_spoken(self) -> tuple[str, ...]:
        invitations = [topic.invitation.format(key=topic.key) for topic in self.edition.topics.values()]
        return (self.urgent_invitation(), *invitations, *self.voice("language_label", key=KEY_OF["language"]))

    def urgent_invitation(self) -> str:
        return self.edition.urgent_invitation.format(key=KEY_OF["urgent"])

    def urgent_spoken(self, kind: str, country: str | None) -> tuple[str, ...]:
        """The urgent message; the number is said a second time where that leaves it short enough."""
        lines = self._urgent_lines("voice", kind, country)
        row = self.numbered(country)
        longer = (*lines, *self._again(row.call)) if row else lines
        room = URGENT_SECONDS - self.seconds(*self.voice("way_report", key=KEY_OF["more"]))
        return longer if self.seconds(*longer) <= room else lines

    def emergency_spoken(self, country: str | None) -> tuple[str, ...]:
        row = self.numbered(country)
        if row is None:
            return self.voice("emergency_none")
        number, name = spoken_number(row.call, self.edition), self.country_name(row.code)
        return (*self.voice("emergency_number", number=number, country=name), *self._again(row.call))

    def _again(self, number: str) -> tuple[str, ...]:
        return self.voice("number_again", number=spoken_number(number, self.edition))

    def report_parts(self, country: str | None) -> tuple[tuple[str, ...], ...]:
        lines = self._report_lines(country, spoken=True)
        return tuple(pack(lines, lambda chunk, _: self.seconds(*chunk) <= PART_SECONDS))

    def spoken_at(self, place: Place, country: str | None) -> tuple[str, ...]:
        """The prompt of a place within one language; the list of languages is not among them."""
        match place.topic:
            case "welcome":
                return (*self.voice("welcome"), *self.menu_spoken())
            case "urgent":
                more = self.voice("way_report", key=KEY_OF["more"])
                return (*self.urgent_spoken(place.name.partition("-")[2], country), *more)
            case "report":
                return self.report_parts(country)[place.part - 1]
            case topic if topic in TOPICS:
                return self.parts[topic][place.part - 1]
        return self.menu_spoken()

    # Both

    def has(self, place: Place, country: str | None) -> bool:
        """Whether this place of a call exists: an unknown one gets the menu, urgent first."""
        match place.topic:
            case "menu" | "welcome":
                return place.name == place.topic
            case "languages":
                return place.part in (1, 2, 3)
            case "urgent":
                return place.name.partition("-")[2] in KINDS
            case "report":
                return 1 <= place.part <= len(self.report_parts(country))
            case topic:
                return 1 <= place.part <= len(self.parts.get(topic, ()))

    def country_name(self, code: str) -> str:
        return self.edition.countries.get(code, code)

    def numbered(self, country: str | None) -> Country | None:
        """The row of a country whose emergency number is sourced."""
        row = self.countries.get(country or "")
        return row if row and row.call else None

    def _urgent_lines(self, channel: str, kind: str, country: str | None) -> tuple[str, ...]:
        row, wordings = self.numbered(country), self.edition.urgent[kind]
        if row is None:
            return wordings[channel + PLAIN]
        number = (spoken_number if channel == "voice" else written_number)(row.call, self.edition)
        name = self.country_name(row.code)
        return tuple(line.format(number=number, country=name) for line in wordings[channel + NUMBERED])

    def _report_lines(self, country: str | None, *, spoken: bool) -> tuple[str, ...]:
        row = self.countries.get(country or "")
        lines: list[str] = []
        for paragraph in self.edition.report:
            number = getattr(row, paragraph.when, "") if paragraph.when else ""
            if number or not paragraph.when:
                shown = (spoken_number if spoken else written_number)(number, self.edition)
                name = self.country_name(country or "")
                lines += [line.format(number=shown, country=name) for line in paragraph.utterances]
                lines += self._again(number) if number and spoken else ()
        return tuple(lines)
