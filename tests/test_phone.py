"""The simulated phone, against tiny lines that keep or break one rule of Twilio's each."""

import inspect
import threading
from collections.abc import Callable, Iterator
from urllib.parse import parse_qsl
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from twilio.request_validator import RequestValidator
from twilio.twiml import voice_response
from werkzeug.wrappers import Request, Response

from ivr.phone import (
    SSML,
    VOICE_RULES,
    Incoming,
    Phone,
    PhoneError,
    Played,
    Spoken,
    Text,
    over_http,
    over_wsgi,
    play,
    sign,
)

XML = "text/xml; charset=utf-8"
TOKEN = "12345"
SAY = '<Say voice="Polly.Joanna-Neural" language="en-US">{}</Say>'
END = "<Hangup/>"
HELLO = SAY.format("Hello.")

Page = str | bytes | Response | Callable[[Request], object]


class Line:
    """A line of a few pages; it keeps the requests it met."""

    def __init__(self, **pages: Page) -> None:
        self.pages = pages
        self.met: list[Request] = []

    def __call__(self, environ, start_response):
        request = Request(environ)
        request.get_data(parse_form_data=False, cache=True)
        self.met.append(request)
        page = self.pages.get(request.path.strip("/"), Response("not here", 404))
        page = page(request) if callable(page) and not isinstance(page, Response) else page
        answer = page if isinstance(page, Response) else Response(page, content_type=XML)
        return answer(environ, start_response)


def xml(inside: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Response>{inside}</Response>'


def phone(line: Line, **more) -> Phone:
    return Phone(over_wsgi(line), token=TOKEN, **more)


def texting(page: Page) -> list[Text]:
    return phone(Line(sms=page)).text("HELLO")


def calling(page: Page, **pages: Page):
    return phone(Line(voice=page, **pages)).call()


def heard(met: list[Spoken | Played]) -> list[str]:
    return [str(one) for one in met]


def form_of(request: Request) -> dict[str, str]:
    return dict(parse_qsl(request.get_data(as_text=True), keep_blank_values=True))


# --- Signature and forms -------------------------------------------------------------------------------


def test_it_signs_like_the_vector_of_the_documentation() -> None:
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675310",
        "Digits": "1234",
        "From": "+14158675310",
        "To": "+18005551212",
    }
    url = "https://example.com/myapp.php?foo=1&bar=2"
    assert sign("12345", url, form) == "L/OH5YylLD5NRKLltdqwSvS0BnU="


@pytest.mark.parametrize(
    ("url", "call", "signed"),
    [
        ("https://you:secret@line.org/sms", False, "https://line.org/sms"),
        ("https://line.org:8443/sms", False, "https://line.org:8443/sms"),
        ("https://line.org:8443/voice", True, "https://line.org/voice"),
        ("https://line.org:8443", True, "https://line.org"),
        ("http://line.org:5000/voice", True, "http://line.org:5000/voice"),
        ("https://line.org/voice?to=a:1@b", True, "https://line.org/voice?to=a:1@b"),
    ],
)
def test_what_is_signed_of_a_url(url: str, call: bool, signed: str) -> None:
    assert sign(TOKEN, url, {}, call=call) == RequestValidator(TOKEN).compute_signature(signed, {})


@pytest.mark.parametrize("base", ["http://127.0.0.1:5000", "https://line.org", "https://line.org:8443"])
@pytest.mark.parametrize("words", ["HELLO", "  ¿qué?  ", "", "नमस्ते & 100% + 1=1\n😀"])
def test_twilios_own_validator_accepts_its_requests(base: str, words: str) -> None:
    line = Line(sms=xml(""), voice=xml(END))
    here = phone(line, base_url=base, country="KE")
    here.text(words)
    here.call()
    for request in line.met:
        signature = request.headers["X-Twilio-Signature"]
        assert RequestValidator(TOKEN).validate(request.url, form_of(request), signature)


def test_a_get_is_signed_by_its_url_alone() -> None:
    line = Line(voice=xml('<Redirect method="GET">/next?a=b%20c</Redirect>'), next=xml(END))
    phone(line).call()
    request = line.met[-1]
    assert request.args["a"] == "b c"
    assert request.args["CallStatus"] == "in-progress"
    assert request.get_data() == b""
    assert RequestValidator(TOKEN).validate(request.url, {}, request.headers["X-Twilio-Signature"])


def test_a_text_carries_what_twilio_always_sends() -> None:
    line = Line(sms=xml(""))
    here = phone(line, number="+254700000001", country="KE")
    assert here.text("Hola", OptOutType="HELP") == []
    assert here.text("", media=1) == []
    first, second = map(form_of, line.met)
    assert first["MessageSid"] == first["SmsSid"] == first["SmsMessageSid"] != second["MessageSid"]
    assert first["From"] == "+254700000001"
    assert (first["FromCountry"], first["FromCity"], first["ToZip"]) == ("KE", "", "")
    assert (first["Body"], first["NumMedia"], first["NumSegments"]) == ("Hola", "0", "1")
    assert (first["SmsStatus"], first["ApiVersion"]) == ("received", "2010-04-01")
    assert (first["AccountSid"], first["OptOutType"]) == ("AC" + "0" * 32, "HELP")
    assert (second["Body"], second["NumMedia"], second["MediaContentType0"]) == ("", "1", "image/jpeg")
    assert "text/html" not in line.met[0].headers.get("Accept", "")
    assert here.documents[0].form == second


def test_a_call_carries_what_twilio_always_sends() -> None:
    line = Line(voice=xml("<Redirect>/next</Redirect>"), next=xml(END))
    call = phone(line, country="MX").call(StirVerstat="TN-Validation-Passed-A")
    first, second = map(form_of, line.met)
    assert first["From"] == first["Caller"] == "+15005550006"
    assert first["To"] == first["Called"] == "+15005550001"
    assert (first["FromCountry"], first["CallerCountry"], first["CalledState"]) == ("MX", "MX", "")
    assert (first["CallStatus"], second["CallStatus"]) == ("ringing", "in-progress")
    assert first["CallSid"] == second["CallSid"]
    assert first["Direction"] == "inbound"
    assert second["StirVerstat"] == "TN-Validation-Passed-A"
    assert [(url, form == first, twiml[:5]) for url, form, twiml in call.documents] == [
        ("http://127.0.0.1:5000/voice", True, "<?xml"),
        ("http://127.0.0.1:5000/next", False, "<?xml"),
    ]
    assert (call.url, call.path) == ("http://127.0.0.1:5000/next", "/next")


# --- Texts ---------------------------------------------------------------------------------------------


def test_a_reply_tells_its_language_encoding_and_segments() -> None:
    page = Response(xml("<Message>¿Qué?</Message>"), content_type=XML, headers={"Content-Language": "es"})
    assert texting(page) == [Text("¿Qué?", "es", "GSM-7", 1, "+15005550006")]
    body = "á" * 71
    assert texting(xml(f'<Message to="+1500"><Body>{body}</Body></Message>')) == [Text(body, None, "UCS-2", 2, "+1500")]
    assert texting(xml(f"<Message>{'€' * 80}</Message>"))[0].segments == 1
    assert texting(xml(f"<Message>{'€' * 81}</Message>"))[0].segments == 2


def test_a_redirect_in_a_text_is_followed_and_what_follows_it_never_runs() -> None:
    line = Line(
        sms=xml("<Message>one</Message><Redirect>more#rc=2</Redirect><Message>never</Message>"),
        more=xml("<!-- a comment is ignored --><Message>two</Message>"),
    )
    assert [text.body for text in phone(line).text("HELLO")] == ["one", "two"]


def answer(body: str | bytes = b"", **more) -> Response:
    return Response(body, **{"content_type": XML, **more})


def untyped(body: str) -> Response:
    response = Response(body)
    del response.headers["Content-Type"]
    return response


FINE = xml("<Message>fine</Message>")


@pytest.mark.parametrize(
    ("page", "complaint"),
    [
        (untyped(FINE), "Content-Type None.*12300"),
        (answer(FINE, content_type="text/plain"), "'text/plain'.*12300"),
        (answer(FINE, content_type="application/json"), "12300"),
        (answer(FINE, status=403), "Status 403.*11200"),
        (answer(FINE, status=500), "Status 500.*11200"),
        (answer(FINE, status=308, headers={"Location": "/sms/"}), "redirect 308"),
        (answer(""), "12100"),
        (answer("\n" + FINE), "12100: nothing before"),
        (answer("\ufeff" + FINE), "12100: nothing before"),
        (answer(FINE + "."), "Bad XML.*12100"),
        (answer(xml("<Message>a & b</Message>")), "Bad XML.*12100"),
        (answer(xml("<Message>a \x07 b</Message>")), "Bad XML.*12100"),
        (answer(FINE.encode().replace(b"fine", b"\xff")), "Bad XML.*12100"),
        (answer("<!DOCTYPE x><Response/>"), "document type"),
        (answer("<response/>"), "root <response>.*12100"),
        (answer('<Response xmlns="urn:x"/>'), "root.*12100"),
        (answer('<Response lang="en"/>'), "12200: unknown attribute"),
        (xml("Hello"), "Words 'Hello' inside <Response>.*12200"),
        (xml("<Message>a</Message>Hello"), "Words 'Hello'.*12200"),
        (xml("<message>a</message>"), "<message>.*12200: unknown verb"),
        (xml("<Sms>a</Sms>"), "<Sms>.*12200: unknown verb"),
        (xml(HELLO), "<Say>.*12200: unknown verb"),
        (xml('<Message colour="red">a</Message>'), "<Message colour>.*unknown attribute"),
        (xml('<Message action="/a">a</Message>'), "<Message action>.*this phone knows"),
        (xml("<Message><Message>a</Message></Message>"), "there only Body"),
        (xml("<Message>a<Body>b</Body></Message>"), "more than one text"),
        (xml("<Message><Body>a</Body>b</Message>"), "more than one text"),
        (xml("<Message><Body>a</Body><Body>b</Body></Message>"), "more than one text"),
        (xml("<Message/>"), "21619"),
        (xml("<Message><Body>  </Body></Message>"), "21619"),
        (xml(f"<Message>{'a' * 1601}</Message>"), "1601 characters.*21617"),
        (xml("<Message>a</Message>" * 11), "11 replies.*14109"),
        (xml("<Redirect>/sms</Redirect>"), "endless loop.*14106"),
        (xml("<Redirect>https://elsewhere.org/sms</Redirect>"), "another host"),
        (xml("<Redirect/>"), "empty <Redirect>"),
        (xml("<Redirect>/más allá</Redirect>"), "11100"),
        (xml('<Redirect method="PUT">/sms</Redirect>'), "must be GET|POST"),
        (xml(f"<!--{'x' * 65536}-->"), "11750"),
    ],
)
def test_a_text_that_breaks_a_rule_stops_the_phone(page: Page, complaint: str) -> None:
    with pytest.raises(PhoneError, match=complaint) as stopped:
        texting(page)
    assert "http://127.0.0.1:5000/sms" in str(stopped.value)


@pytest.mark.parametrize(
    "page",
    [
        xml("<Message>a</Message>" * 10),
        xml(f"<Message>{'a' * 1600}</Message>"),
        "<Response/>",
        answer(FINE, content_type="application/xml"),
        answer(FINE, content_type="Text/HTML"),
    ],
)
def test_at_the_limit_a_text_still_passes(page: Page) -> None:
    assert isinstance(texting(page), list)


# --- Calls: what is refused ----------------------------------------------------------------------------


def gather(inside: str = HELLO, **attributes: str) -> str:
    given = "".join(f' {name}="{value}"' for name, value in ({"action": "/key"} | attributes).items())
    return f"<Gather{given}>{inside}</Gather><Redirect>/quiet</Redirect>"


def say(words: str, voice: str = "Polly.Joanna-Neural", language: str = "en-US") -> str:
    return f'<Say voice="{voice}" language="{language}">{words}</Say>'


@pytest.mark.parametrize(
    ("inside", "complaint"),
    [
        ("<Pause/>", "Somleng"),
        ("<Record/>", "unknown verb"),
        ("<hangup/>", "unknown verb"),
        ("<Message>a</Message>", "unknown verb"),
        (gather("<Pause/>"), "Somleng"),
        (gather(gather()), "<Gather> in <Gather>.*there only Say Play"),
        (gather("<Hangup/>"), "<Hangup> in <Gather>"),
        (gather("Hello"), "Words 'Hello' inside <Gather>"),
        (gather(numdigits="1"), "<Gather numdigits>.*unknown attribute"),
        (gather(numDigits="0"), "numDigits"),
        (gather(finishOnKey="##"), "finishOnKey"),
        (gather(input="keys"), "input"),
        (gather(actionOnEmptyResult="yes"), "actionOnEmptyResult"),
        (gather(language="english!"), "language"),
        (gather(hints="x" * 101), "hints"),
        (gather(hints=",".join("x" * 501)), "hints"),
        (gather(speechTimeout="auto", speechModel="phone_call"), "speechModel"),
        (gather(action="//elsewhere.org/key", numDigits="1"), "another host"),
        ("<Say>Hello.</Say>", "name voice and language"),
        ('<Say language="en-US">Hello.</Say>', "name voice and language"),
        ('<Say voice="alice">Hello.</Say>', "name voice and language"),
        (say("  "), "13520"),
        (say("<break/>"), "13520"),
        (say("Hello.", voice="Joanna"), "by 'Joanna'"),
        (say("Hello.", voice="Polly"), "by 'Polly'"),
        (say("Hello.", voice="alice.Neural"), "by 'alice.Neural'"),
        (say("<s>Hello.</s>", voice="alice"), "SSML needs"),
        (say("<b>Hello.</b>"), "unknown verb"),
        (say("<break>Hello.</break>"), "inside <break>"),
        (say("<Play>/a.mp3</Play>"), "<Play> in <Say>"),
        (say('<break length="1s"/>a'), "<break length>"),
        (say("a" * 3001), "13521: at most 3000"),
        (say("a" * 4097, voice="alice"), "13521: at most 4096"),
        (say("a" * 5001, voice="Google.en-US-Wavenet-A"), "13521"),
        (say("क" * 501, voice="Google.hi-IN-Neural2-A", language="hi-IN"), "4509 once URL-encoded"),
        (HELLO.replace("<Say", '<Say loop="0"'), "loop"),
        ("<Play/>", "empty <Play>"),
        ('<Play digits="1">/ok.mp3</Play>', "<Play digits>"),
        ("<Play>/none.mp3</Play>", "404.*11200"),
        ("<Play>/empty.mp3</Play>", "200, 0 bytes"),
        ("<Play>/ogg.mp3</Play>", "audio/ogg.*12300"),
        ("<Redirect/>", "empty <Redirect>"),
        ("<Redirect>/voice</Redirect>", "endless loop"),
        ("<Redirect>https://127.0.0.1:5000/voice</Redirect>", "another host"),
        ('<Reject reason="asleep"/>', "reason"),
        ("<Hangup>now</Hangup>", "Words 'now'"),
        ("<Dial/>", "13223"),
        ("<Dial>Mombasa</Dial>", "13223"),
        ("<Dial>+1500<Number>+1501</Number></Dial>", "either or"),
        ("<Dial><Sip>sip:a@b</Sip></Dial>", "<Sip>"),
    ],
)
def test_a_document_that_breaks_a_rule_stops_the_call(inside: str, complaint: str) -> None:
    pages = {
        "empty.mp3": Response(b"", content_type="audio/mpeg"),
        "ogg.mp3": Response(b"Ogg", content_type="audio/ogg"),
    }
    with pytest.raises(PhoneError, match=complaint):
        calling(xml(inside + END), **pages).press("1")


@pytest.mark.parametrize(
    "inside", ["", HELLO, gather().replace("<Redirect>/quiet</Redirect>", ""), "<Dial>+1500</Dial>"]
)
def test_a_document_must_end_in_a_verb_that_ends_it(inside: str) -> None:
    with pytest.raises(PhoneError, match="falls off"):
        calling(xml(inside))


@pytest.mark.parametrize(
    "inside",
    [
        say("a" * 3000),
        say("a" * 4096, voice="alice"),
        say("a" * 4500, voice="Google.en-US-Wavenet-A"),
        say("क" * 500, voice="Google.hi-IN-Neural2-A", language="hi-IN"),
    ],
)
def test_at_the_limit_a_say_still_passes(inside: str) -> None:
    assert calling(xml(inside + END)).over


def test_silence_that_leads_in_a_circle_is_an_endless_loop() -> None:
    line = Line(**dict.fromkeys(("voice", "quiet", "key"), xml(gather(numDigits="1"))))
    call = phone(line).call()
    for _ in range(60):
        call.press("1")
    for _ in range(49):
        call.wait()
    with pytest.raises(PhoneError, match="endless loop"):
        call.wait()


def test_its_attributes_are_those_of_twilios_own_library() -> None:
    nests = {name: voice for name, voice in vars(voice_response).items() if isinstance(voice, type)}
    for owner, tag, method in [
        ("VoiceResponse", "Say", "say"),
        ("VoiceResponse", "Play", "play"),
        ("VoiceResponse", "Gather", "gather"),
        ("VoiceResponse", "Redirect", "redirect"),
        ("VoiceResponse", "Reject", "reject"),
        ("VoiceResponse", "Dial", "dial"),
        ("Dial", "Number", "number"),
        *(("Say", tag, tag.replace("-", "_").replace("break", "break_")) for tag in SSML.split()),
    ]:
        known = inspect.signature(getattr(nests[owner], method)).parameters
        flat = {name.replace("_", "").lower() for name in known}
        mine = {name.replace(":", "").replace("-", "").lower() for name in VOICE_RULES[tag].takes.split()}
        assert mine <= flat, tag


# --- Calls: what is met --------------------------------------------------------------------------------


def test_what_is_said_and_played_is_heard() -> None:
    page = xml(say("One <emphasis>very</emphasis><break/>fine<s>day.</s><s>So <sub alias='x'>AC</sub></s>") + END)
    assert calling(page).heard == [Spoken("One very fine day. So AC", "en-US", "Polly.Joanna-Neural")]
    line = Line(
        voice=xml('<Play loop="2">audio/a.mp3</Play><Hangup/>'),
        **{"audio/a.mp3": Response(b"ID3", content_type="audio/mpeg")},
    )
    call = phone(line).call()
    assert call.heard == [Played("http://127.0.0.1:5000/audio/a.mp3", "audio/mpeg", 3)] * 2
    assert call.lines == ["[audio] /audio/a.mp3"] * 2 + ["(hangs up)"]
    assert "X-Twilio-Signature" not in line.met[-1].headers


def test_a_rejected_call() -> None:
    call = calling(xml('<Reject reason="busy"/>'))
    assert (call.over, call.ended_by, call.lines) == (True, "reject", ["(rejects)"])
    with pytest.raises(PhoneError, match="over"):
        call.press("1")


def echo(request: Request) -> str:
    """Says what it was sent."""
    form = form_of(request) | request.args.to_dict()
    keys = ("Digits", "SpeechResult", "Confidence", "DialCallStatus")
    return xml(say(" ".join(f"{key}={form[key]}" for key in keys if key in form) or "nothing") + END)


def waiting(**attributes: str):
    """A call that waits at a Gather, whose action says what it was sent."""
    quiet = xml(say("Are you there?") + END)
    return calling(xml(gather(**attributes)), key=echo, quiet=quiet)


def test_a_key_goes_to_the_action() -> None:
    call = waiting(numDigits="1", finishOnKey="")
    assert (heard(call.heard), call.over) == (["[en] Hello."], False)
    assert heard(call.press("1")) == ["[en] Digits=1"]
    assert (call.over, call.ended_by, call.path) == (True, "hangup", "/key")


@pytest.mark.parametrize(
    ("attributes", "keys", "met"),
    [
        ({"numDigits": "1"}, "#", "Are you there?"),  # pressed first, it counts as no input
        ({"numDigits": "1", "finishOnKey": ""}, "#", "Digits=#"),
        ({"numDigits": "1", "finishOnKey": "*"}, "#", "Digits=#"),
        ({"numDigits": "1", "finishOnKey": "*"}, "*", "Are you there?"),
        ({"numDigits": "2"}, "12", "Digits=12"),
        ({"numDigits": "3"}, "12#", "Digits=12"),
        ({}, "123#", "Digits=123"),
        ({"actionOnEmptyResult": "true"}, "#", "Digits="),
        ({"input": "dtmf speech", "numDigits": "1"}, "4", "Digits=4"),
        ({"numDigits": "1", "method": "GET"}, "4", "Digits=4"),
    ],
)
def test_keys(attributes: dict[str, str], keys: str, met: str) -> None:
    call = waiting(**attributes)
    for key in keys[:-1]:
        assert call.press(key) == []
    assert heard(call.press(keys[-1])) == [f"[en] {met}"]


def test_silence_runs_the_next_verb_or_sends_what_was_pressed() -> None:
    assert heard(waiting().wait()) == ["[en] Are you there?"]
    assert heard(waiting(actionOnEmptyResult="true").wait()) == ["[en] Digits="]
    call = waiting()
    call.press("7")
    assert heard(call.wait()) == ["[en] Digits=7"]


def test_speech_is_heard_only_where_it_is_awaited() -> None:
    call = waiting(input="dtmf speech")
    assert heard(call.say("side effects")) == ["[en] SpeechResult=side effects Confidence=0.9"]
    assert heard(waiting().say("side effects")) == ["[en] Are you there?"]
    assert heard(waiting(input="speech").say(" ")) == ["[en] Are you there?"]
    first_a_key = waiting(input="dtmf speech")
    first_a_key.press("7")
    assert heard(first_a_key.say("side effects")) == ["[en] Digits=7"]
    deaf = waiting(input="speech")
    assert deaf.press("1") == []
    assert not deaf.over


@pytest.mark.parametrize("key", ["", "12", "a", "٢"])
def test_a_phone_has_twelve_keys(key: str) -> None:
    with pytest.raises(PhoneError, match="0 to 9"):
        waiting().press(key)


def test_without_an_action_the_keys_go_to_the_same_document() -> None:
    def page(request: Request) -> object:
        return echo(request) if "Digits" in form_of(request) else xml(gather().replace(' action="/key"', ""))

    call = calling(page)
    call.press("5")
    assert heard(call.press("#")) == ["[en] Digits=5"]


def test_a_dialled_number_does_not_answer() -> None:
    after = say("Nobody is there.") + END
    call = calling(xml("<Dial><Number>+254700000002</Number><Number>988</Number></Dial>" + after))
    assert call.dialled == ["+254700000002", "988"]
    assert call.lines == ["(dials +254700000002)", "(dials 988)", "[en] Nobody is there.", "(hangs up)"]


@pytest.mark.parametrize("status", ["no-answer", "completed"])
def test_the_action_of_a_dial_learns_how_it_ended(status: str) -> None:
    line = Line(voice=xml('<Dial action="/after">+254700000002</Dial>'), after=echo)
    assert heard(phone(line, dial_status=status).call().heard) == [f"[en] DialCallStatus={status}"]


# --- Over real HTTP ------------------------------------------------------------------------------------


class Quiet(WSGIRequestHandler):
    def log_message(self, *said) -> None: ...


@pytest.fixture
def served() -> Iterator[tuple[str, Line]]:
    line = Line(sms=FINE, voice=xml(gather()), key=echo, moved=Response("", 302, {"Location": "/sms"}))
    with make_server("127.0.0.1", 0, line, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", line
        server.shutdown()
        thread.join()


def test_it_reaches_a_running_line(served: tuple[str, Line]) -> None:
    base_url, line = served
    here = Phone(over_http(5), base_url, TOKEN)
    assert [text.body for text in here.text("¿qué? & +1")] == ["fine"]
    call = here.call()
    call.press("5")
    assert heard(call.press("#")) == ["[en] Digits=5"]
    for request in line.met:
        signature = request.headers["X-Twilio-Signature"]
        assert RequestValidator(TOKEN).validate(request.url, form_of(request), signature)
    line.pages["sms"] = line.pages["moved"]
    with pytest.raises(PhoneError, match="redirect 302"):
        here.text("HELLO")


def test_a_line_that_is_not_there() -> None:
    with pytest.raises(PhoneError, match=r"No answer.*11205"):
        Phone(over_http(1), "http://127.0.0.1:1").text("HELLO")


# --- Conversations as text files -----------------------------------------------------------------------


def talker(request: Request) -> str:
    form = form_of(request)
    if form["Body"] == "silence":
        return xml("")
    words = f"{form['From']} {form['FromCountry']} sent {form['Body']!r} and {form['NumMedia']} pictures"
    return xml(f"<Message>{words}\n\nA last line.</Message><Message>And more.\nYes.</Message>")


def phone_for(number: str, country: str | None) -> Phone:
    line = Line(
        sms=talker,
        voice=xml(gather(HELLO + "<Play>/a.mp3</Play>", numDigits="1", input="dtmf speech")),
        quiet=xml(gather(numDigits="1", input="dtmf speech")),
        key=echo,
        **{"a.mp3": Response(b"ID3", content_type="audio/mpeg")},
    )
    return phone(line, number=number, country=country)


CONVERSATION = """\
# Why this matters.
from +254700000001
country KE

> SIDE EFFECTS
< +254700000001 KE sent 'SIDE EFFECTS' and 0 pictures
<
< A last line.
<< And more.
< Yes.
> (picture)
< +254700000001 KE sent '' and 1 pictures
<
< A last line.
<< And more.
< Yes.
# Nothing comes back to this one.
> silence

> (call)
< [en] Hello.
< [audio] /a.mp3
> (wait)
< [en] Hello.
> (press 2)
< [en] Digits=2
< (hangs up)
> (call)
< [en] Hello.
< [audio] /a.mp3
> (say side effects)
< [en] SpeechResult=side effects Confidence=0.9
< (hangs up)
"""


def test_a_conversation_that_goes_as_written_comes_back_unchanged() -> None:
    assert play(CONVERSATION, phone_for) == CONVERSATION


def test_what_the_line_starts_itself_is_received_and_answered() -> None:
    def caller(request: Request) -> str:
        form = form_of(request)
        return xml(say(" ".join(form[key] for key in ("From", "To", "ToCountry", "Direction", "CallStatus"))) + END)

    used = phone(Line(back=caller), number="+254700000001", country="KE")
    used.inbox += [Incoming(body="One."), Incoming(url=f"{used.base_url}/back"), Incoming(body="Two.")]
    script = """\
from +254700000001
country KE
> (receive)
< One.
<< Two.
< (rings)
> (answer)
< [en] +15005550001 +254700000001 KE outbound-api in-progress
< (hangs up)
> (receive)
"""
    assert play(script, lambda number, country: used) == script
    with pytest.raises(PhoneError, match="Nothing rings"):
        used.answer()


def test_no_reply_stays_unseen_and_no_line_is_believed() -> None:
    bare = "\n".join(line for line in CONVERSATION.split("\n") if not line.startswith("<"))
    assert play(bare, phone_for) == CONVERSATION
    assert play(CONVERSATION.replace("< Yes.\n", "< No.\n< Never.\n"), phone_for) == CONVERSATION


def test_without_a_header_the_number_is_twilios_test_number() -> None:
    assert "\n< +15005550006  sent '' and 0 pictures\n" in play("> (empty)\n", phone_for)


@pytest.mark.parametrize(
    "line",
    [
        "> (press 1)",
        "> (pres 1)",
        "> (picture 2)",
        "> (call)\n> (press)",
        "> (call)\n> (wait 3)",
        "> (answer)",
        ">",
        "hello",
    ],
)
def test_a_line_that_is_no_turn_is_an_error(line: str) -> None:
    with pytest.raises(ValueError, match="turn"):
        play(line, phone_for)


def test_an_error_names_the_line_of_the_script() -> None:
    with pytest.raises(PhoneError) as stopped:
        play("> (call)\n> (press 12)", phone_for)
    assert stopped.value.__notes__ == ["line 2 of the script: > (press 12)"]


def test_a_header_after_the_first_turn_is_an_error() -> None:
    with pytest.raises(ValueError, match="header"):
        play("> hello\nfrom +1500", phone_for)
