"""The words as their files hold them: content/ in English, locales/ in every other language."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from ivr.model import KINDS, TOPICS

SOURCE = "en"
VITAL = (
    "urgent",
    "topics/stopping",
    "prompts.toml [do_not_stop]",
)  # where sentences live that must never be half changed
NUMBERED = "_number"  # a wording that names the country and its number
PLAIN = "_none"  # the same for countries without a sourced number

Translate = Callable[[str], str]


class ContentError(Exception):
    """Words are missing or wrong; the message names the file and what to mend."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One string that translators translate, with what they must know. `where`: file and name."""

    where: str
    text: str
    sources: tuple[str, ...] = ()
    note: str = ""

    @property
    def vital(self) -> bool:
        """Whether it is an urgent or a stopping sentence."""
        return self.where.startswith(VITAL)


@dataclass(frozen=True, slots=True)
class Own:
    """An operator's folder over the shipped words (IVR_CONTENT): `words.toml` and `countries.csv`, either or both.

    `words`: for each language the sentences that she puts in other words, by their shipped English.
    """

    folder: Path | None
    words: Mapping[str, Mapping[str, str]]

    def in_language(self, language: str) -> Mapping[str, str]:
        return self.words.get(language, {})


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Ordered utterances. `when`: said only where the country has this number (poison, advice, report)."""

    utterances: tuple[str, ...]
    when: str = ""


@dataclass(frozen=True, slots=True)
class Topic:
    key: str
    label: str
    invitation: str
    always: tuple[str, ...]  # names of prompts that close every part
    paragraphs: tuple[Paragraph, ...]

    @property
    def utterances(self) -> tuple[str, ...]:
        return tuple(line for paragraph in self.paragraphs for line in paragraph.utterances)


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is said at one moment: a text, and ordered sentences to speak."""

    sms: str = ""
    voice: tuple[str, ...] = ()


@dataclass(frozen=True)
class Edition:
    """All that the line can say in one language."""

    language: str
    name: str
    voice: str
    say: str
    fold: Mapping[int, str]
    digits: Mapping[str, str]
    space: str  # what stands between two sentences
    rtl: bool  # written from right to left
    phone: str  # the language spoken to those who text in this one
    hears: str  # the recogniser's tag for speech in this language; empty: keys only
    words_a_minute: float
    characters_a_second: float
    topics: Mapping[str, Topic]
    urgent: Mapping[str, Mapping[str, tuple[str, ...]]]
    urgent_label: str
    urgent_invitation: str
    report: tuple[Paragraph, ...]
    prompts: Mapping[str, Prompt]
    voiceless: Mapping[str, str]  # names of the languages that no <Say> voice speaks, as the CLDR has them
    territories: Mapping[str, str]  # names of countries as the CLDR has them
    countries: Mapping[str, str]  # the same, or shorter where people say it so
    gtts: str  # Google Translate's code of the language
    espeak: str  # the offline engine's voice; empty: it has none that is fit
    espeak_not: str  # why it has none
    spelled: Mapping[str, str]  # words as an engine of speech must be given them


class Source:
    """The English words as files hold them, the folder of translations, and an operator's own words over both."""

    def __init__(self, folder: Path, locales: Path, own: Path | None = None) -> None:
        self.folder = folder
        self.locales = locales
        self.languages = self._table("languages.toml")
        self.prompts = self._table("prompts.toml")
        self.urgent = self._table("urgent.toml")
        self.report = self._table("report.toml")
        self.topics = {topic: self._table(f"topics/{topic}.toml") for topic in TOPICS}
        self.short_countries = self.languages.pop("countries", {})
        self.voiceless = [
            code for code, about in self.languages.items() if not about["voice"] and about.get("phone", code) == code
        ]
        self.own = _own(own, self) if own else Own(None, MappingProxyType({}))

    def _table(self, name: str) -> dict[str, Any]:
        try:
            return tomllib.loads((self.folder / name).read_text(encoding="utf-8"))
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise ContentError(f"{name}: {error}") from error

    def entries(self) -> Iterator[Entry]:
        """Every string to translate, in reading order, each with its sources and its note."""
        for name, table in self.prompts.items():
            yield from _strings(f"prompts.toml [{name}]", table)
        yield from _strings("urgent.toml", self.urgent)
        for kind in KINDS:
            yield from _strings(f"urgent.toml [{kind}]", self.urgent[kind])
        yield from self._paragraphs("report.toml", self.report)
        for topic, table in self.topics.items():
            yield from _strings(f"topics/{topic}.toml", table)
            yield from self._paragraphs(f"topics/{topic}.toml", table)

    def _paragraphs(self, where: str, table: Mapping[str, Any]) -> Iterator[Entry]:
        for number, paragraph in enumerate(table["paragraph"], 1):
            yield from _strings(f"{where} paragraph {number}", paragraph)


_WORDS = (
    "label",
    "invitation",
    "text",
    "sms",
    "voice",
    *(f"{c}{n}" for c in ("sms", "voice") for n in (NUMBERED, PLAIN)),
)


def _strings(where: str, table: Mapping[str, Any]) -> Iterator[Entry]:
    sources, note = tuple(table.get("sources", ())), table.get("note", "")
    for name in _WORDS:
        for line in _lines(table.get(name, "")):
            yield Entry(f"{where} {name}", line, sources, note)


PLACEHOLDER = re.compile(r"{(\w*)}")


def placeholders(text: str) -> list[str]:
    return sorted(PLACEHOLDER.findall(text))


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _own(folder: Path, source: Source) -> Own:
    """The operator's words. In words.toml each table is named by a sentence as content/ has it: ["Get help now."].

    Raises ContentError that names the sentence where it is not one of ours, or its placeholders differ.
    """
    path = folder / "words.toml"
    if not folder.is_dir():
        raise ContentError(f"IVR_CONTENT: there is no folder {folder}")
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ContentError(f"{path.name}: {error}") from error
    shipped = {entry.text for entry in source.entries()}
    words: dict[str, dict[str, str]] = {}
    for sentence, wordings in tables.items():
        if sentence not in shipped or not isinstance(wordings, dict):
            raise ContentError(
                f"{path.name}: the line has no sentence {sentence!r}; copy it from content/ as it stands"
            )
        for language, text in wordings.items():
            if language not in source.languages:
                raise ContentError(f"{path.name} [{sentence!r}]: there is no language {language}")
            if not isinstance(text, str) or not text.strip() or placeholders(text) != placeholders(sentence):
                raise ContentError(f"{path.name} [{sentence!r}] {language}: needs words with {placeholders(sentence)}")
            words.setdefault(language, {})[sentence] = text.strip()
    return Own(folder, words)


def locale_folder(locales: Path, language: str) -> Path:
    return locales / language.replace("-", "_")


def read_translations(language: str, locales: Path) -> Catalog:
    path = locale_folder(locales, language) / "LC_MESSAGES" / "messages.po"
    if not path.exists():
        return Catalog(locale=None)
    with path.open("rb") as file:
        return read_po(file)


def wordings(source: Source, language: str) -> dict[str, str]:
    """What stands for each English sentence, fuzzy or not, with an operator's own over it."""
    if language == SOURCE:
        known = {entry.text: entry.text for entry in source.entries()}
    else:
        catalog = read_translations(language, source.locales)
        known = {str(entry.id): str(entry.string) for entry in catalog if entry.id}
    return {**known, **source.own.in_language(language)}


def translator(source: Source, language: str, missing: list[str]) -> Translate:
    """A function from English to this language, an operator's own words first; what is not found goes into `missing`.

    The English sentence is the key: reword it, and its old translation is no longer found. Doubtful (fuzzy)
    entries count as missing, and so does one whose placeholders differ: Babel's own check lets {kay} for {key} pass.
    """
    changed = source.own.in_language(language)
    if language == SOURCE:
        return lambda text: changed.get(text, text)
    known = {
        str(entry.id): str(entry.string)
        for entry in read_translations(language, source.locales)
        if entry.id and not entry.fuzzy and placeholders(str(entry.id)) == placeholders(str(entry.string))
    } | dict(changed)

    def translate(text: str) -> str:
        if not known.get(text):
            missing.append(text)
        return known.get(text) or text

    return translate


def edition(source: Source, language: str, translate: Translate) -> Edition:
    """Everything the line can say in one language, through `translate` sentence by sentence."""
    about = source.languages[language]
    names = Locale.parse(about.get("names", language), sep="-")
    return Edition(
        language=language,
        name=about["name"],
        voice=about["voice"],
        say=about["say"],
        fold=_fold(about["fold"]),
        digits=dict(zip("0123456789*#", about["digits"].split(), strict=True)),
        space=about.get("space", " "),
        rtl=names.text_direction == "rtl",  # to Babel, Urdu in Latin letters is Urdu
        phone=about.get("phone", language),
        hears=about.get("hears", ""),
        words_a_minute=about.get("words_a_minute", 0),
        characters_a_second=about.get("characters_a_second", 0),
        topics={name: _topic(table, translate) for name, table in source.topics.items()},
        urgent={kind: _wordings(source.urgent[kind], translate) for kind in KINDS},
        urgent_label=translate(source.urgent["label"]),
        urgent_invitation=translate(source.urgent["invitation"]),
        report=_paragraphs(source.report, translate),
        prompts={name: _prompt(table, translate, about.get("space", " ")) for name, table in source.prompts.items()},
        voiceless={code: names.languages[code] for code in source.voiceless},
        territories=names.territories,
        countries={**names.territories, **source.short_countries.get(language, {})},
        gtts=about.get("gtts", language),
        espeak=about.get("espeak", ""),
        espeak_not=about.get("espeak_not", ""),
        spelled=about.get("spelled", {}),
    )


def _fold(pairs: str) -> Mapping[int, str]:
    """A map for str.translate; a curly apostrophe would cost as much as a letter of another script."""
    return MappingProxyType({ord(pair[0]): pair[1:] for pair in ("’'", *pairs.split())} if pairs else {})


def _topic(table: Mapping[str, Any], translate: Translate) -> Topic:
    return Topic(
        key=table["key"],
        label=translate(table["label"]),
        invitation=translate(table["invitation"]),
        always=tuple(table.get("always", ())),
        paragraphs=_paragraphs(table, translate),
    )


def _paragraphs(table: Mapping[str, Any], translate: Translate) -> tuple[Paragraph, ...]:
    return tuple(
        Paragraph(tuple(translate(line) for line in _lines(paragraph["text"])), paragraph.get("when", ""))
        for paragraph in table["paragraph"]
    )


def _wordings(table: Mapping[str, Any], translate: Translate) -> dict[str, tuple[str, ...]]:
    names = [f"{channel}{form}" for channel in ("sms", "voice") for form in (NUMBERED, PLAIN)]
    return {name: tuple(translate(line) for line in _lines(table[name])) for name in names}


def _prompt(table: Mapping[str, Any], translate: Translate, space: str) -> Prompt:
    both = table.get("text", "")
    sms = [translate(line) for line in _lines(table.get("sms", both))]
    return Prompt(space.join(sms), tuple(translate(line) for line in _lines(table.get("voice", both))))
