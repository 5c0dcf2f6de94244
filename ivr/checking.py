"""ivr check: every sentence in every language, against rules that nobody has to remember."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ivr.catalogue import Catalogue, load_catalogue
from ivr.content import PLACEHOLDER, SOURCE, ContentError, Entry, Source, placeholders, wordings
from ivr.folding import fold_words
from ivr.lexicon import STRONG, WEAK, Line
from ivr.model import KINDS, TOPICS, Place, urgent
from ivr.translating import outdated
from ivr.understanding import understand
from ivr.wording import (
    LONGEST_TEXT,
    MENU_SECONDS,
    PAGE_SEGMENTS,
    PART_SECONDS,
    URGENT_SECONDS,
    Wording,
    segments,
)

FIRST_CHARACTERS = 40  # of an urgent text must name the number or the hospital
URGENT_SEGMENTS = {"GSM-7": 2, "UCS-2": 3}
ONE_SEGMENT = {"GSM-7": 1, "UCS-2": 0}
SAID_ENCODED = 4500  # characters of one <Say> once URL-encoded (error 13521)
CITED = [*(f"S{n}" for n in range(1, 59)), *(f"F{n}" for n in range(1, 41))]
MUST_CITE = [f"S{n}" for n in range(1, 59)]  # the article: every fact of it is somewhere
CARRIES_WARNING = ("side_effects", "dosage", "warnings")


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault: where it is, and what to mend."""

    where: str
    what: str


class Check:
    """One run over the shipped words. Each method named `check_…` yields its findings."""

    def __init__(
        self,
        content: Path,
        locales: Path,
        today: date | None = None,
        own: Path | None = None,
        wanted: tuple[str, ...] = (),
    ) -> None:
        self.content = content
        self.locales = locales
        self.today = today or date.today()
        self.source = Source(content, locales, own)
        self.catalogue: Catalogue = load_catalogue(content, locales, own, wanted)
        self.rules: dict[str, Any] = tomllib.loads((content / "rules.toml").read_text(encoding="utf-8"))
        self.entries: tuple[Entry, ...] = tuple(self.source.entries())

    def findings(self) -> Iterator[Finding]:
        for name in sorted(dir(self)):
            if name.startswith("check_"):
                yield from getattr(self, name)()

    @cached_property
    def wordings(self) -> tuple[tuple[str, Wording], ...]:
        return tuple(self.catalogue.languages.items())

    def _texts(self, language: str) -> Iterator[tuple[Entry, str]]:
        """Every English entry with its words in this language, where it has them."""
        known = wordings(self.source, language)
        yield from ((entry, known[entry.text]) for entry in self.entries if known.get(entry.text))

    def tables(self) -> dict[str, str]:
        """What a person wants to see before the findings: grades, segments and seconds, languages left out."""
        return {
            "grades": self._grades(),
            "costs": self._costs(),
            "collisions": self._collisions(),
            "languages": self._languages(),
        }

    def _grades(self) -> str:
        rows = [f"{name:18} {whole:8.1f} {without:14.1f}" for name, (whole, without) in self.grades().items()]
        return "\n".join([f"{'US reading grade':18} {'as it is':>8} {'without names':>14}", *rows])

    def _costs(self) -> str:
        columns = (*TOPICS, "urgent", "sent / as written")
        head = f"{'first page, segments':20}" + "".join(f"{name:>14}" for name in columns)
        rows: list[str] = []
        for language, wording in self.wordings:
            pages = [wording.pages[topic][0] for topic in TOPICS]
            pages.append(max((wording.urgent_text("general", code) for code in self.catalogue.countries), key=len))
            counts = "".join(f"{segments(page)[1]:>14}" for page in pages)
            rows.append(f"{language:20}{counts}{self._as_written(language):>20}")
        return "\n".join([head, *rows])

    def _as_written(self, language: str) -> str:
        """Segments of everything in the topics and urgent messages: as sent, and as written (not folded)."""
        edition = self.catalogue.languages[language].edition
        texts = [edition.space.join(topic.utterances) for topic in edition.topics.values()]
        texts += [edition.urgent[kind]["sms_none"][0] for kind in KINDS]
        sent = sum(segments(text.translate(edition.fold))[1] for text in texts)
        written = sum(segments(text)[1] for text in texts)
        return f"{sent}/{written} ({1 - sent / written:.0%} saved)"

    def _languages(self) -> str:
        rows = [f"{language:8} offered" for language in self.catalogue.languages]
        rows += [f"{code:8} left out: {_missing(texts)}" for code, texts in self.catalogue.incomplete.items()]
        return "\n".join(rows)

    # Catalogues

    def check_catalogues(self) -> Iterator[Finding]:
        if outdated(self.content, self.locales):
            yield Finding("locales/messages.pot", "differs from content/: run ivr translate extract")
        vital = {entry.text for entry in self.entries if entry.vital}
        for language, missing in self.catalogue.incomplete.items():
            if len(missing) < len({entry.text for entry in self.entries}):  # a language that was begun
                for text in vital.intersection(missing):
                    yield Finding(f"locales/{language}", f"an urgent or stopping sentence is missing: {text!r}")

    def check_placeholders(self) -> Iterator[Finding]:
        for language in self.source.languages:
            for entry, text in self._texts(language):
                if placeholders(entry.text) != placeholders(text):
                    yield Finding(f"{language}: {entry.where}", f"placeholders differ from the English: {text!r}")

    def check_sources(self) -> Iterator[Finding]:
        for entry in self.entries:
            for name in entry.sources:
                if name not in CITED:
                    yield Finding(entry.where, f"there is no source {name}")
            if entry.where.startswith("topics") and entry.where.endswith("text") and not entry.sources:
                yield Finding(entry.where, "a paragraph without sources")
        cited = {name for entry in self.entries for name in entry.sources}
        for name in MUST_CITE:
            if name not in cited:
                yield Finding("topics", f"no paragraph rests on {name} of the article")

    # Rules of words

    def check_words(self) -> Iterator[Finding]:
        for language in self.source.languages:
            for entry, text in self._texts(language):
                for rule in self._rules_for(entry):
                    for pattern in (*self.rules[rule].get("any", ()), *self.rules[rule].get(language, ())):
                        if found := re.search(pattern, PLACEHOLDER.sub("", text), re.IGNORECASE):
                            yield Finding(f"{language}: {entry.where}", f"{rule}: {found[0]!r} in {text!r}")

    def _rules_for(self, entry: Entry) -> list[str]:
        topic = entry.where.removeprefix("topics/").partition(".")[0]
        return ["amount", "safe", *(["seizure"] if topic in self.rules["seizure"]["topics"] else [])]

    def check_reserved_words(self) -> Iterator[Finding]:
        reserved = tuple(word.casefold() for word in self.rules["reserved"]["words"])
        for language, wording in self.wordings:
            for topic in wording.edition.topics.values():
                if topic.label.casefold().startswith(reserved):
                    yield Finding(f"{language}: label {topic.label!r}", "begins with a word that carriers keep")

    def check_always(self) -> Iterator[Finding]:
        for language, wording in self.wordings:
            for topic, pages in wording.pages.items():
                for number, page in enumerate(pages, 1):
                    where = f"{language}: {topic} page {number}"
                    if wording.sms("way_urgent", key="0") not in page:
                        yield Finding(where, "does not name the way to the urgent message")
                    if topic in CARRIES_WARNING and wording.sms("do_not_stop") not in page:
                        yield Finding(where, "does not say: do not stop suddenly")

    # Costs

    def check_segments(self) -> Iterator[Finding]:
        for language, wording in self.wordings:
            for topic, pages in wording.pages.items():
                for number, page in enumerate(pages, 1):
                    yield from _over(f"{language}: {topic} page {number}", page, PAGE_SEGMENTS)
            for kind in KINDS:
                yield from self._urgent_text(language, wording, kind)

    def _urgent_text(self, language: str, wording: Wording, kind: str) -> Iterator[Finding]:
        """The urgent text of every country: only the first fault of each sort is told."""
        where = f"{language}: urgent {kind}"
        texts = {code: wording.urgent_text(kind, code) for code in self.catalogue.countries}
        plain = wording.urgent_text(kind, None)
        yield from _over(f"{where} without a number", plain, ONE_SEGMENT if language == SOURCE else URGENT_SEGMENTS)
        yield from _over(where, max(texts.values(), key=lambda text: segments(text)[1]), URGENT_SEGMENTS)
        for code, row in self.catalogue.countries.items():
            number = row.call.split(",")[0]
            if texts[code].find(number) + len(number) > FIRST_CHARACTERS or number not in texts[code]:
                yield Finding(
                    f"{where} {code}", f"the number does not stand in the first {FIRST_CHARACTERS} characters"
                )
                return

    def check_folding(self) -> Iterator[Finding]:
        for language, wording in self.wordings:
            texts = [page for pages in wording.pages.values() for page in pages]
            texts += [wording.urgent_text(kind, code) for kind in KINDS for code in (None, *self.catalogue.countries)]
            odd = {letter for letter in set("".join(texts)) if segments(letter)[0] != "GSM-7"}
            if odd and wording.edition.fold:
                yield Finding(f"{language}", f"letters outside GSM-7, add them to fold: {''.join(sorted(odd))}")

    def check_seconds(self) -> Iterator[Finding]:
        for language, wording in self.wordings:
            if wording.edition.phone != language:
                continue  # text only: another language is spoken to its people
            if not wording.measured:
                yield Finding(f"languages.toml [{language}]", "its speed of speech was not measured: make rates")
            menu, wrong = wording.spoken_at(Place("welcome"), None), wording.voice("wrong_key") + wording.menu_spoken()
            yield from _long(f"{language}: menu", max(wording.seconds(*menu), wording.seconds(*wrong)), MENU_SECONDS)
            for topic, parts in wording.parts.items():
                for number, part in enumerate(parts, 1):
                    yield from _long(f"{language}: {topic} part {number}", wording.seconds(*part), PART_SECONDS)
            for kind in KINDS:
                said = [wording.spoken_at(urgent(kind), code) for code in (None, *self.catalogue.countries)]
                longest = max(said, key=lambda lines: wording.seconds(*lines))
                yield from _long(f"{language}: urgent {kind}", wording.seconds(*longest), URGENT_SECONDS)
            for entry, text in self._texts(language):
                if len(quote(text)) > SAID_ENCODED:
                    yield Finding(f"{language}: {entry.where}", f"over {SAID_ENCODED} characters once URL-encoded")

    def check_voices(self) -> Iterator[Finding]:
        allowed = set((self.content / "voices.txt").read_text(encoding="utf-8").split())
        for language, wording in self.wordings:
            for name in filter(None, (wording.edition.voice, wording.edition.say)):
                if name not in allowed:
                    yield Finding(f"languages.toml [{language}]", f"{name} is not in voices.txt")

    # English, numbers, phrases

    def check_grade(self) -> Iterator[Finding]:
        for name, (_, without) in self.grades().items():
            if without > self.rules["grade"]["longest"]:
                yield Finding(name, f"US grade {without:.1f}, over {self.rules['grade']['longest']}")

    def grades(self) -> dict[str, tuple[float, float]]:
        """The reading grade of each topic and of the urgent words, with and without the names in terms.txt."""
        try:
            import textstat  # only this check needs it, so a host that only answers does without
        except ImportError as error:
            raise ContentError("ivr check counts with textstat: pip install -r requirements-dev.txt") from error

        terms = [line for line in (self.content / "terms.txt").read_text().splitlines() if line and line[0] != "#"]
        names = re.compile("|".join(map(re.escape, sorted(terms, key=len, reverse=True))), re.IGNORECASE)
        english = self.catalogue.languages[SOURCE].edition
        texts = {topic: " ".join(english.topics[topic].utterances) for topic in TOPICS}
        texts |= {f"urgent {kind}": " ".join(english.urgent[kind]["voice_none"]) for kind in KINDS}
        grade: Callable[[str], float] = textstat.flesch_kincaid_grade
        return {name: (grade(text), grade(names.sub("it", text))) for name, text in texts.items()}

    def check_numbers(self) -> Iterator[Finding]:
        for code, row in self.catalogue.countries.items():
            where = f"countries.csv {code}"
            if (self.today - row.checked_on).days > self.rules["numbers"]["days"]:
                yield Finding(where, f"last checked on {row.checked_on}: confirm the numbers and set the date")
            if row.confidence == "low" and row.call:
                yield Finding(where, "a number of low confidence is never given")
            if not row.source or not re.fullmatch(r"[\d, ]*", row.call):
                yield Finding(where, "a row needs a source and plain digits")

    def check_phrases(self) -> Iterator[Finding]:
        """The words that menus name bring what they promise, in each language."""
        for language, wording in self.wordings:
            for name, topic in wording.edition.topics.items():
                for words in (topic.key, topic.label):
                    if name not in understand(words, language, self.catalogue.lexicon).intents:
                        yield Finding(f"{language}: {name}", f"the words of its own menu are not understood: {words!r}")

    def check_examples(self) -> Iterator[Finding]:
        """Each example of a phrase file means what its line says, whatever the other languages hold."""
        for line in self.catalogue.lexicon.lines:
            meant = meaning_of(line.concept)
            for example in line.examples if meant else ():
                got = understand(example, None, self.catalogue.lexicon).intents
                if meant not in got:
                    yield Finding(line.place, f"{example!r} is understood as {' and '.join(got)}, not {meant}")

    def check_single_words(self) -> Iterator[Finding]:
        """No single word is an emergency in one language and everyday talk in another of the same script."""
        for phrase, lines in self._meanings():
            if " " not in phrase and not STRONG.keys().isdisjoint(lines) and not HARMLESS.isdisjoint(lines):
                yield Finding(_places(lines.values()), f"the single word {phrase!r} is and is no emergency")

    def _collisions(self) -> str:
        """Phrases that speak for two topics of one language: the text is then decided by its other words."""
        rows = []
        for phrase, lines in self._meanings():
            topics = [line for concept, line in lines.items() if concept in TOPICS]
            if len({line.concept for line in topics if line.language == topics[0].language}) > 1:
                rows.append(f"{phrase!r}: {_places(topics)}")
        return "\n".join([f"{len(rows)} phrases speak for two topics", *rows])

    def _meanings(self) -> Iterator[tuple[str, dict[str, Line]]]:
        """Each phrase, script by script, with a line of each concept that it stands for."""
        scripts = self.catalogue.lexicon.scripts
        meanings: dict[tuple[str, str], dict[str, Line]] = defaultdict(dict)
        for line in self.catalogue.lexicon.lines:
            for phrase in line.spelled() if line.concept in {*TOPICS, *STRONG, *HARMLESS} else ():
                if "*" not in phrase:
                    meanings[scripts[line.language], fold_words(phrase)].setdefault(line.concept, line)
        return ((phrase, lines) for (_, phrase), lines in meanings.items())


HARMLESS = {"chatter", "noise", "idiom", "polite", "more", "menu"}


def meaning_of(concept: str) -> str | None:
    """The intent that an example of this concept must have, if it has one by itself."""
    if concept in STRONG or concept in WEAK:
        return "urgent"
    return {"chatter": "unknown", **{topic: topic for topic in TOPICS}}.get(concept)


def _places(lines: Iterable[Line]) -> str:
    return " and ".join(f"{line.place} ({line.concept})" for line in lines)


def _missing(texts: tuple[str, ...]) -> str:
    return f"{len(texts)} sentences missing" if texts != ("phrases.txt",) else "phrases.txt is missing"


def _over(where: str, text: str, limits: dict[str, int]) -> Iterator[Finding]:
    encoding, count = segments(text)
    if count > limits[encoding] or len(text) > LONGEST_TEXT:
        yield Finding(where, f"{count} segments of {encoding}, over {limits[encoding]}: {text!r}")


def _long(where: str, seconds: float, limit: float) -> Iterator[Finding]:
    if seconds > limit:
        yield Finding(where, f"{seconds:.1f} seconds, over {limit:.0f}")
