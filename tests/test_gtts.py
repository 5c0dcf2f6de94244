"""The real gTTS client against a stub of the service's documented protocol: what fails, what is told, what is kept.

The stub speaks what gTTS 2.5.4 sends and reads; it is no copy of Google's service, and is refreshed by hand.
"""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import gtts
import lameenc
import pytest
import stamina
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from ivr.commands import cli
from ivr.content import Source, edition, translator
from ivr.engines import LONGEST, GoogleTranslate, SpeechError, pieces
from ivr.record import Making
from ivr.recordings import MANIFEST, Recordings, read_manifest, stem
from ivr.settings import HOME
from ivr.speech import aloud, sayable
from ivr.wording import Wording

SOURCE = Source(HOME / "content", HOME / "locales")


def mp3(seconds: float) -> bytes:
    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_channels(1)
    encoder.set_in_sample_rate(16_000)
    encoder.set_bit_rate(8)
    return bytes(encoder.encode(bytes(round(seconds * 32_000))) + encoder.flush())


def line(sound: bytes | None, end: int | None = None) -> str:
    """A reply as the service gives it: its length, the call's line, two lines more."""
    result = None if sound is None else json.dumps([base64.b64encode(sound).decode()[:end]])
    call = json.dumps(["wrb.fr", "jQ1olc", result, None, None, None, "generic"], separators=(",", ":"))
    return f')]}}\'\n\n{len(call)}\n[{call}\n,["di",42]\n,["af.httprm",42,"1",7]\n]\n'


LONG = mp3(6)  # seconds, enough for any sentence
BODIES = {
    "fine": line(LONG),
    "no audio": line(None),
    "empty": ")]}'\n\n",
    "cut off": line(LONG)[:3000],
    "half a line": line(LONG)[:3000],
    "half of base64": line(LONG, end=1001),
    "no sound": line(b"<html>not a sound</html>" * 40),
    "too short": line(mp3(0.05)),
}


class Service(ThreadingHTTPServer):
    """`plan(text, n)`: how the n-th request for this text is answered (the modes of `Answering`)."""

    daemon_threads = True
    plan: Callable[[str, int], str] = staticmethod(lambda _text, _n: "fine")

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.asked: Counter[str] = Counter()
        self.languages: set[str] = set()
        self.held, self.released = threading.Event(), threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/_/TranslateWebserverUi/data/batchexecute"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that left, as one that is killed does."""


class Answering(BaseHTTPRequestHandler):
    server: Service

    def do_POST(self) -> None:
        assert self.path == "/_/TranslateWebserverUi/data/batchexecute"
        assert self.headers["Content-Type"] == "application/x-www-form-urlencoded;charset=utf-8"
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        ((call,),) = json.loads(parse_qs(form)["f.req"][0])
        text, language, _speed, _ = json.loads(call[1])
        assert call[0] == "jQ1olc"
        assert len(text) <= LONGEST
        self.server.asked[text] += 1
        self.server.languages.add(language)
        self.answer(self.server.plan(text, self.server.asked[text]))

    def do_GET(self) -> None:
        self.reply(429 if self.path == "/sorry/index" else 404)

    def answer(self, mode: str) -> None:
        if mode == "redirect":
            self.reply(302, headers={"Location": "/sorry/index"})
        elif mode == "held":
            self.server.held.set()
            self.server.released.wait(30)
            self.close_connection = True
        elif mode.isdecimal():
            self.reply(int(mode))
        else:
            self.reply(200, BODIES[mode], missing=5000 if mode == "cut off" else 0)

    def reply(self, status: int, body: str = "", *, missing: int = 0, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) + missing))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """No noise."""


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with Service() as service, stamina.set_testing(True, attempts=3):
        monkeypatch.setattr("gtts.tts._translate_url", lambda **_: service.url)
        thread = threading.Thread(target=service.serve_forever, args=(0.01,))
        thread.start()
        yield service
        service.released.set()
        service.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def wording() -> Wording:
    """Swahili for a world without countries: few sentences."""
    return Wording(edition(SOURCE, "sw", translator(SOURCE, "sw", [])), {})


def run(folder: Path, wording: Wording) -> str:
    """One run of the real engine; what it tells of failures."""
    making = Making(folder, GoogleTranslate(timeout=(5, 0.3)))
    try:
        making.language(wording)
    except SpeechError as error:
        return str(error)
    return making.told() if making.faults else ""


def spoken_from(folder: Path, wording: Wording) -> list[str | None]:
    recordings = Recordings(folder, [wording.edition])
    return [recordings.find("sw", text) for text in sayable(wording)]


ODD = "Kwaheri"  # in one sentence: goodbye
FAULTS = {  # what the service does with one sentence, how often it is asked for it, and what the operator reads
    "429": (3, "Google refuses for now (429): wait an hour and run it again"),
    "redirect": (3, "Google refuses for now (429): wait an hour and run it again"),
    "503": (3, "503 (Service Unavailable) from TTS API. Probable cause: Upstream API error"),
    "403": (1, "Google takes the request no more (403): look for a newer gTTS"),
    "no audio": (1, "no audio in Google's answer: run it again, or have a person read it"),
    "empty": (1, "no audio in Google's answer: run it again, or have a person read it"),
    "cut off": (3, "no answer from Google, or half of one: look at the network"),
    "half a line": (1, "no audio in Google's answer: run it again"),
    "half of base64": (1, "Google's answer is broken"),
    "no sound": (1, "the sound cannot be played: run it again"),
    "too short": (1, "seconds cannot hold the sentence, its end is lost: run it again"),
    "held": (3, "no answer from Google, or half of one: look at the network"),
}


@pytest.mark.parametrize("mode", FAULTS)
def test_one_failing_sentence_is_told_and_nothing_of_it_kept_and_a_second_run_finishes(
    mode: str, service: Service, wording: Wording, tmp_path: Path
) -> None:
    tries, told = FAULTS[mode]
    (odd,) = [text for text in sayable(wording) if ODD in text]
    service.plan = lambda text, _: mode if ODD in text else "fine"
    first = run(tmp_path, wording)
    assert f"FAILED sw {odd!r}: " in first
    assert told in first
    assert first.endswith("1 sentences failed; what is made is kept")
    assert service.asked[odd] == tries
    assert service.languages == {"sw"}
    files = spoken_from(tmp_path, wording)
    assert files.count(None) == 1
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")} == {*files, MANIFEST} - {None}

    before = service.asked.copy()
    service.plan = lambda *_: "fine"
    assert run(tmp_path, wording) == ""
    assert None not in spoken_from(tmp_path, wording)
    assert service.asked - before == Counter(pieces(odd))  # nothing else is asked for again


def test_a_passing_fault_is_not_even_seen(service: Service, wording: Wording, tmp_path: Path) -> None:
    service.plan = lambda _, n: "503" if n == 1 else "429" if n == 2 else "fine"
    assert run(tmp_path, wording) == ""
    assert None not in spoken_from(tmp_path, wording)


def test_where_everything_fails_the_run_gives_up_early_and_goes_on_later(
    service: Service, wording: Wording, tmp_path: Path
) -> None:
    service.plan = lambda *_: "redirect"
    assert "10 failures in a row: the rest was not tried" in run(tmp_path, wording)
    assert list(tmp_path.rglob("*.*")) == [tmp_path / MANIFEST]
    assert len(service.asked) < 20
    service.plan = lambda *_: "fine"
    assert run(tmp_path, wording) == ""


def test_a_disk_that_takes_no_more_is_told(service: Service, wording: Wording, tmp_path: Path) -> None:
    (tmp_path / "sw").write_bytes(b"a file where the folder should be")
    assert "File exists" in run(tmp_path, wording)
    assert read_manifest(tmp_path) == {}


def test_the_command_tells_what_failed_and_exits_with_1(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IVR_CONTENT", str(tmp_path))
    service.plan = lambda text, _: "no audio" if ODD in text else "fine"
    result = CliRunner().invoke(cli, ["record", "sw"])
    assert result.exit_code == 1
    assert "no audio in Google's answer" in result.output
    service.plan = lambda *_: "fine"
    assert CliRunner().invoke(cli, ["record", "sw"]).exit_code == 0
    status = CliRunner().invoke(cli, ["record", "status"]).output
    assert re.search(r"^sw +(\d+) +0 +\1 +0 +0$", status, re.M)
    assert "deleted" not in status
    assert "UNREADABLE" not in status


COMMAND = (
    "import sys, gtts.tts; url = sys.argv.pop(1); gtts.tts._translate_url = lambda **_: url\n"
    "from ivr.commands import main; main()"
)


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_killed_leaves_nothing_broken_and_the_next_one_makes_only_the_rest(
    ending: signal.Signals, service: Service, wording: Wording, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", COMMAND, service.url, "record", "sw"]
    environment = os.environ | {"IVR_CONTENT": str(tmp_path)}
    service.plan = lambda *_: "held" if len(service.asked) > 60 else "fine"
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert service.held.wait(30)
        process.send_signal(ending)
        process.communicate(timeout=30)
    assert process.returncode == (-9 if ending == signal.SIGKILL else 1)

    audio = tmp_path / "audio"
    left = {path: path.read_bytes() for path in audio.rglob("*.mp3")}
    assert left
    assert all(len(sound) % len(LONG) == 0 for sound in left.values())  # whole pieces
    recordings = Recordings(audio, [wording.edition])  # and the line starts
    assert (ending == signal.SIGINT) == any(recordings.find("sw", text) for text in sayable(wording))

    before, service.plan = service.asked.copy(), lambda *_: "fine"
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert left.items() <= {path: path.read_bytes() for path in audio.rglob("*.mp3")}.items()
    assert not list(audio.rglob("*.part"))
    assert None not in spoken_from(audio, wording)
    stems = {path.name.partition("-")[0] for path in left}
    kept = {aloud(text, wording.edition) for text in sayable(wording) if stem("sw", text) in stems}
    assert kept
    assert not kept & (service.asked - before).keys()


TEXT = st.text(st.sampled_from("ab  .,!?;।۔؟。，、»”()०7ا中"), max_size=400)


@given(TEXT.map(str.strip).filter(bool))
def test_pieces_are_whole_and_short_enough_that_gtts_cuts_none(text: str) -> None:
    cut = list(pieces(text))
    assert re.sub(r"\s", "", "".join(cut)) == re.sub(r"\s", "", text)
    for piece in cut:
        assert len(piece) <= LONGEST
        if re.search(r"\w", piece):
            assert gtts.gTTS(piece, pre_processor_funcs=[])._tokenize(piece) == [piece]


WORD = "neno " * 14  # 70 characters


@pytest.mark.parametrize(
    ("text", "first"),
    [
        (f"{WORD}mwisho. Sasa, {WORD}", f"{WORD}mwisho."),
        (f"{WORD}mwisho, sasa {WORD}", f"{WORD}mwisho,"),
        (f"{WORD}mwisho 3.5 {WORD}", f"{WORD}mwisho 3.5 neno neno neno neno"),
        ("दवा " * 20 + "है। अभी " + "दवा " * 20, "दवा " * 20 + "है।"),
        ("دوا " * 20 + "ہے۔ ابھی " + "دوا " * 20, "دوا " * 20 + "ہے۔"),
        ("መድሃኒት " * 10 + "ነው። አሁን " + "መድሃኒት " * 10, "መድሃኒት " * 10 + "ነው።"),
        ("药" * 70 + "。" + "药" * 70, "药" * 70 + "。"),
        ("药" * 70 + "，" + "药" * 70, "药" * 70 + "，"),
        ("药" * 150, "药" * 100),
        ("A short one. Or two.", "A short one. Or two."),
    ],
)
def test_a_long_text_is_cut_at_sentences_then_clauses_then_words(text: str, first: str) -> None:
    assert next(pieces(text)) == first
