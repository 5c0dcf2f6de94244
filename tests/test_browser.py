"""The phone page in a real browser: Debian's own Chromium, driven by Playwright, on a real server.

Pictures go to the folder that SCREENSHOTS names, else to the test's own.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import threading
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask, Response
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright
from werkzeug.serving import make_server

from ivr import demo
from ivr.app import create_app
from ivr.catalogue import Catalogue
from ivr.phone import Incoming, play
from ivr.settings import Settings

from .conftest import phone

CHROMIUM = shutil.which("chromium")
MOST_BYTES = 150_000
Open = Callable[..., Page]
NARROW, WIDE = {"width": 360, "height": 740}, {"width": 1920, "height": 1080}

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium")


# A call of one recording, until the line has its own; a browser plays it for real.
BEEP = "<Response><Play>/beep.wav</Play><Hangup/></Response>"


def beep() -> Response:
    return Response(BEEP, content_type="text/xml")


def silence(seconds: float = 0.2, rate: int = 8000) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as audio:
        audio.setparams((1, 2, rate, 0, "NONE", ""))
        audio.writeframes(bytes(2 * int(seconds * rate)))
    return file.getvalue()


# The Web Speech API as documented, with a voice for Spanish only. What it is told to say stays in `said`.
SPEECH = """
globalThis.said = [];
globalThis.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
speechSynthesis.getVoices = () => [{lang: "es_MX", name: "Spanish"}];
speechSynthesis.speak = speech => { said.push([speech.lang, speech.text]); speech.onend(); };
"""


@pytest.fixture(scope="module")
def address(catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the demo listens, on a port that was free."""
    server = make_server("127.0.0.1", 0, Flask("waits"), threaded=True)
    where = f"http://127.0.0.1:{server.server_port}"
    database = f"sqlite:///{tmp_path_factory.mktemp('browser')}/line.db"
    server.app = create_app(Settings.for_demo(where, {"DATABASE_URL": database}), catalogue)
    server.app.add_url_rule("/beep", view_func=beep, methods=["POST"])
    server.app.add_url_rule("/beep.wav", view_func=lambda: Response(silence(), content_type="audio/wav"))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield where
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def driver() -> Iterator[Playwright]:
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="module")
def browser(driver: Playwright) -> Iterator[Browser]:
    browser = driver.chromium.launch(executable_path=CHROMIUM)
    yield browser
    browser.close()


@pytest.fixture
def open_page(browser: Browser, address: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Open]:
    """Opens the page with a phone in a country; at the end there is a picture, and nothing on the console."""
    said: list[str] = []
    opened: list[Page] = []
    pictures = Path(os.environ.get("SCREENSHOTS") or tmp_path)

    def open_page(country: str = "KE", size: dict[str, int] = WIDE) -> Page:
        page = browser.new_context(viewport=size, locale="en-GB", reduced_motion="reduce").new_page()
        page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda fault: said.append(str(fault)))
        page.clock.install()
        page.goto(address)
        expect(page.locator("#number")).to_contain_text("+44")  # from the browser's own country
        page.get_by_label("The phone is in").select_option(country)
        expect(page.locator("#number")).not_to_contain_text("+44")
        opened.append(page)
        return page

    yield open_page
    for index, page in enumerate(opened):
        page.screenshot(path=pictures / f"{request.node.name}-{index}.png", animations="disabled")
        page.context.close()
    assert not said


def write(page: Page, words: str) -> None:
    page.get_by_label("Message", exact=True).fill(words)
    page.get_by_role("button", name="Send").click()


def call(page: Page) -> None:
    page.get_by_role("tab", name="Call").click()
    page.get_by_role("button", name="Call", exact=True).click()


def test_a_text_is_answered_with_its_language_encoding_and_price(open_page: Open) -> None:
    page = open_page()
    write(page, "side efects")
    answer = page.locator("#thread .bubble:not(.mine)")
    expect(answer).to_contain_text("Common effects")
    expect(answer).to_contain_text("English · GSM-7 · 3 segments, billed as 3 texts")
    expect(answer.locator("p")).to_have_attribute("lang", "en")
    expect(page.locator("#total")).to_have_text("The line sent 1 text: 3 segments to pay for.")
    page.get_by_text("Requests, TwiML and timing").click()
    page.locator("#exchanges summary").first.click()
    expect(page.locator("#exchanges pre")).to_contain_text("<Message>")


def test_a_call_by_keys_and_by_silence(open_page: Open) -> None:
    page = open_page()
    call(page)
    heard = page.locator("#heard")
    expect(heard).to_contain_text("To report severe reactions now, press 0.")
    page.keyboard.press("1")  # typed, not clicked
    expect(heard).to_contain_text("Side effects: press 3.")
    page.get_by_role("button", name="3", exact=True).click()
    expect(heard).to_contain_text("sleepy")
    page.get_by_role("button", name="Stay silent").click()
    expect(heard).to_contain_text("(silence)")
    page.get_by_role("button", name="0 urgent").last.click()
    expect(heard).to_contain_text("Call nine nine nine in Kenya")
    page.get_by_role("button", name="Hang up").click()
    expect(page.locator("#state")).to_have_text("Not in a call")
    expect(page.get_by_role("button", name="Stay silent")).to_be_disabled()


def test_a_call_in_silence_ends_by_itself(open_page: Open) -> None:
    page = open_page()
    call(page)
    for silence in range(1, 8):
        expect(page.get_by_text("(silence)")).to_have_count(silence - 1)
        expect(page.locator("#state")).to_have_text("In a call")
        page.get_by_role("button", name="Stay silent").click()
        page.wait_for_function("seen => document.querySelectorAll('#heard .mine').length === seen", arg=silence)
        if page.evaluate("inOrder(() => inCall)") is not True:
            break
    expect(page.locator("#heard")).to_contain_text("The call has ended")


def test_the_urgent_message_is_one_tap_away(open_page: Open) -> None:
    page = open_page("US")
    page.get_by_role("button", name="0 urgent").first.click()
    expect(page.locator("#thread")).to_contain_text("Call 911 (United States)")
    write(page, "my son swallowed the tablets")
    expect(page.locator("#thread .bubble:not(.mine)")).to_have_count(2)
    expect(page.locator("#thread .bubble").last).to_contain_text("even if all seems well")


@pytest.mark.parametrize(
    ("language", "tag", "direction", "size"),
    [("العربية", "ar", "rtl", WIDE), ("اردو", "ur", "rtl", NARROW), ("हिन्दी", "hi", "ltr", NARROW)],
    ids=["arabic", "urdu", "hindi"],
)
def test_every_script_runs_its_own_way(
    open_page: Open, language: str, tag: str, direction: str, size: dict[str, int]
) -> None:
    page = open_page("EG", size)
    page.get_by_role("button", name=language, exact=True).click()
    answer = page.locator("#thread .bubble:not(.mine) p")
    expect(answer).to_have_attribute("lang", tag)
    assert answer.evaluate("element => getComputedStyle(element).direction") == direction
    expect(page.locator("#thread .bubble:not(.mine)")).to_contain_text("UCS-2")


def test_a_saved_session_is_a_test_that_passes(open_page: Open, make_app: Callable[..., Flask]) -> None:
    page = open_page("MX")
    for words in ("hola", "", "STOP", "EFECTOS", "0"):
        write(page, words)
    call(page)
    for key in "1#0":
        page.evaluate("inOrder(() => null)")  # keys are heard in a call only
        page.keyboard.press(key)
    page.get_by_role("button", name="Stay silent").click()
    page.evaluate("inOrder(() => null)")
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save as a test").click()
    script = Path(saved.value.path()).read_text(encoding="utf-8")
    assert saved.value.suggested_filename.endswith(".txt")
    turns = re.findall("^> (.*)$", script, re.M)
    assert turns == [
        "hola",
        "(empty)",
        "STOP",
        "EFECTOS",
        "0",
        "(call)",
        "(press 1)",
        "(press #)",
        "(press 0)",
        "(wait)",
    ]
    assert play(script, lambda number, country: phone(make_app(), number, country)) == script


def test_a_text_and_a_call_that_the_line_starts_arrive(open_page: Open, address: str) -> None:
    page = open_page()
    number = page.locator("#number").inner_text()
    write(page, "hello")
    expect(page.locator("#thread .bubble")).to_have_count(2)
    demo.deliver(number, Incoming(body="The text that you asked for."))
    page.clock.run_for(5_000)
    expect(page.locator("#thread")).to_contain_text("The text that you asked for.")
    demo.deliver(number, Incoming(url=f"{address}/voice/sw/KE/menu/0"))
    page.clock.run_for(5_000)
    expect(page.get_by_role("alert")).to_contain_text("The baclofen line is calling")
    page.get_by_role("button", name="Answer").click()
    expect(page.locator("#heard .bubble").first).to_be_visible()
    expect(page.get_by_role("alert")).to_be_hidden()
    assert not demo.deliver("+15005550006", Incoming(body="nobody holds this phone"))


def test_prompts_are_read_out_loud_only_on_request(open_page: Open) -> None:
    page = open_page("MX")
    page.evaluate(f"() => {{ {SPEECH} }}")  # a script of strangers is not let in by the page
    call(page)
    expect(page.locator("#heard")).to_contain_text("Para español, oprima 1.")
    assert page.evaluate("said") == []
    page.get_by_role("switch", name="Sound").click()
    expect(page.get_by_role("status")).to_contain_text("no voice for English, French, Portuguese: read it")
    said = page.evaluate("said")
    assert ["es_MX", "Para español, oprima 1."] in said
    assert all("English" not in words for _, words in said)
    page.get_by_role("switch", name="Sound", checked=True).click()
    page.keyboard.press("1")
    expect(page.locator("#heard")).to_contain_text("Efectos secundarios: oprima 3.")
    assert page.evaluate("said") == said


def test_a_recording_is_played_as_it_is(open_page: Open, address: str) -> None:
    page = open_page()
    page.get_by_role("switch", name="Sound").click()
    demo.deliver(page.locator("#number").inner_text(), Incoming(url=f"{address}/beep"))
    page.clock.run_for(5_000)
    page.get_by_role("button", name="Answer").click()
    expect(page.locator("#heard")).to_contain_text("/beep.wav")
    page.evaluate("new Promise(heard => player.ended ? heard() : player.addEventListener('ended', heard))")


@pytest.mark.parametrize("size", [NARROW, {"width": 820, "height": 1180}, WIDE], ids=["360", "820", "1920"])
def test_the_page_fits_and_has_no_barrier(open_page: Open, size: dict[str, int]) -> None:
    page = open_page(size=size)
    write(page, "SIDE EFFECTS")
    expect(page.locator("#thread .bubble")).to_have_count(2)
    page.get_by_text("Requests, TwiML and timing").click()
    page.locator("#exchanges summary").first.click()
    for tab in ("Call", "Messages"):
        page.get_by_role("tab", name=tab).click()
        if tab == "Call":
            page.get_by_role("button", name="Call", exact=True).click()
            expect(page.locator("#heard .bubble").first).to_be_visible()
        found = Axe().run(page)
        assert [rule["id"] for rule in found.response["violations"]] == [], found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


def test_the_page_is_light(open_page: Open, address: str, browser: Browser) -> None:
    page = browser.new_page()
    sizes: list[int] = []
    page.on("response", lambda answer: sizes.append(len(answer.body())))
    page.goto(address, wait_until="networkidle")
    page.close()
    assert len(sizes) == 3  # the page, its script, the number of its phone
    assert sum(sizes) < MOST_BYTES
