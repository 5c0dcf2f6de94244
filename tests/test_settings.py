"""Settings: what stops the start, in which words, and all of it at once."""

from __future__ import annotations

from datetime import datetime

import pytest

from ivr.app import create_app
from ivr.settings import Settings, SettingsError

from .conftest import ENVIRONMENT


def fault(**environment: str) -> str:
    with pytest.raises(SettingsError) as stopped:
        Settings.from_env(ENVIRONMENT | environment)
    return str(stopped.value)


REASONS = {
    "TWILIO_ACCOUNT_SID": "AC and 32 digits",
    "TWILIO_AUTH_TOKEN": "auth token",
    "IVR_BASE_URL": "https://",
    "IVR_SECRET_KEY": "openssl rand -hex 32",
    "IVR_REVIEWED_ONLY": "1 to offer only languages that a named person has approved, or 0 to offer drafts",
}


@pytest.mark.parametrize("empty", [None, "", "  ", "\n"])
@pytest.mark.parametrize("name", REASONS)
def test_a_missing_secret_is_named_with_its_remedy_and_nothing_else_is(name: str, empty: str | None) -> None:
    env = {key: value for key, value in ENVIRONMENT.items() if key != name} | ({} if empty is None else {name: empty})
    with pytest.raises(SettingsError, match=f"- {name} is not set: .*{REASONS[name]}") as stopped:
        Settings.from_env(env)
    assert all(line.startswith(f"- {name} ") for line in str(stopped.value).splitlines()[1:])


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as stopped:
        Settings.from_env({"IVR_OPTOUT": "both", "IVR_BASE_URL": "line.example.org", "IVR_SECRET_KEY": "short"})
    told = str(stopped.value)
    for name in (*REASONS, "IVR_OPTOUT"):
        assert told.count(f"- {name} ") == 1
    assert "TWILIO_AUTH_TOKEN is not set" in told
    assert "IVR_BASE_URL must be" in told


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("IVR_SECRET_KEY", "a" * 31, "openssl"),
        ("TWILIO_AUTH_TOKEN", ",", "TWILIO_AUTH_TOKEN"),
        ("TWILIO_AUTH_TOKEN", " , ", "TWILIO_AUTH_TOKEN"),
        ("TWILIO_ACCOUNT_SID", "SK" + "0" * 32, "AC and 32 digits"),
        ("TWILIO_ACCOUNT_SID", "AC" + "0" * 31, "AC and 32 digits"),
        *(
            ("IVR_BASE_URL", url, "scheme and host only")
            for url in (
                "line.example.org",
                "ftp://line.example.org",
                "https://",
                "https://line.example.org/sms",
                "https://line.example.org?a=b",
                "https://line.example.org#rc=2",
                "https://me:secret@line.example.org",
                "https://line example.org",
                "https://line.example.org\nhttps://b",
                "https://[bad",
                "//line.example.org",
            )
        ),
        ("IVR_REVIEWED_ONLY", "yes", "1 or 0"),
        ("IVR_REVIEWED_ONLY", "٠", "1 or 0"),
        ("IVR_OPTOUT", "both", "carrier"),
        ("IVR_DEFAULT_COUNTRY", "KENYA", "two letters"),
        ("IVR_DEFAULT_COUNTRY", "a/", "two letters"),
        ("IVR_DEFAULT_COUNTRY", "éé", "two letters"),
        ("TWILIO_AUTH_TOKEN", "demo-token", "which everybody knows"),
        ("TWILIO_AUTH_TOKEN", "mine, demo-token", "which everybody knows"),
        ("IVR_SECRET_KEY", "only-for-a-demo-on-this-very-laptop", "can be guessed"),
        ("IVR_SECRET_KEY", "a" * 64, "can be guessed"),
        ("IVR_SECRET_KEY", "0123456" * 8, "can be guessed"),
        ("IVR_METRICS_TOKEN", "short", "shorter than 16"),
        ("IVR_COUNTRIES", "KENYA", "two letters"),
        ("IVR_CALLBACK", "yes", "1 (reject"),
        ("IVR_OUTBOUND_COUNTRIES", "KENYA", "two letters"),
        ("IVR_OUTBOUND_COUNTRIES", "KE;TZ", "two letters"),
        ("IVR_OUTBOUND_DAILY", "-1", "a number"),
        ("IVR_OUTBOUND_DAILY", "٥", "a number"),
        ("REDIS_URL", "localhost", "redis://"),
        ("TWILIO_API_URL", "api.twilio.com", "scheme and host"),
    ],
)
def test_a_wrong_value_stops_the_start(name: str, value: str, remedy: str) -> None:
    told = fault(**{name: value})
    assert name in told
    assert remedy in told


def test_a_fault_never_prints_a_secret() -> None:
    told = fault(IVR_SECRET_KEY="hunter2", TWILIO_AUTH_TOKEN="swordfish", IVR_METRICS_TOKEN="pike", IVR_OPTOUT="both")
    told += fault(IVR_SECRET_KEY="hunter2" * 9, TWILIO_AUTH_TOKEN="swordfish,demo-token")
    assert "hunter2" not in told
    assert "swordfish" not in told
    assert "pike" not in told


def test_good_values_are_tidied() -> None:
    settings = Settings.from_env(
        ENVIRONMENT
        | {
            "TWILIO_AUTH_TOKEN": " new , old,",
            "IVR_BASE_URL": " https://line.example.org:8443/ ",
            "IVR_LANGUAGES": "en, es,,",
            "IVR_DEFAULT_COUNTRY": " ke ",
            "IVR_REVIEWED_ONLY": "1",
            "IVR_COUNTRIES": "ke, tz",
            "IVR_OUTBOUND_COUNTRIES": "ke, tz",
            "IVR_OUTBOUND_DAILY": " 20 ",
            "IVR_CALLBACK": "1",
            "TWILIO_API_URL": "http://127.0.0.1:4010/",
        }
    )
    assert (settings.outbound_countries, settings.outbound_daily, settings.callback) == (("KE", "TZ"), 20, True)
    assert settings.countries == ("KE", "TZ")
    assert settings.api_url == "http://127.0.0.1:4010"
    assert settings.auth_tokens == ("new", "old")
    assert settings.base_url == "https://line.example.org:8443"
    assert settings.languages == ("en", "es")
    assert (settings.default_country, settings.reviewed_only, settings.demo) == ("KE", True, False)


def test_what_is_left_empty_has_its_default() -> None:
    optional = (
        "DATABASE_URL", "IVR_OPTOUT", "IVR_LANGUAGES", "IVR_DEFAULT_COUNTRY", "IVR_CALLBACK", "IVR_OUTBOUND_COUNTRIES",
        "IVR_OUTBOUND_DAILY", "REDIS_URL", "TWILIO_API_URL", "IVR_COUNTRIES", "IVR_METRICS_TOKEN",
    )  # fmt: skip
    assert Settings.from_env(ENVIRONMENT | dict.fromkeys(optional, "")) == Settings.from_env(ENVIRONMENT)
    assert Settings.from_env(ENVIRONMENT).database_url == "sqlite:///var/line.db"


def test_the_app_does_not_start_without_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in REASONS:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SettingsError, match="IVR_REVIEWED_ONLY is not set"):
        create_app()


def test_a_demo_needs_nothing_and_takes_what_there_is() -> None:
    demo = Settings.for_demo("http://127.0.0.1:5000", {})
    assert (demo.demo, demo.base_url, demo.reviewed_only) == (True, "http://127.0.0.1:5000", False)
    assert demo.auth_tokens
    mine = Settings.for_demo(
        "http://127.0.0.1:5000", {"TWILIO_AUTH_TOKEN": "mine", "IVR_OPTOUT": "line", "IVR_SECRET_KEY": ""}
    )
    assert (mine.auth_tokens, mine.optout, mine.secret_key) == (("mine",), "line", demo.secret_key)
    with pytest.raises(SettingsError, match="IVR_OPTOUT"):
        Settings.for_demo("http://127.0.0.1:5000", {"IVR_OPTOUT": "both"})


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Settings.from_env(ENVIRONMENT).optout = "line"


@pytest.mark.parametrize(
    ("written", "language", "utc", "answers"),
    [
        ("+254700000031", "sw", "03:00", True),
        ("sw=+254700000031", "sw", "03:00", True),
        ("sw=+254700000031", "en", "03:00", False),
        ("+254700000031@08:00-17:00", "sw", "04:59", False),  # 07:59 in Nairobi
        ("+254700000031@08:00-17:00", "sw", "05:00", True),
        ("+254700000031@08:00-17:00", "sw", "14:00", False),
        ("+254700000031@20:00-06:00", "en", "22:00", True),  # past midnight there
        ("+254700000031@20:00-06:00", "en", "09:00", False),
        ("+15005550009@08:00-17:00 Europe/Madrid", "en", "07:30", True),
    ],
)
def test_a_person_answers_in_a_language_within_the_hours_of_the_numbers_own_country(
    written: str, language: str, utc: str, answers: bool
) -> None:
    (person,) = Settings.from_env(ENVIRONMENT | {"IVR_TRANSFER_NUMBER": written}).helpers
    assert person.answers(language, datetime.fromisoformat(f"2026-11-23T{utc}:00+00:00")) == answers


@pytest.mark.parametrize(
    "written",
    [
        "0700",
        "+254700000031@8-17",
        "sw+254700000031",
        "+254700000031@08:00",
        "+15005550009@08:00-17:00",
        "+15005550009@08:00-17:00 Africa/Atlantis",
    ],
)
def test_a_number_that_is_none_stops_the_start(written: str) -> None:
    with pytest.raises(SettingsError, match="IVR_TRANSFER_NUMBER"):
        Settings.from_env(ENVIRONMENT | {"IVR_TRANSFER_NUMBER": written})
