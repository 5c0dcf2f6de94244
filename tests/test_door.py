"""The door: who is let in, who is refused and how, and that no stranger breaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import count
from random import Random
from urllib.parse import quote, urlencode

import pytest
from flask import Flask
from hypothesis import assume, given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator, get_signature_algorithm
from werkzeug.test import EnvironBuilder, TestResponse

from ivr.app import create_app
from ivr.catalogue import Catalogue
from ivr.door import LARGEST_BODY, MOST_FIELDS, Refused, agrees, let_in
from ivr.phone import sign
from ivr.settings import Settings
from ivr.store import Store

from .conftest import ACCOUNT, BASE_URL, ENVIRONMENT, TOKEN, phone


@pytest.fixture(scope="module")
def steady_app(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Flask:
    """One app for all examples of a property."""
    always_answering = {"IVR_OPTOUT": "line"}
    database = {"DATABASE_URL": f"sqlite:///{tmp_path_factory.mktemp('door')}/line.db"}
    return create_app(Settings.from_env(ENVIRONMENT | database | always_answering), catalogue)


NUMBERS = count(1000)  # nobody sends hundreds of texts a minute
FORM = "application/x-www-form-urlencoded"
SMS = {
    "AccountSid": ACCOUNT,
    "ApiVersion": "2010-04-01",
    "Body": "uses",
    "From": "+254700000001",
    "FromCity": "",
    "FromCountry": "KE",
    "MessageSid": f"SM{1:032x}",
    "NumMedia": "0",
    "To": "+15005550001",
    "ToCountry": "US",
}
CALL = {"AccountSid": ACCOUNT, "CallSid": f"CA{1:032x}", "From": "+254700000001", "To": "+15005550001"}


def send(
    app: Flask,
    form: dict[str, str],
    path: str = "/sms",
    *,
    token: str = TOKEN,
    base: str = BASE_URL,
    url: str | None = None,
    signed: dict[str, str] | None = None,
    raw: str | bytes | None = None,
    **request: object,
) -> TestResponse:
    """Post a form as Twilio would, or with one thing wrong: `signed` is what was signed, `raw` is what is sent."""
    signature = RequestValidator(token).compute_signature(url or base + path, form if signed is None else signed)
    headers = {"X-Twilio-Signature": signature} | request.pop("headers", {})
    options = {"content_type": FORM} | request
    return app.test_client().post(path, data=urlencode(form) if raw is None else raw, headers=headers, **options)


def without(form: dict[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in form.items() if key != name}


# --- What is refused, each beside a request that is let in -------------------------------------------------

REFUSED = [
    (403, "no signature", "/sms", SMS, {"headers": {"X-Twilio-Signature": ""}}),
    (403, "a signature of letters", "/sms", SMS, {"headers": {"X-Twilio-Signature": "ñandú"}}),
    (403, "another's token", "/sms", SMS, {"token": "another"}),
    (403, "an empty token", "/sms", SMS, {"token": ""}),
    (403, "another host", "/sms", SMS, {"base": "https://evil.example.org"}),
    (403, "another scheme", "/sms", SMS, {"base": BASE_URL.replace("https", "http")}),
    (403, "another port", "/sms", SMS, {"base": BASE_URL + ":8443"}),
    (403, "a value altered", "/sms", SMS | {"Body": "benefits"}, {"signed": SMS}),
    (403, "a value trimmed", "/sms", SMS, {"signed": SMS | {"Body": " uses "}}),
    (403, "an empty field left out", "/sms", without(SMS, "FromCity"), {"signed": SMS}),
    (403, "a field added", "/sms", SMS | {"New": ""}, {"signed": SMS}),
    (403, "no field at all", "/sms", {}, {}),
    (403, "another account", "/sms", SMS | {"AccountSid": "AC" + "9" * 32}, {}),
    (403, "no account", "/sms", without(SMS, "AccountSid"), {}),
    (403, "an unsigned status", "/status", SMS, {"headers": {"X-Twilio-Signature": ""}}),
    (403, "a query that was not signed", "/sms?x=1", SMS, {"url": BASE_URL + "/sms"}),
    (415, "JSON", "/sms", SMS, {"content_type": "application/json", "raw": "{}"}),
    (415, "a multipart form", "/sms", SMS, {"content_type": "multipart/form-data; boundary=x", "raw": "--x--"}),
    (415, "no type", "/sms", SMS, {"content_type": ""}),
    (413, "64 KiB and 1", "/sms", SMS, {"raw": "Body=" + "a" * (LARGEST_BODY - 4)}),
    (400, "a field twice", "/sms", SMS, {"raw": urlencode(SMS) + "&Body=uses"}),
    (400, "too many fields", "/sms", SMS | {f"F{n}": "" for n in range(MOST_FIELDS)}, {}),
    (400, "no =", "/sms", SMS, {"raw": urlencode(SMS) + "&Body"}),
    (400, "half a percent-encoding", "/sms", SMS | {"Body": "%z"}, {"raw": urlencode(SMS).replace("=uses", "=%z")}),
    (400, "an empty pair", "/sms", SMS, {"raw": urlencode(SMS) + "&&"}),
    (400, "not UTF-8", "/sms", SMS, {"raw": "Body=%FF"}),
    (400, "half a character", "/sms", SMS, {"raw": "Body=%E2%82"}),
    (400, "a surrogate", "/sms", SMS, {"raw": "Body=%ED%A0%80"}),
    (400, "bytes not percent-encoded", "/sms", SMS, {"raw": "Body=ñ".encode()}),
    (400, "no From", "/sms", without(SMS, "From"), {}),
    (400, "an empty From", "/sms", SMS | {"From": ""}, {}),
    (400, "a From of control characters", "/sms", SMS | {"From": "+1\n2"}, {}),
    (400, "a long From", "/sms", SMS | {"From": "+" + "1" * 100}, {}),
    (400, "no To", "/sms", without(SMS, "To"), {}),
    (400, "no Body", "/sms", without(SMS, "Body"), {}),
    (400, "no MessageSid", "/sms", without(SMS, "MessageSid"), {}),
    (400, "a short MessageSid", "/sms", SMS | {"MessageSid": "SM1"}, {}),
    (400, "a call's SID", "/sms", SMS | {"MessageSid": CALL["CallSid"]}, {}),
    (400, "a SID and a line's end", "/sms", SMS | {"MessageSid": SMS["MessageSid"] + "\n"}, {}),
    (400, "a word for NumMedia", "/sms", SMS | {"NumMedia": "one"}, {}),
    (400, "a Thai NumMedia", "/sms", SMS | {"NumMedia": "๑"}, {}),
    (400, "a long FromCountry", "/sms", SMS | {"FromCountry": "KENYA"}, {}),
    (400, "no CallSid", "/voice", without(CALL, "CallSid"), {}),
    (400, "a message's SID", "/voice", CALL | {"CallSid": SMS["MessageSid"]}, {}),
    (400, "letters for keys", "/voice", CALL | {"Digits": "one"}, {}),
    (400, "an Arabic key", "/voice/en/KE/menu/0", CALL | {"Digits": "١"}, {}),
    (400, "too many keys", "/voice/en/KE/menu/0", CALL | {"Digits": "1" * 101}, {}),
    (403, "a place that was not signed", "/voice/en/KE/menu/0", CALL, {"token": "another"}),
]


@pytest.mark.parametrize(
    ("status", "path", "form", "wrong"), [(row[0], *row[2:]) for row in REFUSED], ids=[row[1] for row in REFUSED]
)
def test_it_refuses(app: Flask, status: int, path: str, form: dict[str, str], wrong: dict) -> None:
    answer = send(app, form, path, **wrong)
    assert answer.status_code == status
    assert answer.mimetype == "text/plain"
    assert "Response" not in answer.text


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/sms", SMS),
        ("/sms", SMS | {"From": "whatsapp:+254700000001", "To": "whatsapp:+15005550001", "WaId": "254700000001"}),
        ("/sms", SMS | {"MessageSid": f"MM{1:032X}", "NumMedia": "1", "MediaUrl0": "https://api.twilio.com/a?b=c&d"}),
        ("/sms", SMS | {"Body": "  uses \n", "FromCity": "", "FromZip": " "}),
        ("/sms", SMS | {"Brand New Parameter": "नया & 100%=+", "": "nameless"}),
        ("/sms", SMS | {"Body": ""}),
        ("/sms?a=b%20c&a=%C3%A9", SMS),
        ("/voice", CALL),
        ("/voice", CALL | {"From": "anonymous"}),
        ("/voice", CALL | {"Digits": ""}),
        ("/voice/en/KE/menu/0", CALL | {"Digits": "#"}),
        ("/voice/en/KE/uses%2D1/0", CALL | {"Digits": "0"}),
    ],
)
def test_it_lets_in_what_twilio_signed(app: Flask, path: str, form: dict[str, str]) -> None:
    answer = send(app, form, path)
    assert (answer.status_code, answer.content_type) == (200, "text/xml; charset=utf-8")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/sms", "/voice", "/voice/en/KE/menu/0", "/status"])
def test_other_methods_are_405(app: Flask, method: str, path: str) -> None:
    signature = RequestValidator(TOKEN).compute_signature(BASE_URL + path, {})
    headers = {"X-Twilio-Signature": signature}
    assert app.test_client().open(path, method=method, headers=headers).status_code == 405


def test_exactly_64_kib_are_let_in(app: Flask) -> None:
    form = SMS | {"Body": ""}
    form["Body"] = "a" * (LARGEST_BODY - len(urlencode(form)))
    assert len(urlencode(form)) == LARGEST_BODY
    assert send(app, form).status_code == 200


def test_a_body_of_unknown_length_is_cut_off_at_64_kib(app: Flask) -> None:
    request = EnvironBuilder(path="/sms", method="POST", content_type=FORM, headers={"X-Twilio-Signature": "x"})
    endless = request.get_environ() | {"wsgi.input": BytesIO(b"a" * LARGEST_BODY + b"b"), "wsgi.input_terminated": True}
    del endless["CONTENT_LENGTH"]
    assert app.test_client().open(endless).status_code == 413


# --- What the signature covers -----------------------------------------------------------------------------


def test_the_vector_of_the_documentation_is_accepted_and_one_digit_more_is_not(app: Flask) -> None:
    settings = Settings.from_env(
        ENVIRONMENT | {"TWILIO_AUTH_TOKEN": "12345", "IVR_BASE_URL": "https://example.com"},
    )
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675310",
        "Digits": "1234",
        "From": "+14158675310",
        "To": "+18005551212",
    }

    def refusal(form: dict[str, str]) -> str:
        headers = {"X-Twilio-Signature": "L/OH5YylLD5NRKLltdqwSvS0BnU="}
        with app.test_request_context("/myapp.php?foo=1&bar=2", method="POST", data=form, headers=headers) as context:
            with pytest.raises(Refused) as refused:
                let_in(context.request, settings, "voice")
            return str(refused.value)

    assert "AccountSid" in refusal(form)  # the signature was good; only an account is not in the vector
    assert "signature" in refusal(form | {"Digits": "12345"})


@pytest.mark.parametrize("token", ["the-old-token", "the-new-token"])
def test_both_tokens_are_good_during_a_rotation(make_app: Callable[..., Flask], token: str) -> None:
    rotating = make_app(TWILIO_AUTH_TOKEN="the-old-token, the-new-token")
    assert send(rotating, SMS, token=token).status_code == 200
    assert send(rotating, SMS, token="the-old-token, the-new-token").status_code == 403


@pytest.mark.parametrize(
    ("configured", "signed", "status"),
    [
        ("https://line.example.org", "https://line.example.org:443", 200),
        ("https://line.example.org/", "https://line.example.org", 200),
        ("https://line.example.org:443", "https://line.example.org", 200),
        ("https://line.example.org:8443", "https://line.example.org:8443", 200),
        ("https://line.example.org:8443", "https://line.example.org", 200),
        ("http://line.example.org", "http://line.example.org:80", 200),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000", 200),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5001", 403),
        ("https://line.example.org", "https://line.example.org:444", 403),
        ("https://line.example.org", "https://line.example.org.", 403),
    ],
)
def test_with_and_without_the_port(make_app: Callable[..., Flask], configured: str, signed: str, status: int) -> None:
    assert send(make_app(IVR_BASE_URL=configured), SMS, base=signed).status_code == status


TRICKS = st.dictionaries(
    st.sampled_from(
        [
            *("Host", "Forwarded", "Via", "X-Real-IP", "X-Script-Name", "X-Original-URL", "X-Rewrite-URL"),
            *(f"X-Forwarded-{name}" for name in ("For", "Host", "Port", "Prefix", "Proto")),
            "X-HTTP-Method-Override",
        ]
    ),
    st.sampled_from(
        ["evil.example.org", "http", "https", "443", "/sms", "/prefix", "host=evil;proto=http", "GET", "::1"]
    ),
    min_size=1,
)


@given(headers=TRICKS)
def test_forwarded_headers_and_host_change_nothing(steady_app: Flask, headers: dict[str, str]) -> None:
    plain = send(steady_app, SMS)
    assert send(steady_app, SMS, headers=headers).data == plain.data != b""
    evil = f"https://{headers.get('X-Forwarded-Host', headers.get('Host', 'evil.example.org'))}"
    assert send(steady_app, SMS, base=evil, headers=headers).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/sms/",
        "//sms",
        "/voice/",
        "/voice//",
        "//voice//en/KE/menu/0",
        "/status/",
        "/livez/",
        "/SMS",
        "/sms/../sms",
    ],
)
def test_a_redirect_is_never_answered(app: Flask, path: str) -> None:
    assert send(app, SMS | CALL, path).status_code in (200, 404)
    assert app.test_client().get(path).status_code in (404, 405)


# --- Mutants of a signed request: none comes in, none breaks the line ---------------------------------------


def signed_text(form: dict[str, str]) -> str:
    return "".join(name + form[name] for name in sorted(form))


FULL = SMS | {"FromState": "", "FromZip": "", "NumSegments": "1", "SmsMessageSid": SMS["MessageSid"], "ToCity": ""}
NAMES = [*FULL, "Digits", "OptOutType", "New", ""]
WORDS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.sampled_from([*FULL.values(), *FULL, "STOP", "+254700000002"]),
)


@given(
    changes=st.dictionaries(st.sampled_from(NAMES), st.one_of(st.none(), WORDS), min_size=1), junk=st.binary(max_size=4)
)
def test_no_mutant_is_accepted(steady_app: Flask, changes: dict[str, str | None], junk: bytes) -> None:
    mutant = {name: value for name, value in (FULL | changes).items() if value is not None}
    assume(signed_text(mutant) != signed_text(FULL))
    assert send(steady_app, mutant, signed=FULL).status_code in (400, 403)
    assert send(steady_app, FULL, raw=urlencode(mutant).encode() + junk, signed=FULL).status_code in (400, 403)
    assert send(steady_app, FULL, headers={"X-Twilio-Signature": quote(junk) + "="}).status_code == 403


@given(order=st.permutations(list(FULL)))
def test_the_order_of_fields_changes_nothing(steady_app: Flask, order: list[str]) -> None:
    assert send(steady_app, {name: FULL[name] for name in order}).data == send(steady_app, FULL).data


def resplits(text: str, after: str = "") -> Iterator[dict[str, str]]:
    """All sorted forms of known names that Twilio would have signed alike, since it puts nothing between fields."""
    for name in (name for name in NAMES if name and text.startswith(name) and name > after):
        rest = text[len(name) :]
        for at in range(len(rest)):
            yield from ({name: rest[:at]} | form for form in resplits(rest[at:], name))
        yield {name: rest}


def test_a_form_split_anew_keeps_its_sender_its_text_and_its_message(steady_app: Flask) -> None:
    forms = [form for form in resplits(signed_text(SMS)) if form != SMS]
    assert all(signed_text(form) == signed_text(SMS) for form in forms)
    assert len(forms) > 100
    answers = [(form, send(steady_app, form).status_code) for form in forms]
    assert {status for _, status in answers} <= {200, 400, 403}
    let_in = [form for form, status in answers if status == 200]
    assert [
        form for form in let_in if any(form[name] != SMS[name] for name in ("AccountSid", "Body", "From", "MessageSid"))
    ] == []


# --- Our own check beside Twilio's ---------------------------------------------------------------------------

PIECES = (
    *(
        "http",
        "https",
        "HTTPS",
        "ftp",
        "://",
        ":",
        "line.example.org",
        "LINE.example.org",
        "127.0.0.1",
        "[::1]",
        "user@",
    ),
    *(":443", ":80", ":0", ":8443", ":99999", ":x", "/", "//", "/sms", "/voice/en/KE/menu/0", "/%2e%2e", "/\u00e9"),
    *("?", "?a=1", "?bodySHA256=0", "&", "#", "#x", ";", ";p", "\t", "\n", "\r", " ", "\\", "%", "+", "a"),
)
URLS = (f"{BASE_URL}/sms", f"{BASE_URL}/voice/en.es/KE/side_effects-1/0", f"{BASE_URL}:443/sms", "http://host:5000/sms")
VALUES = ("", "uses", "Body", "From", "+254700000001", "\u0130", "\u200f", "\U0001f600", "\0", "a" * 1600)


def mangled(text: str, random: Random) -> str:
    """The text with some piece put in, taken out or changed, or as it was."""
    for _ in range(random.randrange(3)):
        at, until = sorted(random.choices(range(len(text) + 1), k=2))
        text = text[:at] + random.choice((*PIECES, *VALUES)) + text[random.choice((at, until)) :]
    return text


def test_our_own_check_accepts_nothing_that_the_library_refuses() -> None:
    """20,000 requests, half of them with a signature of exactly what is checked, in whatever spelling."""
    random, library, accepted = Random(6), RequestValidator(TOKEN), 0
    for _ in range(20_000):
        url = mangled(random.choice(URLS), random)
        form = {mangled(name, random): random.choice(VALUES) for name in random.sample(NAMES, random.randrange(5))}
        other = random.random() < 0.5
        signature = sign(TOKEN, mangled(url, random) if other else url, form)
        if agrees(TOKEN, url, form, mangled(signature, random) if random.random() < 0.2 else signature):
            accepted += 1
            assert library.validate(url, form, signature), (url, form)
    assert accepted > 2000


@pytest.mark.parametrize("kind", ["key=webhooks_sharedkey_1,algorithm=HMAC_SHA256", "algorithm=HMAC_SHA1", "", "x"])
def test_where_the_newer_header_is_the_library_decides(app: Flask, kind: str) -> None:
    algorithm = get_signature_algorithm(kind)
    signature = RequestValidator(TOKEN).compute_signature(f"{BASE_URL}/sms", SMS, algorithm)
    headers = {"X-Twilio-Webhooks-Signature-Settings": kind}
    assert send(app, SMS, headers=headers | {"X-Twilio-Signature": signature}).status_code == 200
    other = headers | {"X-Twilio-Webhooks-Signature-Settings": "algorithm=HMAC_MD5"}
    assert send(app, SMS, headers=other | {"X-Twilio-Signature": signature}).status_code == 403
    older = send(app, SMS, headers=headers).status_code
    assert older == (200 if algorithm == "HMAC_SHA1" else 403)


# --- What comes in does no harm ------------------------------------------------------------------------------

WILD = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("\0\x01\x0b\x1b\x7f\x85\ufffe\uffff\u202e<&>\"']]>")
)


@given(words=WILD, city=WILD)
def test_no_character_makes_malformed_twiml(steady_app: Flask, words: str, city: str) -> None:
    assert phone(steady_app, f"+1500555{next(NUMBERS):04d}").text(words, FromCity=city, ProfileName=words)


def test_a_delivery_report_gets_204(app: Flask) -> None:
    report = {"AccountSid": ACCOUNT, "MessageSid": SMS["MessageSid"], "MessageStatus": "delivered"}
    answer = send(app, report, "/status")
    assert (answer.status_code, answer.data) == (204, b"")


def test_livez_touches_no_database(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    touched = []
    monkeypatch.setattr(Store, "_within_deadline", lambda *_, **__: touched.append(1))
    assert app.test_client().get("/livez").status_code == 200
    assert not touched


@pytest.mark.parametrize("path", ["/", "/demo/text", "/static/x", "/console/", "/audio/../settings.py", "/.env"])
def test_there_is_nothing_else_behind_the_door(app: Flask, path: str) -> None:
    assert app.test_client().get(path).status_code == 404
    assert app.test_client().post(path).status_code in (404, 405)
