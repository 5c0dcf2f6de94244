"""make demo, the way a newcomer starts it: a process of its own, and real HTTP."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from ivr.phone import Phone, over_http


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


def ask(address: str, path: str, said: dict[str, str]) -> object:
    data = json.dumps(said).encode()
    with urlopen(Request(f"{address}{path}", data, {"Content-Type": "application/json"})) as answer:
        return json.load(answer)


def test_the_demo_answers_signed_texts_and_calls_and_shows_a_phone(address: str) -> None:
    phone = Phone(over_http(), address, "demo-token", number="+254700000001")
    assert phone.text("SIDE EFFECTS")[0].body.startswith("Common effects")
    assert phone.text("0")[0].body.startswith("Call 999 (Kenya)")
    call = phone.call()
    call.press("0")
    assert "Get help now." in str(call.lines[0])
    with urlopen(address) as page:
        assert "A simulated phone" in page.read().decode()
    replies = ask(address, "/demo/text", {"words": "benefits", "number": "+15005550006"})
    assert isinstance(replies, list)
    assert replies[0]["segments"] == 3
    heard = ask(address, "/demo/call", {"number": "+15005550006"})
    assert isinstance(heard, dict)
    assert "press 0" in " ".join(heard["heard"])
    assert ask(address, "/demo/call", {"sid": heard["sid"], "key": "0"})
