"""The catalogue: everything sayable, compiled once at start-up and never changed."""

from __future__ import annotations

import sys
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from itertools import islice
from pathlib import Path
from types import MappingProxyType

from babel.languages import get_official_languages

from ivr.content import SOURCE, ContentError, Source, edition, locale_folder, translator
from ivr.countries import Country, fold_name, load_countries
from ivr.keeping import kept
from ivr.lexicon import STRONG, Lexicon, load_lexicon
from ivr.model import TOPICS
from ivr.reviewing import unapproved
from ivr.settings import HOME
from ivr.understanding import taught
from ivr.wording import Wording

MOST_HINTS = 100  # of the 500 that Twilio takes: each document of the menu carries them


@dataclass(frozen=True)
class Catalogue:
    """`languages`: the wordings of those that are complete, in the order of languages.toml.

    `incomplete`: the others, with the English of each sentence that is missing or doubtful, or `phrases.txt`.
    `approved`: languages whose every present word a named person has signed.
    `withheld`: complete languages that are not offered, for want of a signature or by the operator's choice;
    their urgent message is given all the same to whoever writes in them.
    """

    languages: Mapping[str, Wording]
    countries: Mapping[str, Country]
    lexicon: Lexicon
    incomplete: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    approved: frozenset[str] = frozenset()
    withheld: Mapping[str, Wording] = field(default_factory=dict)

    @cached_property
    def country_names(self) -> Mapping[str, str]:
        """Folded names of countries in every language, and their codes, to ISO 3166 codes."""
        names = {fold_name(code): code for code in self.countries}
        for wording in self.languages.values():
            for named in (wording.edition.territories, wording.edition.countries):
                names |= {fold_name(named[code]): code for code in self.countries if code in named}
        return MappingProxyType(names | {"uk": "GB", "usa": "US", "america": "US", "uae": "AE"})

    @cached_property
    def hints(self) -> Mapping[str, tuple[str, ...]]:
        """For each language, words that a recogniser of speech should expect: the first phrase of each line."""
        return {code: tuple(islice(self._first_phrases(code), MOST_HINTS)) for code in self.languages}

    def _first_phrases(self, language: str) -> Iterator[str]:
        lines = [line for line in self.lexicon.lines if line.language == language]
        for concept in ("help", *TOPICS, *STRONG, "menu", "more", "language"):
            for line in lines:
                if line.concept == concept:
                    plain = (phrase for phrase in line.spelled() if phrase.replace(" ", "").isalpha())
                    yield from islice(plain, 1)

    @cached_property
    def language_names(self) -> str:
        return ", ".join(wording.edition.name.upper() for wording in self.languages.values())

    def likely(self, country: str | None, known: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Every language on offer: those known of the person, then those of the country, then the rest."""
        official = get_official_languages(country, regional=True, de_facto=True) if country else ()
        ordered = dict.fromkeys((*known, *official, *self.languages))
        return tuple(language for language in ordered if language in self.languages)

    def spoken(self, recorded: Container[str] = ()) -> Catalogue:
        """The languages that a voice speaks, or that are wholly recorded.

        Where only texts were wanted, a call still gets one: never none.
        """
        kept = {code: wording for code, wording in self.languages.items() if wording.edition.voice or code in recorded}
        kept = kept or dict([each for each in self.withheld.items() if each[1].edition.voice][:1])
        return replace(self, languages=MappingProxyType(kept))

    def phone(self, language: str | None) -> tuple[str, ...]:
        """The language to speak to someone who texts in this one; whether it can be spoken is another matter."""
        wording = self.languages.get(language or "")
        return (wording.edition.phone,) if wording else ()

    def narrowed(self, wanted: tuple[str, ...], *, reviewed_only: bool = False) -> Catalogue:
        """The same catalogue with only these languages (all where none is named), or those of them that are approved.

        Raises ContentError for a language that is not complete, and where nothing is left to offer.
        """
        for language in wanted:
            if language not in self.languages:
                missing = self.incomplete.get(language)
                why = f"{len(missing)} things are missing" if missing else "there is no such language"
                raise ContentError(f"IVR_LANGUAGES: {language} cannot be offered: {why}; see ivr check")
        chosen = {code for code in self.languages if not wanted or code in wanted}
        chosen &= self.approved if reviewed_only else chosen
        if not chosen:
            raise ContentError("IVR_REVIEWED_ONLY=1, but nobody has approved a language yet: see ivr review status")
        kept = {code: wording for code, wording in self.languages.items() if code in chosen}
        withheld = {code: wording for code, wording in self.languages.items() if code not in chosen}
        return replace(self, languages=MappingProxyType(kept), withheld=MappingProxyType(withheld))


def load_catalogue(
    content: Path = HOME / "content",
    locales: Path = HOME / "locales",
    own: Path | None = None,
    wanted: tuple[str, ...] = (),
) -> Catalogue:
    """Compile all words. A language with a missing or doubtful sentence is left out and named in `incomplete`.

    `own`: an operator's folder over the shipped words; `wanted`: the languages she offers, if not all.
    Raises ContentError where English itself, the numbers, the phrases or her words cannot be read.
    """
    source = Source(content, locales, own)
    try:
        lexicon = _lexicon(source)
    except (OSError, ValueError) as error:
        raise ContentError(str(error)) from error
    countries = countries_of(source)
    languages, incomplete = load_wordings(source, countries)
    _whole(source, wanted or tuple(languages))
    signed = frozenset(code for code in languages if not unapproved(source, code))
    return Catalogue(MappingProxyType(languages), MappingProxyType(countries), lexicon, incomplete, signed)


def countries_of(source: Source) -> dict[str, Country]:
    """The shipped table, an operator's rows over it. Raises ContentError where either cannot be read."""
    try:
        countries = load_countries(source.folder / "countries.csv")
        if source.own.folder and (source.own.folder / "countries.csv").exists():
            countries |= load_countries(source.own.folder / "countries.csv")
    except (OSError, ValueError) as error:
        raise ContentError(str(error)) from error
    return countries


def load_wordings(
    source: Source, countries: Mapping[str, Country]
) -> tuple[dict[str, Wording], dict[str, tuple[str, ...]]]:
    """The wordings of complete languages, and what the others lack: the catalogue without its understanding.

    A tenth of the work of load_catalogue, for commands that only speak.
    """
    phrases = language_files(source, "phrases.txt")
    languages, incomplete = {}, {}
    for language in source.languages:
        missing: list[str] = [] if language in phrases else ["phrases.txt"]
        words = edition(source, language, translator(source, language, missing))
        if missing:
            incomplete[language] = tuple(dict.fromkeys(missing))
        else:
            languages[language] = Wording(words, countries)
    return languages, incomplete


_compiled: dict[bytes, Lexicon] = {}  # by the contents of the files: a process compiles the same phrases once


def _lexicon(source: Source) -> Lexicon:
    """The phrases compiled; kept in a file by what they are made of: the contents, the code, and Python's Unicode."""
    phrases, examples = language_files(source, "phrases.txt"), language_files(source, "examples.txt")
    contents = [code.encode() + path.read_bytes() for files in (phrases, examples) for code, path in files.items()]
    ours = [path.read_bytes() for path in sorted((HOME / "ivr").glob("*.py"))]
    key = sha256(b"\0".join([*contents, *ours, sys.version.encode()])).digest()
    if key not in _compiled:
        _compiled.clear()
        file = source.folder.parent / "var" / "lexicon.pickle"
        _compiled[key] = kept(file, key, lambda: taught(load_lexicon(phrases), examples))
    return _compiled[key]


def _whole(source: Source, offered: tuple[str, ...]) -> None:
    """An urgent or stopping sentence is changed in all languages on offer or in none: they must not disagree."""
    changed = {sentence for words in source.own.words.values() for sentence in words}
    for sentence in sorted({entry.text for entry in source.entries() if entry.vital} & changed):
        lacking = [language for language in offered if sentence not in source.own.in_language(language)]
        if lacking:
            raise ContentError(
                f"words.toml [{sentence!r}]: an urgent or stopping sentence; give it in {', '.join(lacking)} too, "
                "or offer fewer languages with IVR_LANGUAGES"
            )


def language_files(source: Source, name: str) -> dict[str, Path]:
    """The file of this name of each language that has one: phrases.txt, examples.txt."""
    files = {code: locale_folder(source.locales, code) / name for code in source.languages}
    files[SOURCE] = source.folder / name
    return {code: path for code, path in files.items() if path.exists()}
