"""Recordings: which file says a sentence, decided once at start-up; the manifest that tells how each was made."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from ivr.content import ContentError, Edition
from ivr.speech import aloud

MANIFEST = "manifest.json"
HUMAN = "human"  # folder of recordings by people, named by what they say; and their engine in the manifest
ORDER = ("gtts", "espeak")  # the better sound first
TYPES = {".mp3": "audio/mpeg", ".wav": "audio/wav"}


@dataclass(frozen=True, slots=True)
class Recording:
    """How one file was made. `size` in bytes; `made` and `reviewer` are for people: when, and who listened to it."""

    text: str
    engine: str
    version: str
    voice: str
    rate: str
    processing: str
    size: int
    made: str
    reviewer: str = ""


def stem(language: str, text: str) -> str:
    """The name of a sentence, in every folder: 12 hex digits of its language and words."""
    return sha256(f"{language}\0{text}".encode()).hexdigest()[:12]


def file_name(edition: Edition, recording: Recording) -> str:
    """`sw/ab12….mp3`: the sentence, then 8 hex digits of how an engine was given it and what it was told."""
    told = (aloud(recording.text, edition), recording.engine, recording.version, recording.voice)
    how = "\0".join((*told, recording.rate, recording.processing))
    mark = sha256(how.encode()).hexdigest()[:8]
    return f"{edition.language}/{stem(edition.language, recording.text)}-{mark}.mp3"


def human_names(language: str, text: str) -> tuple[str, ...]:
    """Where a person's recording of a sentence may lie; the first is looked for first."""
    return tuple(f"{HUMAN}/{language}/{stem(language, text)}{kind}" for kind in TYPES)


def read_manifest(folder: Path) -> dict[str, Recording]:
    """Every file that the manifest names, and how it was made; empty without a manifest.

    Raises ContentError where the manifest cannot be read.
    """
    try:
        files = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return {name: Recording(**about) for name, about in files.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ContentError(f"{folder / MANIFEST}: {error}; delete it, and run ivr record again") from error


def write_manifest(folder: Path, files: Mapping[str, Recording]) -> None:
    listed = {name: asdict(files[name]) for name in sorted(files)}
    write_whole(folder / MANIFEST, (json.dumps(listed, ensure_ascii=False, indent=1) + "\n").encode())


def write_whole(path: Path, contents: bytes) -> None:
    """Write a file that is there whole or not at all, whenever the process ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_bytes(contents)
    unfinished.replace(path)


class Recordings:
    """The current recordings of a folder, in these languages; nothing is read from the disk after the start.

    A file is current when its name is that of the words and spellings of today, and it is there and whole: on this
    disk, or with `remote` in the manifest. A sentence that changed has another name, so its old recordings fall
    silent. Raises ContentError where the manifest cannot be read.
    """

    def __init__(self, folder: Path, editions: Iterable[Edition], *, remote: bool = False) -> None:
        self.manifest = read_manifest(folder)
        elsewhere = {name: about.size for name, about in self.manifest.items()} if remote else {}
        files = (path for path in folder.rglob("*.*") if path.suffix in TYPES)  # not what is being written just now
        here = {path.relative_to(folder).as_posix(): path.stat().st_size for path in files}
        sizes = elsewhere | here
        self._human = {name for name in sizes if name.startswith(f"{HUMAN}/")}
        self._made: dict[tuple[str, str, str], str] = {}
        of_language = {edition.language: edition for edition in editions}
        for name, recording in self.manifest.items():
            edition = of_language.get(name.partition("/")[0])
            if edition and sizes.get(name) == recording.size and name == file_name(edition, recording):
                self._made[edition.language, recording.text, recording.engine] = name

    def find(self, language: str, text: str) -> str | None:
        """The file to play for a sentence, a person's before an engine's, as a path in the folder; None: no file."""
        return next(self.current(language, text), None)

    def current(self, language: str, text: str) -> Iterator[str]:
        """Every file that may be played for a sentence, the best first."""
        if self._human:
            yield from (name for name in human_names(language, text) if name in self._human)
        yield from (self._made[language, text, engine] for engine in ORDER if (language, text, engine) in self._made)
