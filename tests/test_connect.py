"""ivr connect: a number pointed at the line through the real client; what it shows, asks and leaves to a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

import phonenumbers
import pytest
from click.testing import CliRunner, Result
from flask import Flask

from ivr.carrier import NUMBER_FIELDS, Carrier, CarrierError
from ivr.commands import cli
from ivr.connecting import OVERRIDES, astray, offer, texts_to_enter, wanted
from ivr.phone import sign
from ivr.settings import HOME

from .conftest import ACCOUNT, BASE_URL, ENVIRONMENT, TOKEN
from .twilio_api import TwilioApi

NUMBER = "+15005550006"
README = (HOME / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def api() -> Iterator[TwilioApi]:
    with TwilioApi() as api:
        api.token = TOKEN
        api.own(NUMBER, voice_application_sid=f"AP{1:032x}")
        yield api


def run(api: TwilioApi, *arguments: str, answer: str | None = None, **environment: str) -> Result:
    env = ENVIRONMENT | {"TWILIO_API_URL": api.url} | environment
    return CliRunner().invoke(cli, ["connect", *arguments], input=answer, env=env)


def test_the_number_leads_to_the_line_and_the_change_is_shown_before_it_is_made(api: TwilioApi) -> None:
    done = run(api, NUMBER, answer="y\n")
    assert done.exit_code == 0, done.output
    shown, _, after = done.output.partition("Change it?")
    assert f"voice_url: https://demo.twilio.com/welcome/voice/ -> {BASE_URL}/voice{OVERRIDES}" in shown
    assert f"voice_application_sid: AP{1:032x} -> (empty)" in shown
    assert "changed" in after
    (sent,) = api.changes
    assert sent == {
        "VoiceUrl": f"{BASE_URL}/voice#rc=2&rp=all&ct=2000&rt=4000&tt=14000",
        "SmsUrl": f"{BASE_URL}/sms#rc=2&rp=all&ct=2000&rt=4000&tt=14000",
        "StatusCallback": f"{BASE_URL}/status#rc=2&rp=all&ct=2000&rt=4000&tt=14000",
        "VoiceApplicationSid": "",  # would take the place of the URLs
    }
    assert not astray(Carrier(ACCOUNT, TOKEN, api.url).numbers()[0], BASE_URL)


def test_a_second_time_there_is_nothing_to_change(api: TwilioApi) -> None:
    run(api, NUMBER, "--yes")
    again = run(api, NUMBER)
    assert again.exit_code == 0
    assert "nothing to change" in again.output
    assert len(api.changes) == 1


def test_whoever_says_no_changes_nothing(api: TwilioApi) -> None:
    assert run(api, NUMBER, answer="n\n").exit_code == 1
    assert not api.changes


def test_methods_are_put_right(api: TwilioApi) -> None:
    api.own("+15005550009", voice_method="GET")
    run(api, "+15005550009", "--yes")
    assert api.changes[-1]["VoiceMethod"] == "POST"


def test_fallbacks_are_static_files_and_asked_with_get(api: TwilioApi) -> None:
    files = "https://bins.example.org/KE"
    run(api, NUMBER, "--yes", "--fallback-voice", f"{files}/voice.xml", "--fallback-sms", f"{files}/sms.xml")
    number = Carrier(ACCOUNT, TOKEN, api.url).numbers()[0].fields
    assert (number["voice_fallback_url"], number["voice_fallback_method"]) == (f"{files}/voice.xml", "GET")
    assert (number["sms_fallback_url"], number["sms_fallback_method"]) == (f"{files}/sms.xml", "GET")
    again = run(api, NUMBER)
    assert "nothing to change" in again.output
    assert "There is no" not in again.output  # and none is taken away


def test_where_there_is_no_fallback_it_says_so(api: TwilioApi) -> None:
    told = run(api, NUMBER, "--yes").output
    assert "There is no voice_fallback_url" in told
    assert "There is no sms_fallback_url" in told


def test_other_carriers_get_plain_urls(api: TwilioApi) -> None:
    run(api, NUMBER, "--yes", "--plain")
    assert api.changes[0]["VoiceUrl"] == f"{BASE_URL}/voice"


@pytest.mark.parametrize(
    ("arguments", "environment", "told"),
    [
        ([NUMBER[:-1] + "1"], {}, f"is not in this account; there are: {NUMBER}"),
        ([NUMBER], {"TWILIO_AUTH_TOKEN": "another"}, "HTTP 401"),
        ([NUMBER], {"TWILIO_API_URL": "http://127.0.0.1:9"}, "no answer that can be read"),
    ],
)
def test_what_is_wrong_is_named(api: TwilioApi, arguments: list[str], environment: dict[str, str], told: str) -> None:
    done = run(api, *arguments, "--yes", **environment)
    assert done.exit_code == 1
    assert told in done.output
    assert not api.changes


def test_a_number_that_is_gone_is_told(api: TwilioApi) -> None:
    with pytest.raises(CarrierError, match="404") as fault:
        Carrier(ACCOUNT, TOKEN, api.url).change(f"PN{9:032x}", {"voice_url": "https://line.example.org"})
    assert fault.value.status == 404


def test_every_field_that_is_wanted_is_one_that_is_read() -> None:
    assert set(wanted(BASE_URL)) <= set(NUMBER_FIELDS)


def test_the_texts_to_enter_are_those_of_the_readme_and_fit_two_segments(api: TwilioApi) -> None:
    printed = run(api, NUMBER, "--yes").output
    for text in texts_to_enter(NUMBER).values():
        assert text in README
        assert text in printed
        assert text.isascii()
        assert len(text) <= 2 * 153


@pytest.mark.parametrize(
    ("country", "told"), [("IN", "announce the number for calls"), ("US", "get answers"), ("TZ", "unsure")]
)
def test_a_country_is_told_with_its_source(country: str, told: str) -> None:
    lines = offer(country)
    assert told in lines[0]
    assert lines[-1].startswith("Source: ")
    assert date.fromisoformat(lines[-1].rpartition(", ")[2].rstrip(".")) <= date.today()


def test_every_country_of_the_table_can_be_told() -> None:
    rows = (HOME / "content/carriers.csv").read_text(encoding="utf-8").splitlines()[1:]
    codes = [row.partition(",")[0] for row in rows]
    assert codes == sorted(set(codes))
    assert set(codes) <= phonenumbers.SUPPORTED_REGIONS
    assert all(len(row.split(",")) == 6 for row in rows)  # no comma inside, so that any editor may be used
    for code in codes:
        assert offer(code)[-1].startswith("Source: ")


def test_where_nothing_is_known_it_says_so(api: TwilioApi) -> None:
    assert "nothing is known here" in offer("FJ")[0]
    number = phonenumbers.example_number_for_type("IN", phonenumbers.PhoneNumberType.MOBILE)
    assert number is not None
    indian = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    api.own(indian)
    told = run(api, indian, "--yes", IVR_OUTBOUND_COUNTRIES="BD").output
    assert "allow BD, IN" in told
    assert "announce the number for calls" in told


def test_without_settings_it_names_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from ivr import commands

    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.argv", ["ivr", "connect", NUMBER])
    with pytest.raises(SystemExit) as left:
        commands.main()
    assert left.value.code == 1
    assert "TWILIO_ACCOUNT_SID is not set" in capsys.readouterr().err


# --- Other carriers --------------------------------------------------------------------------------------------

UUID = "5c46b95f-0000-4000-8000-0123456789ab"
CARRIERS = {"SignalWire": ("/api/laml", "X-SignalWire-Signature"), "Somleng": ("", "X-Twilio-Signature")}


@pytest.mark.parametrize("name", CARRIERS)
def test_another_carrier_is_asked_below_its_own_address_by_its_own_kind_of_account(name: str) -> None:
    with TwilioApi(CARRIERS[name][0]) as api:
        api.token = "PT-the-first-is-asked-with"
        api.own(NUMBER)
        keys = {"TWILIO_ACCOUNT_SID": UUID, "TWILIO_AUTH_TOKEN": f"{api.token},PSK-the-second-signs"}
        done = run(api, NUMBER, "--yes", "--plain", **keys)
        assert done.exit_code == 0, done.output
        assert api.numbers[f"PN{0:032x}"]["voice_url"] == f"{BASE_URL}/voice"
        carrier = Carrier(UUID, api.token, api.url)
        assert carrier.account() == ("active", "Full")
        assert carrier.send_text("+15005550009", NUMBER, "a page").kind == "accepted"
        assert api.sent("+15005550009") == ["a page"]


@pytest.mark.parametrize("name", CARRIERS)
def test_another_carrier_signs_with_its_own_key_and_names_things_by_uuid(
    make_app: Callable[..., Flask], name: str
) -> None:
    app = make_app(TWILIO_ACCOUNT_SID=UUID, TWILIO_AUTH_TOKEN="PT-asks,PSK-signs")
    text = {"AccountSid": UUID, "MessageSid": UUID, "From": "+15005550009", "To": NUMBER, "Body": "0"}
    call = {"AccountSid": UUID, "CallSid": UUID, "From": "+15005550009", "To": NUMBER}
    for path, form in (("/sms", text), ("/voice", call)):
        for key, status in (("PSK-signs", 200), ("PSK-forged", 403)):
            headers = {CARRIERS[name][1]: sign(key, BASE_URL + path, form)}
            answer = app.test_client().post(path, base_url=BASE_URL, data=form, headers=headers)
            assert answer.status_code == status


@pytest.mark.parametrize("sid", [UUID[:-1], UUID + "0", UUID.replace("-", ""), f"{UUID}\n", f"x{UUID}"])
def test_what_only_resembles_a_uuid_is_refused(make_app: Callable[..., Flask], sid: str) -> None:
    form = {"AccountSid": ACCOUNT, "MessageSid": sid, "From": "+15005550009", "To": NUMBER, "Body": "0"}
    headers = {"X-Twilio-Signature": sign(TOKEN, f"{BASE_URL}/sms", form)}
    assert make_app().test_client().post("/sms", base_url=BASE_URL, data=form, headers=headers).status_code == 400
