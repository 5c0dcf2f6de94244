"""make demo, the way a newcomer starts it: a process of its own, and real HTTP."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import phonenumbers
import pytest
from flask.testing import FlaskClient

from ivr.app import create_app
from ivr.catalogue import Catalogue
from ivr.countries import load_countries
from ivr.demo import MOST_PHONES
from ivr.phone import Phone, over_http
from ivr.settings import HOME, Settings

from .test_recorded_calls import record


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The address of a running demo. It is up once it says on which port it listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"PORT": str(port), "DATABASE_URL": f"sqlite:///{tmp_path}/line.db"}
    with subprocess.Popen(
        [sys.executable, "-m", "ivr", "demo"],
        env=environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stderr
        assert any("Running on" in line for line in process.stderr)
        yield f"http://127.0.0.1:{port}"
        process.terminate()


def ask(address: str, path: str, said: dict[str, str]) -> dict[str, Any]:
    data = json.dumps(said).encode()
    with urlopen(Request(f"{address}{path}", data, {"Content-Type": "application/json"})) as answer:
        came: dict[str, Any] = json.load(answer)
        return came


def test_the_demo_answers_signed_texts_and_calls_and_shows_a_phone(address: str) -> None:
    phone = Phone(over_http(), address, "demo-token", number="+254700000001")
    assert phone.text("SIDE EFFECTS")[0].body.startswith("Common effects")
    assert phone.text("0")[0].body.startswith("Call 999 (Kenya)")
    call = phone.call()
    call.press("0")
    assert "Get help now." in str(call.lines[0])
    with urlopen(address) as page:
        assert "simulated phone" in page.read().decode()
    number = ask(address, "/demo/phone", {"country": "US"})["number"]
    came = ask(address, "/demo/turn", {"number": number, "turn": "benefits"})
    assert [(text["language"], text["segments"]) for text in came["texts"]] == [("en", 3)]
    assert came["wire"][0]["url"] == f"{address}/sms"
    came = ask(address, "/demo/turn", {"number": number, "turn": "(call)"})
    assert "press 0" in str(came["heard"])
    assert came["in_call"]
    assert "Call nine one one" in str(ask(address, "/demo/turn", {"number": number, "turn": "(press 0)"})["heard"])


@pytest.fixture
def client(tmp_path: Path, catalogue: Catalogue) -> FlaskClient:
    environment = {"DATABASE_URL": f"sqlite:///{tmp_path}/line.db"}
    return create_app(Settings.for_demo("http://127.0.0.1:5000", environment), catalogue).test_client()


def test_every_country_of_the_line_has_phones_of_its_own_until_they_are_forgotten(client: FlaskClient) -> None:
    numbers = {}
    for country in load_countries(HOME / "content/countries.csv"):
        numbers[country] = client.post("/demo/phone", json={"country": country}).get_json()["number"]
        assert phonenumbers.region_code_for_number(phonenumbers.parse(numbers[country])) == country
    assert len(set(numbers.values())) > MOST_PHONES
    first, *_, last = ({"number": number, "turn": "hello"} for number in numbers.values())
    assert client.post("/demo/turn", json=first).status_code == 404
    assert client.post("/demo/turn", json=last).status_code == 200
    assert client.post("/demo/phone", json={"country": "XX"}).status_code == 404


def test_a_saved_session_names_the_settings_but_no_number_that_may_be_somebodys(client: FlaskClient) -> None:
    number = client.post("/demo/phone", json={"country": "KE"}).get_json()["number"]
    for turn, status in [("(press 1)", 400), ("(call)", 200), ("(press 12)", 400), ("two\nlines", 200)]:
        assert client.post("/demo/turn", json={"number": number, "turn": turn}).status_code == status
    script = client.get("/demo/script", query_string={"number": number}).get_data(as_text=True)
    example = phonenumbers.example_number_for_type("KE", phonenumbers.PhoneNumberType.MOBILE)
    published = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    assert f"# set IVR_OPTOUT=carrier\nfrom {published}\ncountry KE\n> (call)\n< [" in script
    assert "> (press 12)\n> two lines\n<" in script  # a turn at which the line or the phone stopped is kept too
    assert "(press 1)" not in script  # no turn at all
    assert number not in script


def test_a_recording_is_shown_with_its_words_and_its_language(tmp_path: Path, catalogue: Catalogue) -> None:
    record(tmp_path / "audio", catalogue, {"sw"})
    settings = Settings.for_demo("http://127.0.0.1:5000", {"DATABASE_URL": f"sqlite:///{tmp_path}/line.db"})
    client = create_app(replace(settings, audio=tmp_path / "audio"), catalogue).test_client()
    number = client.post("/demo/phone", json={"country": "KE"}).json["number"]  # type: ignore[index]
    heard = client.post("/demo/turn", json={"number": number, "turn": "(call)"}).json["heard"]  # type: ignore[index]
    assert heard[0]["language"] == "sw"
    assert heard[0]["words"] == catalogue.languages["sw"].voice("language_offer", key="1")[0]
    assert "/audio/sw/" in heard[0]["audio"]
