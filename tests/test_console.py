"""The console: who gets in, what it shows, and what it keeps to itself."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
from argon2 import PasswordHasher
from axe_playwright_python.sync_playwright import Axe
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page, expect, sync_playwright
from sqlalchemy import insert
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from ivr.commands import cli
from ivr.console import create_console
from ivr.database import open_engine, prepare
from ivr.events import Event, Events
from ivr.guards import GUARDS
from ivr.overview import compared, plot, round_up
from ivr.report import FEW, shown_table
from ivr.settings import Settings, SettingsError
from ivr.tables import countries, days

from .conftest import ENVIRONMENT

PASSWORD = "correct horse battery"
HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)  # cheap: many tests sign in
HTTPS = "https://console.example.org"
TODAY = datetime.now(UTC).date()
PAGES = ("/console/", "/console/over-time", "/console/languages", "/console/health")


def settings(folder: Path, **environment: str) -> Settings:
    database = {"DATABASE_URL": f"sqlite:///{folder}/line.db", "IVR_CONSOLE_PASSWORD_HASH": HASH}
    read = Settings.from_env(ENVIRONMENT | database | {"IVR_BASE_URL": "http://127.0.0.1:9"} | environment)
    return replace(read, audio=folder / "audio")


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    return create_console(settings(tmp_path)).test_client()


def token(client: FlaskClient, path: str = "/console/sign-in") -> str:
    found = re.search('name="csrf_token" value="([^"]+)"', client.get(path, base_url=HTTPS).text)
    assert found
    return found[1]


def sign_in(client: FlaskClient, password: str = PASSWORD) -> TestResponse:
    form = {"password": password, "csrf_token": token(client)}
    return client.post("/console/sign-in", base_url=HTTPS, data=form)


def page(client: FlaskClient, path: str) -> str:
    answer = client.get(path, base_url=HTTPS)
    assert answer.status_code == 200, answer.text
    return answer.text


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Where an app listens, on a port that was free."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def fold(folder: Path, events: list[Event]) -> None:
    """Real events, through the journal into the sums."""
    engine = open_engine(f"sqlite:///{folder}/line.db")
    counted = Events(engine, "a secret", folder / "journal")
    for number, event in enumerate(events):
        counted.record(event, str(number))
    counted.fold()
    engine.dispose()


def past(folder: Path, sums: dict[int, dict[str, int]]) -> None:
    """Answers by intent, so many days ago."""
    each = {str(TODAY - timedelta(days=ago)): intents for ago, intents in sums.items()}
    texts = [
        {"day": day, "channel": "sms", "language": "sw", "intent": intent, "answers": answers}
        for day, intents in each.items()
        for intent, answers in intents.items()
    ]
    of_kenya = [{"day": day, "country": "KE", "answers": sum(intents.values())} for day, intents in each.items()]
    engine = open_engine(f"sqlite:///{folder}/line.db")
    prepare(engine)
    with engine.begin() as connection:
        connection.execute(insert(days), texts)
        connection.execute(insert(countries), of_kenya)
    engine.dispose()


# Who gets in


def test_without_a_password_it_does_not_start_and_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="IVR_CONSOLE_PASSWORD_HASH is not set: run ivr console password"):
        create_console(replace(settings(tmp_path), console_password_hash=""))
    with pytest.raises(SettingsError, match="IVR_CONSOLE_PASSWORD_HASH must be what ivr console password prints"):
        settings(tmp_path, IVR_CONSOLE_PASSWORD_HASH="secret")


def test_the_command_prints_a_hash_that_signs_in(tmp_path: Path) -> None:
    printed = CliRunner().invoke(cli, ["console", "password"], input=f"{PASSWORD}\n{PASSWORD}\n").stdout
    made = re.search("IVR_CONSOLE_PASSWORD_HASH='(.+)'", printed)
    assert made
    client = create_console(settings(tmp_path, IVR_CONSOLE_PASSWORD_HASH=made[1])).test_client()
    assert sign_in(client).status_code == 303
    short = CliRunner().invoke(cli, ["console", "password"], input="short\nshort\n")
    assert short.exit_code == 2
    assert "fewer than 12 characters" in short.output


def test_the_right_password_opens_for_twelve_hours_in_a_careful_cookie(client: FlaskClient) -> None:
    answer = sign_in(client)
    assert (answer.status_code, answer.location) == (303, "/console/")
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/console"} <= set(cookie.split("; "))
    kept = client.get_cookie("console", "console.example.org", path="/console")
    assert kept is not None and kept.expires is not None
    assert abs(kept.expires - datetime.now(UTC) - timedelta(hours=12)) < timedelta(minutes=1)
    assert "Sign out" in page(client, "/console/")


def test_a_wrong_password_opens_nothing_and_is_not_told_again(client: FlaskClient) -> None:
    answer = sign_in(client, "a wrong password")
    assert answer.status_code == 403
    assert "a wrong password" not in answer.text
    assert client.get("/console/", base_url=HTTPS).status_code == 303


def test_the_sixth_try_within_a_minute_is_refused_even_with_the_right_password(client: FlaskClient) -> None:
    assert [sign_in(client, "wrong").status_code for _ in range(5)] == [403] * 5
    assert sign_in(client).status_code == 429
    assert client.get("/console/", base_url=HTTPS).status_code == 303


@pytest.mark.parametrize("form", [{}, {"csrf_token": "forged"}], ids=["none", "forged"])
def test_a_form_without_its_token_is_not_taken(client: FlaskClient, form: dict[str, str]) -> None:
    signed = client.post("/console/sign-in", base_url=HTTPS, data={"password": PASSWORD} | form)
    assert signed.status_code == 400
    sign_in(client)
    assert client.post("/console/sign-out", base_url=HTTPS, data=form).status_code == 400
    assert "Sign out" in page(client, "/console/")


def test_signing_out_closes(client: FlaskClient) -> None:
    sign_in(client)
    client.post("/console/sign-out", base_url=HTTPS, data={"csrf_token": token(client, "/console/")})
    assert client.get("/console/", base_url=HTTPS).location == "/console/sign-in"


def test_another_password_or_secret_signs_everybody_out(client: FlaskClient, tmp_path: Path) -> None:
    sign_in(client)
    kept = client.get_cookie("console", "console.example.org", path="/console")
    assert kept is not None
    for change in ({"IVR_CONSOLE_PASSWORD_HASH": PasswordHasher().hash(PASSWORD)}, {"IVR_SECRET_KEY": "Another1" * 4}):
        other = create_console(settings(tmp_path, **change)).test_client()
        other.set_cookie("console", kept.value, domain="console.example.org", path="/console")
        assert other.get("/console/", base_url=HTTPS).status_code == 303


def test_every_route_leads_strangers_to_the_sign_in_page(client: FlaskClient) -> None:
    rules = [re.sub("<[^>]+>", "by-day", rule.rule) for rule in client.application.url_map.iter_rules()]
    assert len(rules) >= 8
    for path in (*rules, "/console/nothing", "/static/x"):
        for answer in (client.get(path, base_url=HTTPS), client.post(path, base_url=HTTPS)):
            if path != "/console/sign-in":
                assert (answer.status_code, answer.location) == (303, "/console/sign-in"), path


def test_every_answer_tells_the_browser_to_be_careful_and_to_keep_nothing(client: FlaskClient) -> None:
    answers = [client.get("/console/sign-in", base_url=HTTPS), client.get("/console/x", base_url=HTTPS)]
    sign_in(client)
    answers += [client.get(path, base_url=HTTPS) for path in ("/console/", "/console/by-day.csv", "/console/x")]
    for answer in answers:
        assert {name: answer.headers[name] for name in GUARDS} == GUARDS
        assert answer.headers["Cache-Control"] == "no-store"


# What it shows


def rows_of(text: str, name: str) -> list[list[str]]:
    """The cells of the table under the heading of this id."""
    section = text.partition(f'id="{name}"')[2].partition("</table>")[0]
    lines = re.findall("<tr>(.*?)</tr>", section, re.S)
    return [re.findall("<t[hd][^>]*>(.*?)</t[hd]>", line, re.S) for line in lines]


def test_real_events_are_shown_and_few_are_hidden(client: FlaskClient, tmp_path: Path) -> None:
    many = Event("sms", "es", "side_effects", "MX", "phrase", 2)
    fold(tmp_path, [many] * 40 + [many._replace(intent="urgent", language="sw", country="KE")] * 3)
    sign_in(client)
    text = page(client, "/console/")
    assert rows_of(text, "by-topic")[1:] == [["side effects", "few"], ["urgent", "few"]]  # 43 - 40 would tell
    assert rows_of(text, "by-channel")[1:] == [["texts", "43"]]
    assert rows_of(text, "by-country")[1:] == [["Mexico", "few"], ["Kenya", "few"]]
    assert rows_of(text, "by-day")[1] == [str(TODAY), "43", "few", "0"]
    over = page(client, "/console/over-time?by=language&days=7")
    assert rows_of(over, "over-time")[:2] == [["day", "Spanish", "Swahili"], [str(TODAY), "few", "few"]]


def test_urgent_contacts_above_the_usual_are_told_plainly(client: FlaskClient, tmp_path: Path) -> None:
    past(tmp_path, {7 * weeks: {"urgent": 6, "uses": 60} for weeks in range(1, 5)})
    fold(tmp_path, [Event("voice", "sw", "urgent", "KE", "key")] * 14)
    sign_in(client)
    assert "Urgent contacts above the usual: 14 today, 6 usually." in page(client, "/console/")


def test_one_page_does_not_tell_what_the_other_hides(client: FlaskClient, tmp_path: Path) -> None:
    past(tmp_path, {4: {"uses": 68, "side_effects": 22, "unknown": 9, "urgent": 4}, 5: {"uses": 50, "urgent": 7}})
    sign_in(client)
    hidden = []
    for path in ("/console/by-day.csv", "/console/over-time.csv?by=topic&days=30"):
        head, *rows = csv.reader(io.StringIO(page(client, path)))
        named = [dict(zip(head, row, strict=True)) for row in rows]
        hidden.append(
            {(row["day"], name) for row in named for name in ("urgent", "not understood") if not row.get(name)}
        )
    assert hidden[0] == hidden[1]
    assert len(hidden[0]) >= 2


@pytest.mark.parametrize(
    ("count", "before", "shown"),
    [
        (14, [6, 6, 6, 6], (14, 6, True)),
        (9, [6, 6, 6, 6], (9, 6, False)),
        (4, [0, 0, 0, 0], (None, 0, False)),
        (5, [0, 0, 1, 0], (5, 0, True)),
        (0, [2, 2, 3, 2], (0, None, False)),
        (50, [], (50, "", False)),
    ],
)
def test_a_count_beside_the_usual(count: int, before: list[int], shown: tuple[object, ...]) -> None:
    counts = {"today": count} | {str(number): each for number, each in enumerate(before)}
    found = compared("urgent", counts, "today", [str(number) for number in range(len(before))])
    assert (found.count, found.usual, found.above) == shown


@given(
    st.dictionaries(
        st.sampled_from("abcde"), st.dictionaries(st.sampled_from("vwxyz"), st.integers(1, 30), min_size=1), min_size=1
    )
)
def test_no_sum_tells_what_is_hidden(rows: dict[str, dict[str, int]]) -> None:
    shown = shown_table(rows)
    cells = [(row, name) for row, columns in rows.items() for name in columns]
    assert all((shown[row][name] or FEW) >= FEW and shown[row][name] in (None, rows[row][name]) for row, name in cells)
    for way in (0, 1):
        for line in {cell[way] for cell in cells}:
            own = [cell for cell in cells if cell[way] == line]
            hidden = [rows[row][name] for row, name in own if shown[row][name] is None]
            assert not hidden or sum(hidden) >= FEW or len(hidden) == len(own)


@given(st.integers(0, 10**9))
def test_a_scale_ends_at_a_round_number(most: int) -> None:
    assert most <= round_up(most) <= max(2, 2.5 * most)
    assert round_up(most) % 2 == 0


def test_bars_stand_on_each_other_and_the_least_are_all_others_together() -> None:
    names = tuple("abcdefghij")
    drawn = plot(("mon", "tue"), {"mon": dict.fromkeys(names, 6) | {"a": None}}, names)
    assert drawn.series == (*"abcdefg", "others")
    assert [bar.height for bar in drawn.bars] == [6] * 6 + [18]
    assert [bar.top + bar.height for bar in drawn.bars] == [drawn.scale, *(bar.top for bar in drawn.bars[:-1])]
    assert drawn.bars[-1].told == "mon: 18 others"
    assert drawn.few == (0,)


@pytest.mark.parametrize("way", ["topic", "language", "country", "channel"])
@pytest.mark.parametrize("most", [7, 30, 90, 365])
def test_what_is_drawn_and_the_csv_are_what_the_table_says(
    client: FlaskClient, tmp_path: Path, way: str, most: int
) -> None:
    past(tmp_path, {ago: {"urgent": ago % 9 + 1, "uses": 50, "side_effects": 20} for ago in range(0, 365, 5)})
    sign_in(client)
    text = page(client, f"/console/over-time?by={way}&days={most}")
    table = rows_of(text, "over-time")
    file = client.get(f"/console/over-time.csv?by={way}&days={most}", base_url=HTTPS)
    assert file.content_type == "text/csv; charset=utf-8"
    assert [[cell or "few" for cell in row] for row in csv.reader(io.StringIO(file.text))] == table
    drawings = [ElementTree.fromstring(drawing) for drawing in re.findall("<svg xmlns.*?</svg>", text, re.S)]
    (bars,) = drawings
    drawn = sum(int(bar.attrib["height"]) for bar in bars if bar.attrib["class"] != "few")
    assert drawn == sum(int(cell) for row in table[1:] for cell in row[1:] if cell != "few") > 0
    assert len(table) - 1 == int(bars.attrib["viewBox"].split()[2])


def test_every_table_of_every_page_is_a_file_with_the_same_rows(
    client: FlaskClient, tmp_path: Path, catalogue: object
) -> None:
    fold(tmp_path, [Event("sms", "es", "uses", "MX", "phrase", 1)] * 9)
    sign_in(client)
    files = {link for each in PAGES for link in re.findall(r'href="(/console/[^"]+\.csv[^"]*)"', page(client, each))}
    assert len(files) == 9
    texts = "".join(page(client, each) for each in PAGES)
    for link in files:
        name = link.removeprefix("/console/").partition(".csv")[0]
        rows = list(csv.reader(io.StringIO(page(client, link.replace("&amp;", "&")))))
        if name == "languages":
            assert next(row for row in rows if row[1] == "sw")[:5] == ["Swahili", "sw", "yes", "0", "180"]
        else:
            assert [[cell or "few" for cell in row] for row in rows] == rows_of(texts, name), name


def test_what_is_not_there_is_not_there(client: FlaskClient) -> None:
    sign_in(client)
    for path in ("/console/x", "/console/x.csv", "/console/over-time?days=8", "/console/over-time?by=caller"):
        assert client.get(path, base_url=HTTPS).status_code == 404


def test_without_a_database_the_pages_say_so(tmp_path: Path) -> None:
    client = create_console(settings(tmp_path, DATABASE_URL="postgresql://127.0.0.1:9/line")).test_client()
    sign_in(client)
    answer = client.get("/console/", base_url=HTTPS)
    assert (answer.status_code, "The database does not answer" in answer.text) == (503, True)
    assert "the console: database: not ready" in page(client, "/console/health")


def test_health_is_what_the_line_says_of_itself(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    with served(make_app()) as address:
        client = create_console(settings(tmp_path, IVR_BASE_URL=address)).test_client()
        sign_in(client)
        text = page(client, "/console/health")
        assert "All is as it should be." in text
        assert ["the line: journal", "ready"] in rows_of(text, "parts")
    assert "Not as it should be: the line answers." in page(client, "/console/health")


# In a browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program)
        yield browser
        browser.close()


@pytest.mark.parametrize("width", [360, 1920])
def test_a_person_signs_in_and_every_page_fits_and_has_no_barrier(
    browser: Browser, catalogue: object, make_app: Callable[..., Flask], tmp_path: Path, width: int
) -> None:
    calm = {"side_effects": 22, "unknown": 9}
    past(tmp_path, {ago: {"urgent": 4 + ago % 4, "uses": 40 + 7 * (ago % 5), **calm} for ago in range(1, 365)})
    languages = {"en": 50, "es": 31, "ar": 17, "hi": 12, "fr": 9, "pt": 8, "zh": 7, "vi": 6, "ru": 6, "bn": 2}
    told = [Event("sms", code, "dosage", "KE", "phrase", 1) for code, many in languages.items() for _ in range(many)]
    fold(tmp_path, [*told, *[Event("voice", "sw", "urgent", "TZ", "key")] * 19])
    said: list[str] = []
    pictures = Path(os.environ.get("SCREENSHOTS") or tmp_path)
    with served(make_app()) as line, served(create_console(settings(tmp_path, IVR_BASE_URL=line))) as address:
        opened = browser.new_context(viewport={"width": width, "height": 900}).new_page()
        opened.on("console", lambda message: said.append(message.text))
        opened.on("pageerror", lambda fault: said.append(str(fault)))
        opened.goto(f"{address}/")
        opened.get_by_label("Password").fill(PASSWORD)
        look(opened, pictures / f"console-{width}-sign-in.png")
        opened.get_by_role("button", name="Sign in").click()
        for name in ("Today", "Over time", "Languages", "Delivery and health"):
            opened.get_by_role("link", name=name, exact=True).click()
            expect(opened.get_by_role("link", name=name, exact=True)).to_have_attribute("aria-current", "page")
            look(opened, pictures / f"console-{width}-{name.split()[0].lower()}.png")
        opened.goto(f"{address}/console/over-time?by=language&days=365")
        assert opened.locator(".plot rect").count() > 12
        look(opened, pictures / f"console-{width}-year.png")
        opened.get_by_role("button", name="Sign out").click()
        expect(opened.get_by_label("Password")).to_be_visible()
        opened.context.close()
    assert not said


def look(opened: Page, picture: Path) -> None:
    """Keep a picture; nothing is wider than the page, and axe finds no barrier."""
    opened.screenshot(path=picture, full_page=True)
    found = Axe().run(opened)
    assert [rule["id"] for rule in found.response["violations"]] == [], found.generate_report()
    assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")
