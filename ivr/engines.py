"""Engines of speech: a sentence in, MP3 out; Google Translate over the network, espeak-ng without one."""

from __future__ import annotations

import io
import math
import re
import subprocess
import sys
import wave
from array import array
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol

import gtts
import miniaudio
import stamina
from stamina.instrumentation import set_on_retry_hooks

from ivr.content import Edition

set_on_retry_hooks([])  # what failed is told at the end of the run, in words for the operator


class SpeechError(Exception):
    """A sentence could not be made into speech; the message says why and how to mend it."""


class Engine(Protocol):
    """`rate` and `processing` are in the names of files: whoever changes how it sounds changes one of them."""

    name: str
    rate: str
    processing: str
    workers: int  # sentences at a time

    @property
    def version(self) -> str:
        """Raises SpeechError where the engine is not installed."""

    def voice(self, edition: Edition) -> str:
        """The engine's name of the voice for this language; empty where it has none."""

    def synthesise(self, text: str, voice: str) -> bytes:
        """The text as MP3. Raises SpeechError."""


def length(sound: bytes) -> float:
    """Seconds of an MP3 or WAV. Raises SpeechError where a decoder finds no sound."""
    try:
        return float(miniaudio.decode(sound, nchannels=1, sample_rate=8000).duration)
    except miniaudio.DecodeError as error:
        raise SpeechError("the sound cannot be played: run it again") from error


# Google Translate

LONGEST = 100  # characters that Google takes at once; gTTS cuts what is longer, in some scripts inside a word
_CUTS = tuple(
    re.compile(marks)
    for marks in (
        r"[.!?…]+[\"')\]»”’]*(?=\s)|[।॥۔؟。！？።]+[\"')\]»”’」』]*",  # sentences
        r"[,;:](?=\s)|[،؛、，；：፣፤]|\s[–—-](?=\s)",  # clauses
        r"(?=\s)",
    )
)


def pieces(text: str) -> Iterator[str]:
    """Cut a text into pieces of at most 100 characters, at the ends of sentences, else of clauses, else of words."""
    rest = text.strip()
    while len(rest) > LONGEST:
        found = ([cut.end() for cut in marks.finditer(rest) if 0 < cut.end() <= LONGEST] for marks in _CUTS)
        cut = next((places[-1] for places in found if places), LONGEST)
        yield rest[:cut].strip()
        rest = rest[cut:].strip()
    yield rest


_REFUSED = "Google refuses for now (429): wait an hour and run it again, what is there is kept"
_REMEDIES = {429: _REFUSED, 403: "Google takes the request no more (403): look for a newer gTTS"}


class GoogleTranslate:
    """The voices of Google Translate through gTTS: an unofficial service, without a promise. The MP3 stays as it came.

    `timeout`: seconds to connect, and to wait for bytes.
    """

    name, rate, processing, workers = "gtts", "normal", "as received", 4

    def __init__(self, timeout: tuple[float, float] = (5, 20)) -> None:
        self.timeout = timeout
        self.version = version("gTTS")

    def voice(self, edition: Edition) -> str:
        return edition.gtts

    def synthesise(self, text: str, voice: str) -> bytes:
        return b"".join(self._piece(piece, voice) for piece in pieces(text) if re.search(r"\w", piece))

    def _piece(self, text: str, voice: str) -> bytes:
        try:
            for attempt in stamina.retry_context(on=_passing, attempts=5, timeout=180, wait_initial=2, wait_max=60):
                with attempt:
                    return self._asked(text, voice)
        except gtts.gTTSError as error:
            raise SpeechError(_reason(error)) from error
        raise AssertionError("unreachable")

    def _asked(self, text: str, voice: str) -> bytes:
        sound = io.BytesIO()
        try:  # without its own changes to the text, which could make it longer than it takes at once
            gtts.gTTS(text, lang=voice, pre_processor_funcs=[], timeout=self.timeout).write_to_fp(sound)
        except ValueError as error:  # base64 or UTF-8 that ends too early; a language it does not know
            raise SpeechError(f"Google's answer is broken ({error}): run it again") from error
        if not sound.getvalue():
            raise SpeechError("no audio in Google's answer: run it again, or have a person read it")
        return sound.getvalue()


def _passing(error: Exception) -> bool:
    """Whether it may be better in a moment: too many requests, a fault of theirs, no connection."""
    if not isinstance(error, gtts.gTTSError):
        return False
    return error.rsp is None or error.rsp.status_code == 429 or error.rsp.status_code >= 500


def _reason(error: gtts.gTTSError) -> str:
    if error.rsp is None:
        return "no answer from Google, or half of one: look at the network, then run it again"
    if error.rsp.status_code == 200:
        return "no audio in Google's answer: run it again, or have a person read it"
    return _REMEDIES.get(error.rsp.status_code, f"{error}: run it again later")


# espeak-ng


class EspeakNG:
    """The offline engine, each sentence in a fresh process; made as loud as a telephone wants it, and small."""

    name, rate, workers = "espeak", "150", 2
    processing = "-20 dBFS, 150 + 300 ms, 16 kHz, 32 kbit/s"

    @property
    def version(self) -> str:
        try:
            return f"{version('espeakng-loader')}, lame {version('lameenc')}"
        except PackageNotFoundError as error:
            raise SpeechError(
                "the offline engine is not installed: .venv/bin/pip install espeakng-loader lameenc"
            ) from error

    def voice(self, edition: Edition) -> str:
        return edition.espeak

    def synthesise(self, text: str, voice: str) -> bytes:
        child = [sys.executable, "-m", "ivr.espeak", voice, self.rate]
        done = subprocess.run(child, input=text.encode(), capture_output=True, check=False)  # noqa: S603 our own words
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
            raise SpeechError(f"espeak-ng ended with {done.returncode}: {said}")
        with wave.open(io.BytesIO(done.stdout)) as sound:
            samples, rate = array("h", sound.readframes(sound.getnframes())), sound.getframerate()
        if not any(samples):
            raise SpeechError("espeak-ng said nothing: give the language another voice in languages.toml")
        return _mp3(_trimmed(_levelled(samples, rate), rate), rate)


ACTIVE, LOUDNESS, PEAK = -45, -20, -3  # dBFS: what counts as sound; RMS of the sound; no sample above
LEAD, TAIL = 0.15, 0.3  # seconds of silence before and after
_FULL = 32768


def _amplitude(decibels: float) -> float:
    return _FULL * math.pow(10, decibels / 20)


def _levelled(samples: array[int], rate: int) -> array[int]:
    """Brought to the loudness of telephone speech (RFC 7874: about -22 dBFS, 6 dB either way), peaks in bounds."""
    frame = rate // 50
    squares = [sum(sample * sample for sample in samples[at : at + frame]) for at in range(0, len(samples), frame)]
    active = [square for square in squares if square > _amplitude(ACTIVE) ** 2 * frame] or squares
    loud = math.sqrt(sum(active) / (len(active) * frame))
    gain = min(_amplitude(LOUDNESS) / loud, _amplitude(PEAK) / max(map(abs, samples)))
    return array("h", (round(sample * gain) for sample in samples))


def _trimmed(samples: array[int], rate: int) -> array[int]:
    """Without the silence at both ends, and with as much as a listener needs."""
    sound = [at for at, sample in enumerate(samples) if abs(sample) > _amplitude(ACTIVE)]
    lead, tail = array("h", bytes(2 * round(LEAD * rate))), array("h", bytes(2 * round(TAIL * rate)))
    return lead + samples[sound[0] : sound[-1] + 1] + tail


def _mp3(samples: array[int], rate: int) -> bytes:
    import lameenc

    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_channels(1)
    encoder.set_in_sample_rate(rate)
    encoder.set_out_sample_rate(16_000)
    encoder.set_bit_rate(32)
    return bytes(encoder.encode(samples.tobytes()) + encoder.flush())


ENGINES: dict[str, Callable[[], Engine]] = {"gtts": GoogleTranslate, "espeak": EspeakNG}
