"""Which language has what: words, signatures, lengths within budget, recordings, a voice."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from ivr.checking import Check
from ivr.content import Source
from ivr.record import engines_of
from ivr.recordings import HUMAN, Recordings
from ivr.reviewing import unapproved
from ivr.settings import HOME, Settings
from ivr.speech import sayable


@dataclass(frozen=True, slots=True)
class Language:
    """One row. `missing`, `unsigned`: sentences; `over`: pages and spoken parts longer than they may be;
    `recorded`: sentences with a recording, by whom (human, gtts, espeak), of `sayable`; `phone`: the language spoken
    to those who text in this one; `voice`: Twilio's name of it, or ""."""

    code: str
    offered: bool
    missing: int
    unsigned: int
    over: int
    sayable: int
    recorded: Counter[str]
    phone: str
    voice: str


class Coverage:
    """Words as they were when first asked for; signatures and recordings as they are now."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def _check(self) -> Check:
        return Check(HOME / "content", HOME / "locales", own=self._settings.content, wanted=self._settings.languages)

    @cached_property
    def _over(self) -> Counter[str]:
        found = (*self._check.check_segments(), *self._check.check_seconds())
        return Counter(finding.where.partition(":")[0] for finding in found)

    @cached_property
    def _sayable(self) -> dict[str, tuple[str, ...]]:
        of_calls = (each for each in self._check.wordings if each[1].edition.phone == each[0])
        return {code: tuple(sayable(wording)) for code, wording in of_calls}

    def languages(self) -> list[Language]:
        """Every language that was begun or is whole. Raises ContentError where words or the manifest cannot be read."""
        settings, known = self._settings, self._check.catalogue
        editions = [wording.edition for wording in known.languages.values()]
        recordings = Recordings(settings.audio, editions, remote=bool(settings.audio_base_url))
        return [self._language(code, self._check.source, recordings) for code in self._check.source.languages]

    def _language(self, code: str, source: Source, recordings: Recordings) -> Language:
        known, unsigned = self._check.catalogue, len(unapproved(source, code))
        wording = known.languages.get(code)
        said = self._sayable.get(code, ())
        recorded = engines_of(recordings, [list(recordings.current(code, text)) for text in said])
        wanted = not self._settings.languages or code in self._settings.languages
        signed = not unsigned or not self._settings.reviewed_only
        return Language(
            code,
            bool(wording) and wanted and signed,
            len(known.incomplete.get(code, ())),
            unsigned,
            self._over[code],
            len(said),
            recorded,
            wording.edition.phone if wording else "",
            wording.edition.voice if wording else "",
        )


def recorded(language: Language) -> int:
    """Sentences that any recording says."""
    return language.sayable - language.recorded["none"]


def speaker(language: Language) -> str:
    """Who speaks to callers: recordings that are whole, then a voice."""
    if language.phone != language.code:
        return f"as {language.phone}" if language.phone else ""
    if language.sayable and recorded(language) == language.sayable:
        return "a person" if language.recorded[HUMAN] == language.sayable else "recordings"
    return language.voice
