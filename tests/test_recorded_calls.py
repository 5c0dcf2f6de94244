"""Calls with recordings present, absent and stale: each document is walked by the simulated phone in all languages."""

from __future__ import annotations

import io
import re
import wave
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from ivr.app import create_app
from ivr.catalogue import Catalogue
from ivr.phone import Incoming, Played, Spoken
from ivr.recordings import Recording, file_name, human_names, write_manifest, write_whole
from ivr.settings import Settings
from ivr.speech import sayable, spoken

from .conftest import BASE_URL, ENVIRONMENT, phone

WALK = "1777 2777 3777 4777 5777 6777 0*77 # 0".replace(" ", "")  # every part of every topic; urgent, and the report


def a_sound() -> bytes:
    """A tenth of a second of silence, as a WAV that any player takes."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(1600))
    return file.getvalue()


def record(folder: Path, catalogue: Catalogue, languages: set[str], *, stale: bool = False) -> None:
    """A file for every sentence of these languages; where stale, of words that have since been changed."""
    sound, files = a_sound(), {}
    for language, wording in spoken(catalogue.languages).items():
        for text in sayable(wording) if language in languages else ():
            said = f"{text} (as it was)" if stale else text
            made = Recording(said, "espeak", "1", language, "150", "none", len(sound), "2026-11-23")
            name = file_name(wording.edition, made)
            write_whole(folder / name, sound)
            files[name] = made
    write_manifest(folder, files)


@pytest.fixture
def recorded(tmp_path: Path, catalogue: Catalogue) -> Callable[..., Flask]:
    def made(languages: set[str], *, stale: bool = False, **environment: str) -> Flask:
        record(tmp_path / "audio", catalogue, languages, stale=stale)
        environment = ENVIRONMENT | {"DATABASE_URL": f"sqlite:///{tmp_path}/line.db"} | environment
        return create_app(replace(Settings.from_env(environment), audio=tmp_path / "audio"), catalogue)

    return made


def walk(app: Flask, language: str, country: str = "KE") -> list[Spoken | Played]:
    """All that is heard in one language, from the first document of a call in it to the last."""
    person = phone(app, country=country)
    person.inbox.append(Incoming(url=f"{BASE_URL}/voice/{language}/{country}/welcome/0"))
    person.receive()
    call = person.answer()
    heard = list(call.heard)
    for key in WALK:
        heard += call.press(key)
    return [*heard, *call.wait()]


SPOKEN = ("en", "es", "fr", "pt", "ar", "hi", "bn", "zh", "ru", "vi", "fil")


@pytest.mark.parametrize("language", SPOKEN)
def test_without_recordings_a_voice_says_it_all(app: Flask, language: str) -> None:
    heard = walk(app, language)
    assert len(heard) > 100
    assert {type(each) for each in heard} == {Spoken}


@pytest.mark.parametrize("language", [*SPOKEN, "sw", "ur"])
def test_with_recordings_all_is_played_and_nothing_said_by_a_voice(
    recorded: Callable[..., Flask], language: str
) -> None:
    heard = walk(recorded({language}), language)
    assert len(heard) > 100
    assert {type(each) for each in heard} == {Played}


@pytest.mark.parametrize("language", ["en", "ar", "hi"])
def test_a_recording_of_words_that_changed_is_never_played(recorded: Callable[..., Flask], language: str) -> None:
    assert {type(each) for each in walk(recorded({language}, stale=True), language)} == {Spoken}


@pytest.mark.parametrize("language", ["sw", "ur"])
def test_a_language_without_a_voice_is_spoken_only_once_all_of_it_is_recorded(
    recorded: Callable[..., Flask], language: str
) -> None:
    number = "+254700000021" if language == "sw" else "+923000000021"
    stale = phone(recorded({language}, stale=True), number).call()
    assert not any(isinstance(each, Played) for each in stale.heard)
    current = phone(recorded({language}), number).call()
    assert isinstance(current.heard[0], Played)


def test_who_texts_in_a_language_without_a_voice_is_told_so_in_a_call_with_the_urgent_key(app: Flask) -> None:
    person = phone(app, "+254700000021")
    person.text("KISWAHILI")
    call = person.call()
    assert call.lines[0] == "[en] We cannot speak Swahili yet."
    assert "[en] To report severe reactions now, press 0." in call.lines


def test_one_missing_sentence_is_said_by_the_voice_between_recordings(
    recorded: Callable[..., Flask], catalogue: Catalogue, tmp_path: Path
) -> None:
    app = recorded({"en"})
    gone = next(iter(sayable(catalogue.languages["en"])))
    for path in (tmp_path / "audio/en").glob("*"):
        name = human_names("en", gone)[0].rpartition("/")[2].partition(".")[0]
        if path.name.startswith(name):
            path.unlink()
    app = create_app(
        replace(
            Settings.from_env(ENVIRONMENT | {"DATABASE_URL": f"sqlite:///{tmp_path}/b.db"}), audio=tmp_path / "audio"
        ),
        catalogue,
    )
    said = [each for each in walk(app, "en") if isinstance(each, Spoken)]
    assert {each.text for each in said} == {gone}


def test_recordings_are_served_for_ever_and_a_persons_for_an_hour(
    recorded: Callable[..., Flask], tmp_path: Path, catalogue: Catalogue
) -> None:
    name = human_names("sw", next(iter(sayable(catalogue.languages["sw"]))))[1]
    write_whole(tmp_path / "audio" / name, a_sound())
    app = recorded({"sw"})
    client = app.test_client()
    made = next(path.name for path in (tmp_path / "audio/sw").glob("*"))
    kept = client.get(f"/audio/sw/{made}", buffered=True)
    assert (kept.status_code, kept.content_type) == (200, "audio/mpeg")
    assert "immutable" in kept.headers["Cache-Control"]
    assert "max-age=31536000" in kept.headers["Cache-Control"]
    assert (
        client.get(f"/audio/sw/{made}", buffered=True, headers={"If-None-Match": kept.headers["ETag"]}).status_code
        == 304
    )
    human = client.get(f"/audio/{name}", buffered=True)
    assert (human.status_code, human.content_type) == (200, "audio/wav")
    assert "immutable" not in human.headers["Cache-Control"]
    assert client.head(f"/audio/sw/{made}", buffered=True).status_code == 200


@pytest.mark.parametrize(
    "name",
    ["manifest.json", "../line.db", "sw/../manifest.json", "sw/x.mp3", "human/sw/0123456789ab.mp3", "%2e%2e/a", ""],
)
def test_nothing_else_is_served(recorded: Callable[..., Flask], name: str) -> None:
    assert recorded({"sw"}).test_client().get(f"/audio/{name}", buffered=True).status_code == 404


def test_from_a_store_of_files_the_url_is_the_stores(recorded: Callable[..., Flask]) -> None:
    app = recorded({"sw"}, AUDIO_BASE_URL="https://files.example.org/line")
    person = phone(app, "+254700000021")
    person.fetch_audio = lambda url, _where: Played(url, "audio/mpeg", 1)  # type: ignore[method-assign]
    played = [each.url for each in person.call().heard if isinstance(each, Played)]
    assert played
    assert all(
        re.fullmatch(r"https://files\.example\.org/line/sw/[0-9a-f]{12}-[0-9a-f]{8}\.mp3", url) for url in played
    )


def test_a_voice_is_told_how_to_say_the_medicine_where_it_would_read_another_languages_word(app: Flask) -> None:
    person = phone(app, "+84900000021")
    person.inbox.append(Incoming(url=f"{BASE_URL}/voice/vi/VN/stopping-1/0"))
    person.receive()
    call = person.answer()
    assert '<sub alias="bác lô phen">baclofen</sub>' in call.documents[0].twiml
    assert any("baclofen" in each.text for each in call.heard if isinstance(each, Spoken))
    assert 'rate="90%"' in call.documents[0].twiml
