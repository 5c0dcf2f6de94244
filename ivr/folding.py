"""One spelling for many: a text becomes plain words, so that careless and careful writing meet."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

BREAKS = ".,;:!?…\n\r()।॥،؛؟۔。，、；：！？（）|"
ASKING = "?؟？"
APOSTROPHES = "'’‘ʼʹ`´ʻ＇"

# Arabic and Urdu keyboards differ in letters that a reader takes for the same one.
ARABIC = dict(zip("ىیئؤکةەہھۃٱںۓ", "يييوكهههههانے", strict=True))

# Marks that careful writers put and hurried ones leave out; Indic vowel signs are letters and stay.
DROPPED = {
    *map(chr, range(0x0300, 0x0370)),  # accents of Latin and Cyrillic, Vietnamese tones
    *map(chr, range(0x064B, 0x0660)),  # Arabic short vowels and seats of hamza
    *"\u0670\u0640\u0621\u06d4"[:3],  # dagger alef, tatweel, lone hamza
    *"\u093c\u09bc\u0981",  # nukta; in Bengali also chandrabindu
    *map(chr, range(0xFE00, 0xFE10)),  # emoji variation selectors
    "\u20e3",  # the box of a keycap emoji
    *map(chr, range(0x1F3FB, 0x1F400)),  # skin tones
}
LETTERS = {**ARABIC, "ँ": "ं", "đ": "d", "ð": "d", "ł": "l", "ø": "o", "ı": "i", "æ": "ae", "œ": "oe"}

TRADITIONAL = ""
SIMPLIFIED = ""
HAN = dict(zip(TRADITIONAL, SIMPLIFIED, strict=True))

NASALS = re.compile("[ङञणनम]्(?=[क-ह])|[ঙঞণনম]্(?=[ক-হ])")
ELISION = re.compile(r"\b([cdjlmnst]|qu)'(?=[aeiouh])")  # d'alcool is two words, don't is one
DECIMAL = re.compile(r"(\d)[.,]\d{1,2}(?!\d)")
THOUSANDS = re.compile(r"(\d)[.,](\d{3})(?!\d)")
DOUBLED = re.compile(r"([b-dghj-np-tv-z])\1+|([^\W\d])\2{2,}")
LEET = re.compile(r"(?<=[a-z])[013457](?=[a-z])|\b0(?=[a-z]{3})")
UNITS = re.compile(r"(?<=\d)(?=[^\W\d])")
LEET_LETTERS = {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t"}

ROMAN = (
    (re.compile(r"\b(?:n(?:a?h[ie]+n?|ai|hin|ahin))\b"), "nahi"),
    (re.compile(r"a{2,}"), "a"),
    (re.compile(r"e{2,}|ii+"), "i"),
    (re.compile(r"o{2,}|uu+"), "u"),
    (re.compile(r"ph"), "f"),
    (re.compile(r"w"), "v"),
    (re.compile(r"z"), "j"),
)


@dataclass(frozen=True, slots=True)
class Folded:
    """A text in plain words, each with the number of its clause."""

    words: tuple[str, ...]
    clauses: tuple[int, ...]
    asked: frozenset[int]  # clauses that end in a question mark

    @property
    def line(self) -> str:
        """All words with a space on either side, so that a phrase can say where a word begins or ends."""
        return f" {' '.join(self.words)} " if self.words else ""


class _Characters(dict[int, str]):
    """What becomes of each character; worked out when first met, then remembered."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = _character(chr(code))
        return folded


def _character(character: str) -> str:
    if character in DROPPED or unicodedata.category(character) == "Cf":
        return ""
    if character in BREAKS:
        return " ? " if character in ASKING else " . "
    if is_han(character):
        return f" {HAN.get(character, character)} "
    return LETTERS.get(character) or _plain(character)


def _plain(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.digit(character))
    if category in {"So", "Sk"} and ord(character) > 0x2000:
        return f" {character} "  # an emoji is a word
    return character if category[0] in "LM" else " "


CHARACTERS = _Characters()


def is_han(character: str) -> bool:
    return "\u4e00" <= character <= "\u9fff" or "\u3400" <= character <= "\u4dbf"


def fold(text: str) -> Folded:
    """The words of a text without case, accents, look-alike letters and stretched spelling."""
    words: list[str] = []
    clauses: list[int] = []
    asked: set[int] = set()
    clause = 0
    for token in _spell(text).split():
        if token not in ".?":
            words.append(token)
            clauses.append(clause)
            continue
        if token == "?" and clauses and clauses[-1] == clause:
            asked.add(clause)
        clause += 1
    return Folded(tuple(words), tuple(clauses), frozenset(asked))


def fold_words(text: str) -> str:
    """The folded words alone, one space between."""
    return " ".join(fold(text).words)


def _spell(text: str) -> str:
    text = unicodedata.normalize("NFKD", text).casefold()
    for mark in APOSTROPHES[1:]:
        text = text.replace(mark, "'")
    if "'" in text:
        text = ELISION.sub(r"\1 ", text).replace("'", "")
    text = THOUSANDS.sub(r"\1\2", text)
    text = DECIMAL.sub(r"\1", text).translate(CHARACTERS)
    text = LEET.sub(lambda digit: LEET_LETTERS[digit[0]], NASALS.sub(_anusvara, text))
    return DOUBLED.sub(r"\1\2", UNITS.sub(" ", text))


def _anusvara(nasal: re.Match[str]) -> str:
    return "ं" if nasal[0] < "ঀ" else "ং"


def romanise(line: str) -> str:
    """Hindi and Urdu in Latin letters, which everybody spells by ear; words stay where they are."""
    for pattern, letters in ROMAN:
        line = pattern.sub(letters, line)
    return line


def scripts(text: str) -> Iterator[str]:
    """The script of each letter, by the first word of its Unicode name."""
    return (unicodedata.name(letter, "?").split()[0] for letter in text if letter.isalpha())
