"""The ivr command, as an operator at a terminal meets it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ivr.commands import cli
from ivr.model import TOPICS

from .conftest import ENVIRONMENT


@pytest.fixture(autouse=True)
def laptop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings but a database of the test's own."""
    for name in (*ENVIRONMENT, "IVR_OPTOUT", "IVR_LANGUAGES", "IVR_DEFAULT_COUNTRY", "PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/line.db")


def ivr(*words: str, given: str | bytes | None = None) -> Result:
    return CliRunner().invoke(cli, words, input=given)


def test_a_text_prints_each_reply_with_language_encoding_and_segments() -> None:
    result = ivr("text", "SIDE EFFECTS", "--country", "KE")
    assert result.exit_code == 0
    assert re.match(r"\[en, GSM-7, [1-3] segments\]\n", result.output)
    assert "baclofen" in result.output


@pytest.mark.parametrize(
    ("options", "number"),
    [(["--country", "KE"], "999"), (["--country", "mx"], "911"), (["--from", "+442071838750"], "999"), ([], "nearest")],
)
def test_a_text_comes_from_the_country_or_number_given(options: list[str], number: str) -> None:
    assert number in ivr("text", "0", *options).output


def test_the_line_on_a_laptop_remembers_between_two_commands() -> None:
    ivr("text", "ESPAÑOL")
    assert ivr("text", "0").output.startswith("[es, ")


def test_a_call_with_keys_is_a_transcript() -> None:
    result = ivr("call", "--press", "1,3,0,-", "--country", "US")
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert [line for line in lines if line.startswith(">")] == ["> press 1", "> press 3", "> press 0", "> wait"]
    after = lines[lines.index("> press 0") + 1 : lines.index("> wait")]
    assert "nine one one" in " ".join(after)
    assert all(line[:3] in ("< [", "> p", "> w") for line in lines)


def test_a_call_ends_where_the_line_hangs_up_and_presses_no_more() -> None:
    result = ivr("call", "--press", ",".join("-" * 30))
    assert result.exit_code == 0
    assert 1 < result.output.count("> wait") < 30


def test_a_call_at_the_terminal_asks_for_keys() -> None:
    result = ivr("call", given="1\n0\n" + "\n" * 30)
    assert result.exit_code == 0
    assert "> press 1\n" in result.output
    assert "> wait" in result.output


def pred(*lines: str) -> list[object]:
    result = ivr("understand", given="".join(line + "\n" for line in lines))
    assert result.exit_code == 0, result.output
    return [json.loads(line)["pred"] for line in result.stdout.splitlines()]


def test_understand_adds_what_each_line_means_and_keeps_the_rest() -> None:
    lines = [
        {"text": "side effects", "lang": None, "id": 7},
        {"text": "efectos secundarios", "lang": "es"},
        {"text": "नमस्ते"},
    ]
    result = ivr("understand", given="\n".join(json.dumps(line) for line in lines))
    out = [json.loads(line) for line in result.stdout.splitlines()]
    assert [{key: row[key] for key in row if key != "pred"} for row in out] == lines
    assert [row["pred"] for row in out[:2]] == ["side_effects", "side_effects"]
    assert "नमस्ते" in result.stdout


def test_understand_writes_only_labels_of_the_contract() -> None:
    labels = [*TOPICS, "urgent", "menu", "language", "more", "stop", "unknown"]
    texts = [
        "1",
        "2",
        "3",
        "4",
        "5",
        "6",
        "7",
        "8",
        "9",
        "0",
        "STOP",
        "HELP",
        "COUNTRY KENYA",
        "REPORT",
        "",
        "xyzzy",
        "ESPAÑOL",
    ]
    found = pred(*(json.dumps({"text": text, "lang": "en"}) for text in texts))
    assert set(found) <= set(labels)
    assert found[:7] == [*labels[:6], "more"]
    assert found[9:11] == ["urgent", "stop"]


def test_understand_skips_blank_lines() -> None:
    assert pred("", '{"text": "0"}', "   ", '{"text": "1"}') == ["urgent", "uses"]


def test_half_a_character_in_a_line_breaks_nothing() -> None:
    assert pred(r'{"text": "\ud800 side effects"}') == ["side_effects"]


@pytest.mark.parametrize(
    "bad",
    [
        "nonsense",
        "5",
        "[1]",
        '"0"',
        "{}",
        '{"text": null}',
        '{"text": 5}',
        '{"text": "hi", "lang": ["en"]}',
        "{",
    ],
)
def test_a_bad_line_is_named_and_what_was_before_it_is_written(bad: str) -> None:
    result = ivr("understand", given='{"text": "0"}\n\n' + bad + "\n")
    assert result.exit_code == 1
    before, error = result.output.splitlines()
    assert json.loads(before)["pred"] == "urgent"
    assert error.startswith("Error: line 3: ")


def test_check_finds_nothing_wrong_and_tells_it_as_json() -> None:
    result = ivr("check", "--json")
    told = json.loads(result.stdout)
    assert told["findings"] == []
    assert told["tables"]
    assert result.exit_code == 0


def test_translate_status_names_every_language_once() -> None:
    result = ivr("translate", "status")
    assert result.exit_code == 0
    named = [line.split()[0] for line in result.output.splitlines()]
    assert {"es", "fr", "hi-Latn"} <= set(named)
    assert "en" not in named
    assert len(named) == len(set(named))


@pytest.mark.parametrize(
    ("words", "environment", "told"),
    [
        (["text", "0"], {"IVR_OPTOUT": "both"}, "IVR_OPTOUT must be"),
        (["text", "0"], {"IVR_LANGUAGES": "xx"}, "IVR_LANGUAGES: xx"),
        (["text", "0"], {"DATABASE_URL": "nonsense"}, "DATABASE_URL"),
        (["call", "--press", "x"], {}, "a phone has 0 to 9"),
    ],
)
def test_a_fault_that_can_be_mended_is_told_without_a_trace(
    words: list[str], environment: dict[str, str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    command = [sys.executable, "-m", "ivr", *words]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert told in result.stderr
    assert "Traceback" not in result.stderr
