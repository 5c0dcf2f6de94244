"""The offline engine, espeak-ng, in a process of its own: `python -m ivr.espeak VOICE RATE`, text in, WAV out.

It keeps its state in the process (only a fresh one gives the same bytes again), and its licence, GPL-3, stays there.
"""

from __future__ import annotations

import ctypes
import io
import os
import sys
import wave
from pathlib import Path

_SYNCHRONOUS, _RATE, _UTF8 = 2, 1, 1  # AUDIO_OUTPUT_SYNCHRONOUS, espeakRATE, espeakCHARS_UTF8 of speak_lib.h
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class Espeak:
    """The engine with one voice at one rate (words a minute). Raises LookupError for a voice it does not have."""

    def __init__(self, voice: str, rate: int) -> None:
        import espeakng_loader

        os.chdir(Path(espeakng_loader.__file__).parent)  # a path to its data of over 144 characters fails
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        self._samples = bytearray()
        self._callback = _CALLBACK(self._collect)  # kept: the library holds only its address
        self.samples_a_second: int = self._library.espeak_Initialize(_SYNCHRONOUS, 0, b".", 0)
        self._library.espeak_SetSynthCallback(self._callback)
        if self._library.espeak_SetVoiceByName(voice.encode()):  # it would go on in another language
            raise LookupError(f"espeak-ng has no voice {voice}")
        self._library.espeak_SetParameter(_RATE, rate, 0)

    def _collect(self, samples: ctypes._Pointer[ctypes.c_short], count: int, _events: int) -> int:
        self._samples += ctypes.string_at(samples, 2 * count) if count else b""
        return 0

    def say(self, text: str) -> bytes:
        """The text as 16-bit mono samples."""
        self._samples.clear()
        given = text.encode() + b"\0"
        self._library.espeak_Synth(given, len(given), 0, 0, 0, _UTF8, None, None)
        self._library.espeak_Synchronize()
        return bytes(self._samples)


def main() -> None:
    voice, rate = sys.argv[1:]
    engine = Espeak(voice, int(rate))
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(engine.samples_a_second)
        sound.writeframes(engine.say(sys.stdin.buffer.read().decode()))
    sys.stdout.buffer.write(file.getvalue())


if __name__ == "__main__":
    main()
