"""ivr record: makes recordings ahead of time, counts them, and checks what a remote store serves of them."""

from __future__ import annotations

import csv
import multiprocessing
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from multiprocessing.pool import IMapIterator, ThreadPool  # its threads are daemons: Ctrl-C waits for none of them
from pathlib import Path
from typing import TypeVar

import click
import requests

from ivr.catalogue import countries_of, load_wordings
from ivr.content import Source
from ivr.engines import ENGINES, Engine, SpeechError, length
from ivr.recordings import (
    HUMAN,
    MANIFEST,
    TYPES,
    Recording,
    Recordings,
    file_name,
    human_names,
    read_manifest,
    write_manifest,
    write_whole,
)
from ivr.settings import HOME, audio_folder, own_content
from ivr.speech import aloud, sayable, spoken
from ivr.wording import Wording

Result = TypeVar("Result")

GIVE_UP = 10  # failures in a row: the engine itself is out of order
SHORTEST = 0.4  # of the time that a sentence should take: what is shorter has lost its end


@dataclass(frozen=True)
class Fault:
    """What is wrong with one sentence or file, and how to mend it."""

    where: str
    what: str


class Making:
    """One run of one engine over a folder. What is there and current is kept, so an ended run goes on where it was."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.folder = folder
        self.engine = engine
        self.faults: list[Fault] = []
        self.in_a_row = 0
        # By sentence and engine: a new recording takes the place of the one before.
        self.files = {(n.partition("-")[0], about.engine): (n, about) for n, about in read_manifest(folder).items()}

    def language(self, wording: Wording) -> None:
        """Make what is missing in one language, and bring the manifest up to date however that ends."""
        try:
            self._forget_what_is_said_no_more(wording)
            self._enter_what_people_read(wording)
            self._make(wording, [wanted for wanted in self._wanted(wording) if not self._kept(wording, wanted)])
        finally:
            write_manifest(self.folder, dict(self.files.values()))

    def _forget_what_is_said_no_more(self, wording: Wording) -> None:
        said, folder = set(sayable(wording)), f"{wording.edition.language}/"
        for key, (name, about) in list(self.files.items()):
            if name.removeprefix(f"{HUMAN}/").startswith(folder) and (about.engine == HUMAN or about.text not in said):
                del self.files[key]

    def _enter_what_people_read(self, wording: Wording) -> None:
        for text in sayable(wording):
            for path in (self.folder / name for name in human_names(wording.edition.language, text)):
                if path.is_file():
                    about = Recording(text, HUMAN, "", "", "", "", path.stat().st_size, "")
                    self._enter(path.relative_to(self.folder).as_posix(), about)

    def _wanted(self, wording: Wording) -> Iterator[Recording]:
        """Every sentence as this engine would make it now."""
        engine, now = self.engine, datetime.now(UTC).isoformat(timespec="seconds")
        how = (engine.name, engine.version, engine.voice(wording.edition), engine.rate, engine.processing)
        return (Recording(text, *how, size=0, made=now) for text in sayable(wording))

    def _enter(self, name: str, recording: Recording) -> None:
        self.files[name.partition("-")[0], recording.engine] = (name, recording)

    def _kept(self, wording: Wording, recording: Recording) -> bool:
        """Whether the file is there and whole. One that a killed run left out of the manifest is entered."""
        name = file_name(wording.edition, recording)
        path = self.folder / name
        if not path.is_file():
            return False
        known_name, known = self.files.get((name.partition("-")[0], recording.engine), ("", recording))
        if known_name == name:
            return path.stat().st_size == known.size
        with suppress(SpeechError):
            self._enter(name, replace(recording, size=len(_whole(wording, recording, path.read_bytes()))))
            return True
        return False

    def _make(self, wording: Wording, missing: list[Recording]) -> None:
        label = f"{wording.edition.language} {self.engine.name}"
        with ThreadPool(self.engine.workers) as pool:
            attempts = pool.imap_unordered(partial(self._attempt, wording), missing)
            with click.progressbar(_arriving(attempts), length=len(missing), label=label) as bar:
                for recording, made in bar:
                    self._finish(wording, recording, made)
                    if self.in_a_row == GIVE_UP:
                        raise SpeechError(f"{self.told()}\n{GIVE_UP} failures in a row: the rest was not tried")

    def _attempt(self, wording: Wording, recording: Recording) -> tuple[Recording, bytes | SpeechError]:
        try:
            sound = self.engine.synthesise(aloud(recording.text, wording.edition), recording.voice)
            return recording, _whole(wording, recording, sound)
        except SpeechError as error:
            return recording, error

    def _finish(self, wording: Wording, recording: Recording, made: bytes | SpeechError) -> None:
        try:
            if isinstance(made, SpeechError):
                raise made
            name = file_name(wording.edition, recording)
            write_whole(self.folder / name, made)
            self._enter(name, replace(recording, size=len(made)))
            self.in_a_row = 0
        except (SpeechError, OSError) as error:
            self.in_a_row += 1
            self.faults.append(Fault(f"{wording.edition.language} {recording.text!r}", str(error)))

    def told(self) -> str:
        lines = [f"FAILED {fault.where}: {fault.what}" for fault in self.faults]
        return "\n".join([*lines, f"{len(lines)} sentences failed; what is made is kept"])


def _whole(wording: Wording, recording: Recording, sound: bytes) -> bytes:
    """The same sound, where it plays and is long enough for its sentence. Raises SpeechError."""
    if length(sound) < SHORTEST * wording.seconds(recording.text):
        raise SpeechError(f"{length(sound):.1f} seconds cannot hold the sentence, its end is lost: run it again")
    return sound


def _arriving(results: IMapIterator[Result]) -> Iterator[Result]:
    """The results as they come. It waits a second at a time: Ctrl-C just before a wait is seen only after it."""
    while True:
        try:
            yield results.next(1)
        except multiprocessing.TimeoutError:
            continue
        except StopIteration:
            return


# The commands


class _Languages(click.Group):
    """A group whose words that are no commands are languages: `ivr record sw ur` is `ivr record make sw ur`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        known = {*self.commands, *ctx.help_option_names}
        return super().parse_args(ctx, args if args and args[0] in known else ["make", *args])


@click.group(cls=_Languages)
def record() -> None:
    """Recordings ahead of time: LANG… [--engine gtts / espeak], script, status, check."""


def _words() -> dict[str, Wording]:
    source = Source(HOME / "content", HOME / "locales", own_content(os.environ))
    return spoken(load_wordings(source, countries_of(source))[0])


def _folder() -> Path:
    return audio_folder(own_content(os.environ))


def _one(words: Mapping[str, Wording], language: str) -> Wording:
    if language not in words:
        raise click.ClickException(f"no call can be in {language}; there are: {', '.join(words)}")
    return words[language]


@record.command()
@click.argument("languages", nargs=-1, metavar="[LANG]...")
@click.option("--engine", "name", type=click.Choice(list(ENGINES)), default="gtts", show_default=True)
def make(languages: tuple[str, ...], name: str) -> None:
    """Make what is missing in LANG, or in all languages that the engine speaks. Ctrl-C ends it; it goes on later."""
    words, engine = _words(), ENGINES[name]()
    chosen = [_one(words, language) for language in languages or words]
    refused = [
        f"{name} does not speak {wording.edition.language}: {wording.edition.espeak_not}"
        for wording in chosen
        if not engine.voice(wording.edition)
    ]
    if languages and refused:
        raise click.ClickException("\n".join((*refused, "Use --engine gtts, or let a person read: ivr record script.")))
    for reason in refused:
        click.echo(reason)
    try:
        making = Making(_folder(), engine)
        for wording in chosen:
            if engine.voice(wording.edition):
                making.language(wording)
    except SpeechError as fault:
        raise click.ClickException(str(fault)) from fault
    if making.faults:
        raise click.ClickException(making.told())


@record.command()
@click.argument("language", metavar="LANG")
def script(language: str) -> None:
    """Print, for a person who reads LANG aloud, the name of each file and its words, as CSV."""
    wording = _one(_words(), language)
    rows = csv.writer(click.get_text_stream("stdout"), lineterminator="\n")
    rows.writerow(("file", "text"))
    rows.writerows((human_names(language, text)[0], text) for text in sayable(wording))


@record.command()
def status() -> None:
    """Count the recordings of each language, and name the files that cannot be read or are of no use any more."""
    words, folder = _words(), _folder()
    recordings = _recordings(words, remote=bool(os.environ.get("AUDIO_BASE_URL")))
    used: set[str] = set()
    click.echo("language  sentences  human   gtts  espeak   none")
    for language, wording in words.items():
        files = [list(recordings.current(language, text)) for text in sayable(wording)]
        used.update(name for names in files for name in names)
        by = engines_of(recordings, files)
        click.echo(f"{language:8} {len(files):10} {by[HUMAN]:6} {by['gtts']:6} {by['espeak']:7} {by['none']:6}")
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST):
        name = path.relative_to(folder).as_posix()
        if not _readable(path, _engine(recordings, name), recordings.manifest.get(name)):
            click.echo(f"UNREADABLE, record it again: {path}")
        elif name not in used:
            click.echo(f"can be deleted: {path}")


def engines_of(recordings: Recordings, files: Iterable[Iterable[str]]) -> Counter[str]:
    """How many sentences, given as the files of each, have a recording by a person or an engine; `none`: by nobody."""
    return Counter(engine for names in files for engine in {_engine(recordings, name) for name in names} or {"none"})


def _recordings(words: Mapping[str, Wording], *, remote: bool) -> Recordings:
    return Recordings(_folder(), [wording.edition for wording in words.values()], remote=remote)


def _engine(recordings: Recordings, name: str) -> str:
    if name.startswith(f"{HUMAN}/"):
        return HUMAN
    return recordings.manifest[name].engine if name in recordings.manifest else ""


def _readable(path: Path, engine: str, made: Recording | None) -> bool:
    """Whether a file plays. What an engine made was played when it was made, so its size tells."""
    if engine == HUMAN:
        with suppress(SpeechError):
            return length(path.read_bytes()) > 0
        return False
    return made is None or path.stat().st_size == made.size


@record.command()
@click.option("--url", envvar="AUDIO_BASE_URL", help="The folder at the remote store, if AUDIO_BASE_URL is not set.")
def check(url: str | None) -> None:
    """Ask the remote store for each current file: is it there, of which type and length, and may it be kept?"""
    if not url:
        raise click.ClickException("give --url, or set AUDIO_BASE_URL: the URL of the folder at the remote store")
    words, folder = _words(), _folder()
    recordings = _recordings(words, remote=True)
    found = (recordings.find(language, text) for language, wording in words.items() for text in sayable(wording))
    names = sorted({name for name in found if name})
    with ThreadPool(8) as pool:
        answers = pool.imap_unordered(partial(_asked, url.rstrip("/"), recordings, folder), names)
        with click.progressbar(_arriving(answers), length=len(names), label="asking") as bar:
            faults = [fault for wrong in bar for fault in wrong]
    for fault in sorted(faults, key=lambda fault: fault.where):
        click.echo(f"WRONG {fault.where}: {fault.what}")
    click.echo(f"{len(names)} files, {len(faults)} faults")
    if faults or not names:
        raise click.ClickException("the commands that copy the files there as they should be are in the README")


def _asked(url: str, recordings: Recordings, folder: Path, name: str) -> list[Fault]:
    """What is wrong with one file at the store."""
    size = (folder / name).stat().st_size if (folder / name).is_file() else recordings.manifest[name].size
    try:
        answer = requests.head(f"{url}/{name}", timeout=(5, 20), headers={"Accept-Encoding": "identity"})
    except requests.RequestException as error:
        return [Fault(name, f"no answer ({type(error).__name__}): look at the URL and the network")]
    return [Fault(name, what) for what in _wrong(answer, name, str(size))]


def _wrong(answer: requests.Response, name: str, size: str) -> Iterator[str]:
    headers, kind = answer.headers, TYPES[Path(name).suffix]
    if answer.status_code != 200:
        yield f"HTTP {answer.status_code}: copy it there, and let everybody read it"
        return
    if headers.get("Content-Type") != kind:
        yield f"its type is {headers.get('Content-Type')}: copy it with --content-type {kind}"
    if headers.get("Content-Length") != size:
        yield f"{headers.get('Content-Length')} bytes instead of {size}: copy it again"
    if not name.startswith(HUMAN) and "immutable" not in headers.get("Cache-Control", ""):
        yield "it lacks immutable: copy it with --cache-control 'public, max-age=31536000, immutable'"
