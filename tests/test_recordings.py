"""Recordings: every sentence of a call is known, only current files are played, and they sound as a telephone wants."""

from __future__ import annotations

import csv
import io
import math
import re
import threading
import unicodedata
import wave
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from pathlib import Path

import miniaudio
import pytest
from click.testing import CliRunner, Result
from gtts.lang import tts_langs

from ivr.answering import answer
from ivr.catalogue import Catalogue, countries_of, load_wordings
from ivr.commands import cli
from ivr.content import ContentError, Source
from ivr.engines import EspeakNG, SpeechError, length
from ivr.model import KEYS, KINDS, TOPICS, Message, Place, urgent
from ivr.record import Making
from ivr.recordings import (
    HUMAN,
    MANIFEST,
    Recording,
    Recordings,
    file_name,
    human_names,
    read_manifest,
    stem,
    write_manifest,
)
from ivr.settings import HOME, Settings, SettingsError
from ivr.speech import aloud, sayable, spoken
from ivr.wording import Wording

from .conftest import ENVIRONMENT

SOURCE = Source(HOME / "content", HOME / "locales")
WORDINGS = spoken(load_wordings(SOURCE, countries_of(SOURCE))[0])
LANGUAGES = list(WORDINGS)


# Every sentence of a call


STOPS = [("menu", 0), ("welcome", 0), ("uses-1", 0), ("person", 0), ("urgent-general", 0), ("languages-1", 1)]
HAPPENS = [  # key, words heard, whether surely, outcome of what was wanted
    (None, "help", True, ""),
    (None, "side effects", False, ""),
    *(
        (key, None, True, outcome)
        for key in (None, "8")
        for outcome in ("called", "queued", "cap", "landline", "answered")
    ),
]


def test_nothing_is_said_in_any_call_that_is_not_among_the_sayable(catalogue: Catalogue) -> None:
    """All places, keys and tries in several countries; the urgent messages and reports in every country."""
    every = replace(catalogue, languages=spoken(catalogue.languages))
    known = {language: set(sayable(wording)) for language, wording in every.languages.items()}
    places = [Place("menu"), Place("welcome"), *(urgent(kind) for kind in KINDS)]
    places += [Place(f"{name}-{part}") for name in (*TOPICS, "report") for part in range(1, 6)]
    tried = [replace(place, tries=tries) for place, tries in product(places, (0, 1, 4))]
    walks = [*product(("KE", "US", "ZW", None), tried, (None, *KEYS))]
    walks += [(country, place, None) for country, place in product(every.countries, places)]
    heard = {language: set[str]() for language in known}
    for language in known:
        messages = [Message("voice", key, (language,), country, place) for country, place, key in walks]
        messages += [replace(message, ways=frozenset(("text", "person"))) for message in messages]
        messages += [
            Message("voice", key, (language,), country, Place(*place), heard=words, sure=sure, outcome=outcome)
            for country, place, (key, words, sure, outcome) in product(("KE", None), STOPS, HAPPENS)
        ]
        for sentence in (sentence for message in messages for sentence in answer(message, every).said):
            heard[sentence.language].add(sentence.text)
        heard[language] |= set(every.languages[language].voice("apology"))  # app.py says it where something breaks
    assert not {language: heard[language] - known[language] for language in known if heard[language] - known[language]}


@pytest.mark.parametrize("silent", ["ur", "sw"])
def test_a_language_without_a_voice_is_named_in_words_that_are_among_the_sayable(
    catalogue: Catalogue, silent: str
) -> None:
    mute = catalogue.spoken()
    for language, wording in mute.languages.items():
        first, *_ = answer(Message("voice", None, (silent, language), "KE", Place("menu")), mute).said
        assert first.text in set(sayable(wording))
        assert first.text in wording.voice("cannot_speak", language=wording.edition.voiceless[silent])


def test_the_languages_are_offered_in_words_that_are_among_the_sayable(catalogue: Catalogue) -> None:
    """Whichever language comes first, and so whichever key it has."""
    every = replace(catalogue, languages=spoken(catalogue.languages))
    codes = list(every.languages)
    for start, page, key in product(range(len(codes)), (1, 2, 3), (None, "9", "8")):
        message = Message("voice", key, (*codes[start:], *codes[:start]), "KE", Place(f"languages-{page}"))
        for sentence in answer(message, every).said:
            assert sentence.text in set(sayable(every.languages[sentence.language]))


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_sentence_is_whole_and_there_once(language: str) -> None:
    sentences = list(sayable(WORDINGS[language]))
    assert len(sentences) == len(set(sentences)) == len({stem(language, text) for text in sentences})
    assert not [text for text in sentences if "{" in text or not text.strip()]


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_engine_is_given_no_figures(language: str) -> None:
    edition = WORDINGS[language].edition
    for text in sayable(WORDINGS[language]):
        assert not [sign for sign in aloud(text, edition) if unicodedata.category(sign) == "Nd" or sign in "*#"]


@pytest.mark.parametrize(
    ("language", "text", "given"),
    [
        ("en", "Press 0, * or #.", "Press zero, star or hash."),
        ("ur", "۰ یا 9 دبائیں، MS", "صفر یا نو دبائیں، ایم ایس"),
        ("zh", "按0。", "按零。"),
        ("hi", "९ दबाएँ", "नौ दबाएँ"),
        ("vi", "Baclofen là gì? Bấm 1.", "bác lô phen là gì? Bấm một."),
        ("sw", "Baclofen", "Baclofen"),
    ],
)
def test_figures_and_foreign_words_are_spelled_for_the_engine(language: str, text: str, given: str) -> None:
    assert aloud(text, WORDINGS[language].edition) == given


# Which file is played

GTTS = Recording("", "gtts", "2.5.4", "sw", "normal", "as received", 3, "2026-11-23T00:00:00+00:00")
ESPEAK = replace(GTTS, engine="espeak", version="0.2.4")


def keep(folder: Path, *recordings: Recording, on_disk: bool = True) -> list[str]:
    """A folder of Swahili recordings; the names of the files."""
    names = [file_name(WORDINGS["sw"].edition, recording) for recording in recordings]
    for name in names if on_disk else ():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"mp3")
    write_manifest(folder, dict(zip(names, recordings, strict=True)))
    return names


def found(folder: Path, text: str, *, remote: bool = False) -> str | None:
    return Recordings(folder, [WORDINGS["sw"].edition], remote=remote).find("sw", text)


HELLO = "Karibu. Bonyeza 1."


def test_a_persons_recording_is_played_before_google_and_google_before_the_offline_engine(tmp_path: Path) -> None:
    espeak, gtts = keep(tmp_path, replace(ESPEAK, text=HELLO), replace(GTTS, text=HELLO))
    human = tmp_path / human_names("sw", HELLO)[0]
    human.parent.mkdir(parents=True)
    human.write_bytes(b"mp3")
    assert found(tmp_path, HELLO) == human.relative_to(tmp_path).as_posix()
    human.rename(human.with_suffix(".wav"))
    assert found(tmp_path, HELLO) == human_names("sw", HELLO)[1]
    human.with_suffix(".wav").unlink()
    assert found(tmp_path, HELLO) == gtts
    (tmp_path / gtts).unlink()
    assert found(tmp_path, HELLO) == espeak
    (tmp_path / espeak).unlink()
    assert found(tmp_path, HELLO) is None


def test_a_sentence_that_changed_has_no_recording(tmp_path: Path) -> None:
    keep(tmp_path, replace(GTTS, text=HELLO))
    (tmp_path / human_names("sw", HELLO)[0]).parent.mkdir(parents=True)
    (tmp_path / human_names("sw", HELLO)[0]).write_bytes(b"mp3")
    assert found(tmp_path, HELLO)
    for changed in (HELLO.replace("1", "2"), HELLO + " ", HELLO.lower()):
        assert found(tmp_path, changed) is None
    recordings = Recordings(tmp_path, [WORDINGS["sw"].edition, WORDINGS["en"].edition])
    assert recordings.find("en", HELLO) is None


@pytest.mark.parametrize("field", ["text", "engine", "version", "voice", "rate", "processing"])
def test_a_file_under_a_name_that_is_not_its_own_is_not_played(field: str, tmp_path: Path) -> None:
    """As when the manifest of another folder, or a hand, has mixed them up."""
    (name,) = keep(tmp_path, replace(GTTS, text=HELLO))
    other = replace(replace(GTTS, text=HELLO), **{field: "Kwaheri" if field == "text" else "espeak"})
    write_manifest(tmp_path, {name: other})
    assert found(tmp_path, other.text) is None


def test_a_word_that_is_spelled_in_another_way_silences_the_engine_but_no_person(tmp_path: Path) -> None:
    (tmp_path / human_names("sw", HELLO)[0]).parent.mkdir(parents=True)
    (tmp_path / human_names("sw", HELLO)[0]).write_bytes(b"mp3")
    keep(tmp_path, replace(GTTS, text="Karibu tena."), replace(GTTS, text=HELLO))
    respelled = Recordings(tmp_path, [replace(WORDINGS["sw"].edition, spelled={"karibu": "ka-ri-bu"})])
    assert respelled.find("sw", "Karibu tena.") is None
    assert respelled.find("sw", HELLO) == human_names("sw", HELLO)[0]


@pytest.mark.parametrize("remote", [True, False])
def test_a_file_that_is_not_whole_is_not_played(remote: bool, tmp_path: Path) -> None:
    (name,) = keep(tmp_path, replace(GTTS, text=HELLO))
    (tmp_path / name).write_bytes(b"mp")
    assert found(tmp_path, HELLO, remote=remote) is None


def test_where_a_remote_store_serves_them_the_manifest_is_enough(tmp_path: Path) -> None:
    (name,) = keep(tmp_path, replace(GTTS, text=HELLO), on_disk=False)
    assert found(tmp_path, HELLO) is None
    assert found(tmp_path, HELLO, remote=True) == name


@pytest.mark.parametrize("broken", ["", "[]", "{", '{"sw/a.mp3": {"text": "a"}}', '{"sw/a.mp3": 1}', "\ufeff\udcff"])
def test_a_broken_manifest_is_named(broken: str, tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text(broken, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(ContentError, match=r"manifest\.json: .*; delete it, and run ivr record again"):
        Recordings(tmp_path, [])


def test_without_a_folder_there_are_no_recordings(tmp_path: Path) -> None:
    assert found(tmp_path / "none", HELLO) is None


# The offline engine


def sample(language: str) -> list[str]:
    """The shortest sentence, the longest, and one between."""
    sentences = sorted(sayable(WORDINGS[language]), key=len)
    return [sentences[0], sentences[len(sentences) // 2], sentences[-1]]


def decibels(value: float) -> float:
    return 20 * math.log10(max(value, 1) / 32768)


@pytest.mark.parametrize("language", [code for code in LANGUAGES if WORDINGS[code].edition.espeak])
def test_the_offline_engine_is_as_long_loud_and_quiet_as_a_telephone_wants(language: str) -> None:
    wording, engine = WORDINGS[language], EspeakNG()
    for text in sample(language):
        mp3 = engine.synthesise(aloud(text, wording.edition), wording.edition.espeak)
        sound = miniaudio.decode(mp3, nchannels=1, sample_rate=16_000)
        info = miniaudio.mp3_get_info(mp3)
        assert (info.nchannels, info.sample_rate) == (1, 16_000)
        assert abs(len(mp3) * 8 / sound.duration - 32_000) < 2_000
        assert 0.5 < (sound.duration - 0.45) / wording.seconds(text) < 1.8, text
        loud = [decibels(abs(sample)) > -40 for sample in sound.samples]
        first, last = loud.index(True), len(loud) - 1 - loud[::-1].index(True)
        assert 0.1 < first / 16_000 < 0.35, text
        assert 0.25 < (len(loud) - last) / 16_000 < 0.6, text
        assert decibels(max(map(abs, sound.samples))) < -2, text  # -3, and what MP3 adds
        frames = [sound.samples[at : at + 320] for at in range(0, len(loud), 320)]
        means = [sum(sample * sample for sample in frame) / len(frame) for frame in frames]
        active = [mean for mean in means if decibels(math.sqrt(mean)) > -45]
        assert -25 < decibels(math.sqrt(sum(active) / len(active))) < -18, text


def test_the_offline_engine_gives_the_same_bytes_again() -> None:
    assert EspeakNG().synthesise("Karibu.", "sw") == EspeakNG().synthesise("Karibu.", "sw")


@pytest.mark.parametrize(("text", "voice", "why"), [("Karibu.", "xx", "has no voice xx"), ("", "sw", "said nothing")])
def test_the_offline_engine_fails_in_words(text: str, voice: str, why: str) -> None:
    with pytest.raises(SpeechError, match=why):
        EspeakNG().synthesise(text, voice)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_an_offline_voice_or_the_reason_why_not(language: str) -> None:
    edition = WORDINGS[language].edition
    assert bool(edition.espeak) != bool(edition.espeak_not)


@pytest.mark.parametrize("language", LANGUAGES)
def test_google_translate_has_each_language_by_the_code_we_give(language: str) -> None:
    assert WORDINGS[language].edition.gtts in tts_langs()


# The commands


@pytest.fixture
def audio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An operator's folder of recordings."""
    monkeypatch.setenv("IVR_CONTENT", str(tmp_path))
    monkeypatch.delenv("AUDIO_BASE_URL", raising=False)
    return tmp_path / "audio"


def ivr(*words: str) -> Result:
    return CliRunner().invoke(cli, ["record", *words])


def test_a_person_reads_from_the_script_and_is_heard(audio: Path) -> None:
    """The whole way: the script, one file dropped under its name, the count, the lookup."""
    rows = list(csv.DictReader(io.StringIO(ivr("script", "sw").stdout)))
    assert [row["text"] for row in rows] == list(sayable(WORDINGS["sw"]))
    file = audio / rows[0]["file"]
    file.parent.mkdir(parents=True)
    with wave.open(str(file.with_suffix(".wav")), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(16_000))
    assert re.search(rf"^sw +{len(rows)} +1 +0 +0 +{len(rows) - 1}$", ivr("status").output, re.M)
    assert found(audio, rows[0]["text"]) == f"{HUMAN}/sw/{file.stem}.wav"
    file.with_suffix(".wav").write_bytes(b"not a sound")
    assert f"UNREADABLE, record it again: {file.with_suffix('.wav')}" in ivr("status").output


def test_the_status_names_what_is_of_no_use(audio: Path) -> None:
    text = next(sayable(WORDINGS["sw"]))
    current, old, cut = keep(
        audio,
        replace(GTTS, text=text),
        replace(GTTS, text="No longer said."),
        replace(ESPEAK, text=text, size=4711),
    )
    (audio / "sw/half.mp3.part").write_bytes(b"")
    told = ivr("status").output
    assert re.search(r"^sw +\d+ +0 +1 +0 +\d+$", told, re.M)
    assert f"can be deleted: {audio / 'sw/half.mp3.part'}" in told
    assert f"can be deleted: {audio / old}" in told
    assert f"UNREADABLE, record it again: {audio / cut}" in told
    assert current not in told


def test_a_new_run_forgets_what_is_said_no_more_and_takes_the_place_of_an_older_engine(tmp_path: Path) -> None:
    wording = Wording(replace(WORDINGS["sw"].edition, topics={}, report=()), {})  # few sentences
    text = next(sayable(wording))
    keep(tmp_path, replace(ESPEAK, text=text), replace(ESPEAK, text="No longer said."))
    Making(tmp_path, EspeakNG()).language(wording)
    made = read_manifest(tmp_path)
    assert [recording.version for recording in made.values() if recording.text == text] == [EspeakNG().version]
    assert "No longer said." not in {recording.text for recording in made.values()}
    assert all(length((tmp_path / name).read_bytes()) > 0 for name in made)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("ar", "--engine", "espeak"), "espeak does not speak ar: it leaves out the short vowels"),
        (("fil", "--engine", "espeak"), "espeak does not speak fil: it has no voice for Filipino"),
        (("xx",), "no call can be in xx; there are: en, es"),
        (("script", "hi-Latn"), "no call can be in hi-Latn"),
        (("check",), "give --url, or set AUDIO_BASE_URL"),
        (("--engine", "mbrola"), "'mbrola' is not one of 'gtts', 'espeak'"),
    ],
)
def test_what_cannot_be_done_is_told(words: tuple[str, ...], told: str, audio: Path) -> None:
    result = ivr(*words)
    assert result.exit_code in (1, 2)
    assert told in result.output
    assert not audio.exists()


# The remote store


class Store(BaseHTTPRequestHandler):
    """A store of files as S3 gives them, with one fault in each file that its server names."""

    def do_HEAD(self) -> None:
        fault = self.server.faults.get(self.path, "")  # type: ignore[attr-defined]
        self.send_response(403 if fault == "closed" else 200)
        self.send_header("Content-Type", "binary/octet-stream" if fault == "type" else "audio/mpeg")
        self.send_header("Content-Length", "4" if fault == "length" else "3")
        self.send_header("Cache-Control", "" if fault == "cache" else "public, max-age=31536000, immutable")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """No noise."""


@pytest.fixture
def store() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Store) as server:
        server.faults = {}  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


FAULTS = {
    "closed": "HTTP 403: copy it there, and let everybody read it",
    "type": "its type is binary/octet-stream: copy it with --content-type audio/mpeg",
    "length": "4 bytes instead of 3: copy it again",
    "cache": "it lacks immutable: copy it with --cache-control",
}


def test_the_check_of_the_remote_store_names_each_fault(audio: Path, store: ThreadingHTTPServer) -> None:
    sentences = list(sayable(WORDINGS["sw"]))[: len(FAULTS) + 1]
    names = keep(audio, *(replace(GTTS, text=text) for text in sentences), on_disk=False)
    url = f"http://127.0.0.1:{store.server_address[1]}"
    assert ivr("check", "--url", f"{url}/line/").output.startswith("asking\n5 files, 0 faults")
    store.faults = {f"/line/{name}": fault for name, fault in zip(names, FAULTS, strict=False)}  # type: ignore[attr-defined]
    result = ivr("check", "--url", f"{url}/line")
    assert result.exit_code == 1
    for name, told in zip(names, FAULTS.values(), strict=False):
        assert f"WRONG {name}: {told}" in result.output
    assert "5 files, 4 faults" in result.output


def test_a_store_that_does_not_answer_is_told(audio: Path, store: ThreadingHTTPServer) -> None:
    keep(audio, replace(GTTS, text=next(sayable(WORDINGS["sw"]))))
    store.server_close()
    assert "no answer (" in ivr("check", "--url", f"http://127.0.0.1:{store.server_address[1]}").output


@pytest.mark.parametrize("url", ["", "https://a.example.org", "http://[::1]:8000/", "https://b.example.org/a/b-c_2/"])
def test_a_base_url_may_lead_to_a_folder(url: str) -> None:
    assert Settings.from_env({**ENVIRONMENT, "AUDIO_BASE_URL": url}).audio_base_url == url.rstrip("/")


@pytest.mark.parametrize(
    "url", ["a.example.org", "ftp://a.example.org", "https://a.org/?x=1", "https://", "https://a b"]
)
def test_a_wrong_base_url_stops_the_start(url: str) -> None:
    with pytest.raises(SettingsError, match="AUDIO_BASE_URL must be the URL of a folder of recordings"):
        Settings.from_env({**ENVIRONMENT, "AUDIO_BASE_URL": url})
