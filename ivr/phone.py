"""The simulated phone: a stranger that texts and calls the line, as strict as Twilio and Somleng together.

It imports nothing of the line, nor Twilio's library, which the line uses: it signs by the documentation.
Numbers in its complaints are Twilio's error codes. It keeps no cookies, since Somleng has none.
"""

import base64
import hmac
import re
import uuid
import xml.etree.ElementTree as ET
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, NoReturn
from urllib.parse import quote, urldefrag, urlencode, urljoin, urlsplit

import requests
import smsutil
from werkzeug.test import Client

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

MOST_BYTES = 64 * 1024
MOST_REPLIES = 10
MOST_CHARACTERS = 1600
MOST_ENCODED = 4500
MOST_TEXT_DOCUMENTS = 50  # Twilio's own limit for a message
MOST_CALL_DOCUMENTS = 50  # ours: Twilio only stops a call after four hours, and bills them
TWIML_TYPES = {"text/xml", "application/xml", "text/html"}
AUDIO_TYPES = re.compile("audio/(mpeg|wav|wave|x-wav|aiff|x-aifc|x-aiff|x-gsm|gsm|ulaw)")
LONGEST_SAY = {"Polly": 3000, "Google": 5000, "man": 4096, "woman": 4096, "alice": 4096}
XML_SPACE = "{http://www.w3.org/XML/1998/namespace}"
PLACE = ("Country", "City", "State", "Zip")
AGENT = {"User-Agent": "TwilioProxy/1.1"}
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}


class PhoneError(Exception):
    """Twilio or Somleng would have refused this: what, where, and by which rule."""

    def __init__(self, what: str, where: str, rule: str) -> None:
        super().__init__(f"{what}, at {where}: {rule}")
        self.what, self.where, self.rule = what, where, rule


def refuse(what: str, where: str, rule: str) -> NoReturn:
    raise PhoneError(what, where, rule)


# --- Reaching the line ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answered:
    """An HTTP answer, however it was fetched."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def header(self, name: str) -> str | None:
        return {key.lower(): value for key, value in self.headers.items()}.get(name.lower())

    @property
    def type(self) -> str:
        return (self.header("Content-Type") or "").partition(";")[0].strip().lower()


Transport = Callable[[str, str, Mapping[str, str], Mapping[str, str]], Answered]


def over_wsgi(app: "WSGIApplication") -> Transport:
    """Real WSGI requests to an application in this process."""
    client = Client(app, use_cookies=False)

    def send(method: str, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Answered:
        host, _, path = url.partition("//")[2].partition("/")
        answer = client.open(
            f"/{path}",
            base_url=f"{urlsplit(url).scheme}://{host}",
            method=method,
            data=urlencode(form) or None,
            headers=dict(headers),
            buffered=True,
        )
        return Answered(answer.status_code, dict(answer.headers), answer.get_data())

    return send


def over_http(timeout: float = 15) -> Transport:
    """Real HTTP. Twilio waits 15 s for the whole answer, and 5 s of them for a connection."""

    def send(method: str, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Answered:
        try:
            with requests.Session() as session:
                session.trust_env = False  # this machine's proxy and .netrc are not Twilio's
                answer = session.request(
                    method,
                    url,
                    data=urlencode(form) or None,
                    headers=dict(headers),
                    timeout=(min(5, timeout), timeout),
                    allow_redirects=False,
                )
        except requests.RequestException as error:
            raise PhoneError("No answer", url, f"11200, 11205: {error}") from error
        return Answered(answer.status_code, dict(answer.headers), answer.content)

    return send


def sign(token: str, url: str, form: Mapping[str, str], *, call: bool = False) -> str:
    """X-Twilio-Signature: HMAC-SHA1 of the URL, then "each name and value appended, sorted by name".

    User and password are never signed, and "the port is dropped for calls over HTTPS".
    """
    url = re.sub(r"^(https?://)[^/?@]*@", r"\1", url)
    if call:
        url = re.sub(r"^(https://[^/?]+?):\d+(?=[/?]|$)", r"\1", url)
    text = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.digest(token.encode(), text.encode(), "sha1")).decode()


# --- TwiML: what may stand where -----------------------------------------------------------------------


class Rule(NamedTuple):
    takes: str  # attributes
    holds: str  # elements
    words: bool = False


SSML = "break emphasis lang p phoneme prosody s say-as sub w"
REDIRECT = Rule("method", "", words=True)
# <Message action> and <Media> are Twilio's too, but nothing here follows them, so they are refused.
MESSAGE_RULES = {
    "Response": Rule("", "Message Redirect"),
    "Message": Rule("to from statusCallback", "Body", words=True),
    "Body": Rule("", "", words=True),
    "Redirect": REDIRECT,
}
VOICE_RULES = {
    "Response": Rule("", "Say Play Gather Redirect Hangup Reject Dial"),
    "Say": Rule("voice language loop", SSML, words=True),
    "Play": Rule("loop", "", words=True),
    "Gather": Rule(
        "input action method timeout speechTimeout maxSpeechTime profanityFilter finishOnKey numDigits "
        "partialResultCallback partialResultCallbackMethod language hints bargeIn debug "
        "actionOnEmptyResult speechModel enhanced",
        "Say Play",  # and Pause, which Somleng refuses
    ),
    "Redirect": REDIRECT,
    "Hangup": Rule("", ""),
    "Reject": Rule("reason", ""),
    "Dial": Rule(
        "action method timeout hangupOnStar timeLimit callerId record answerOnBridge ringTone sequential",
        "Number",
        words=True,
    ),
    "Number": Rule("sendDigits url method statusCallback statusCallbackEvent statusCallbackMethod", "", True),
    "break": Rule("strength time", ""),
    "emphasis": Rule("level", SSML, words=True),
    "lang": Rule("xml:lang", SSML, words=True),
    "p": Rule("", SSML, words=True),
    "phoneme": Rule("alphabet ph", "", words=True),
    "prosody": Rule("volume rate pitch", SSML, words=True),
    "s": Rule("", SSML, words=True),
    "say-as": Rule("interpret-as format", "", words=True),
    "sub": Rule("alias", "", words=True),
    "w": Rule("role", SSML, words=True),
}
ADDRESS = r"[!-~]+"  # 11100: what is not plain ASCII is percent-encoded in a URL
FLAGS = "actionOnEmptyResult bargeIn profanityFilter enhanced hangupOnStar answerOnBridge sequential"
VALUES = dict.fromkeys(FLAGS.split(), "true|false") | {  # 13338
    "method": "GET|POST",
    "action": ADDRESS,
    "loop": r"[1-9]\d{0,2}",  # 0 would be up to 1000 times: a bill
    "language": r"[a-z]{2,3}(-[A-Za-z0-9]+)*",  # 13331
    "input": "dtmf|speech|dtmf speech|speech dtmf",
    "timeout": r"\d+|auto",
    "speechTimeout": r"\d+|auto",
    "maxSpeechTime": r"\d+",
    "timeLimit": r"\d+",
    "numDigits": r"[1-9]\d*",
    "finishOnKey": "[0-9#*]?",  # 13310: one of these, or empty for none
    "reason": "rejected|busy",
}


def plain(element: ET.Element) -> str:
    """The words a person meets, SSML taken out; a pause or the end of a sentence still parts words."""
    gap = " " if element.tag in ("p", "s", "break") else ""
    inner = (element.text or "") + "".join(plain(child) + (child.tail or "") for child in element)
    return gap + inner + gap


def spoken(element: ET.Element) -> str:
    return " ".join(plain(element).split())


def address(element: ET.Element) -> str:
    return (element.text or "").strip()


def parse(body: bytes, url: str) -> ET.Element:
    if len(body) > MOST_BYTES:
        refuse(f"A document of {len(body)} bytes", url, "11750: at most 64 kB")
    if not body.startswith(b"<"):
        refuse(f"A document beginning {body[:20]!r}", url, "12100: nothing before the XML declaration")
    if b"<!DOCTYPE" in body:
        refuse("A document type", url, "TwiML has none, and an entity is no word")
    try:
        root = ET.fromstring(body)  # noqa: S314 (entities were refused above)
    except ET.ParseError as error:
        raise PhoneError("Bad XML", url, f"12100: {error}") from error
    if root.tag != "Response":
        refuse(f"The root <{root.tag}>", url, "12100: the root must be <Response>; case counts")
    return root


def check(element: ET.Element, rules: Mapping[str, Rule], url: str) -> None:
    rule = rules[element.tag]
    check_attributes(element, rule, url)
    stray = (element.text or "") + "".join(child.tail or "" for child in element)
    if stray.strip() and not rule.words:
        refuse(f"Words {stray.strip()[:40]!r} inside <{element.tag}>", url, "12200: no text belongs there")
    for child in element:
        check_place(child.tag, element.tag, rules, url)
        check(child, rules, url)
    if further := FURTHER.get(element.tag):
        further(element, url)


def check_attributes(element: ET.Element, rule: Rule, url: str) -> None:
    for key, value in element.attrib.items():
        name = key.replace(XML_SPACE, "xml:")
        if name not in rule.takes.split():
            known = rule.takes or "none"
            refuse(f"<{element.tag} {name}>", url, f"12200: unknown attribute; this phone knows {known}")
        if not re.fullmatch(VALUES.get(name, ".*"), value, re.DOTALL):
            refuse(f"<{element.tag} {name}={value!r}>", url, f"12200: it must be {VALUES[name]}")


def check_place(child: str, parent: str, rules: Mapping[str, Rule], url: str) -> None:
    if child == "Pause":
        refuse("<Pause>", url, "Somleng stops at it; a pause is inside the speech")
    if child not in rules:
        refuse(f"<{child}> in <{parent}>", url, "12200: unknown verb; case counts")
    if child not in rules[parent].holds.split():
        refuse(f"<{child}> in <{parent}>", url, f"12200: there only {rules[parent].holds or 'nothing'}")


def check_say(say: ET.Element, url: str) -> None:
    voice, language, words = say.get("voice"), say.get("language"), spoken(say)
    what = f"<Say> {words[:40]!r}"
    if not words:
        refuse("An empty <Say>", url, "13520: it needs words")
    if not voice or not language:
        refuse(what, url, "name voice and language: left out, they depend on the account's settings")
    family = voice.partition(".")[0]
    if family not in LONGEST_SAY or (family in ("Polly", "Google")) == (voice == family):
        refuse(f"{what} by {voice!r}", url, "voices are man, woman, alice, Polly.… and Google.…")
    if len(say) and voice == family:
        refuse(f"{what} by {voice!r}", url, "SSML needs a Polly or Google voice")
    # SSML marks are counted too, since no page says that they are free.
    sent = (say.text or "") + "".join(ET.tostring(child, encoding="unicode") for child in say)
    encoded = len(quote(sent, safe=""))
    if len(sent) > (most := LONGEST_SAY[family]) or encoded > MOST_ENCODED:
        rule = f"13521: at most {most} by {family} voices, and {MOST_ENCODED} once URL-encoded"
        refuse(f"<Say> of {len(sent)} characters, {encoded} once URL-encoded", url, rule)


def check_address(element: ET.Element, url: str) -> None:
    if not address(element):
        refuse(f"An empty <{element.tag}>", url, "it needs a URL; Somleng stops at it too")
    if not re.fullmatch(ADDRESS, address(element)):
        refuse(f"<{element.tag}> to {address(element)!r}", url, "11100: no URL; percent-encode it")


def check_gather(gather: ET.Element, url: str) -> None:
    hints = gather.get("hints", "").split(",")
    if len(hints) > 500 or max(map(len, hints)) > 100:
        refuse("<Gather hints>", url, "at most 500 entries of 100 characters")
    if gather.get("speechTimeout") == "auto" and gather.get("speechModel"):
        refuse("<Gather speechTimeout='auto'>", url, "not with a speechModel")


def check_dial(dial: ET.Element, url: str) -> None:
    if len(dial) and ((dial.text or "") + "".join(child.tail or "" for child in dial)).strip():
        refuse("<Dial> with words and <Number>", url, "12200: either or")
    for number in numbers(dial) or [""]:
        if not re.fullmatch(r"\+?\d{2,15}", number):
            refuse(f"<Dial> of {number!r}", url, "13223: not a telephone number")


def numbers(dial: ET.Element) -> list[str]:
    return [address(number) for number in dial] if len(dial) else [address(dial)]


def check_message(message: ET.Element, url: str) -> None:
    words = body_of(message)
    if len(message) > 1 or (len(message) and (message.text or message[0].tail or "").strip()):
        refuse("<Message> with more than one text", url, "12200: words, or one <Body>")
    if not words.strip():
        refuse("An empty <Message>", url, "21619: it needs words")
    if len(words) > MOST_CHARACTERS:
        refuse(f"<Message> of {len(words)} characters", url, "21617: over 1600 is refused whole, not split")


def body_of(message: ET.Element) -> str:
    return (message[0].text if len(message) else message.text) or ""


FURTHER: dict[str, Callable[[ET.Element, str], None]] = {
    "Say": check_say,
    "Play": check_address,
    "Redirect": check_address,
    "Gather": check_gather,
    "Dial": check_dial,
    "Message": check_message,
}


def check_end(root: ET.Element, url: str) -> None:
    """At the end of a document Twilio hangs up without a word, so no way may lead there."""
    last = root[-1] if len(root) else root
    goes_on = last.tag == "Gather" and last.get("actionOnEmptyResult") == "true"
    goes_on = goes_on or (last.tag == "Dial" and bool(last.get("action")))
    if not goes_on and last.tag not in ("Redirect", "Hangup", "Reject"):
        refuse(f"A document ending in <{last.tag}>", url, "the call falls off it: <Hangup> or <Redirect>")


# --- The phone -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Text:
    """A text that came back."""

    body: str
    language: str | None
    encoding: Literal["GSM-7", "UCS-2"]
    segments: int
    to: str


@dataclass(frozen=True)
class Spoken:
    """Words said by a voice."""

    text: str
    language: str
    voice: str

    def __str__(self) -> str:
        return f"[{self.language.partition('-')[0]}] {self.text}"


@dataclass(frozen=True)
class Played:
    """A recording, fetched and found playable."""

    url: str
    type: str
    size: int

    def __str__(self) -> str:
        return f"[audio] {urlsplit(self.url).path}"


class Incoming(NamedTuple):
    """What the line itself starts: a text, or a call whose first document is at this URL."""

    body: str = ""
    url: str = ""


class Document(NamedTuple):
    """One exchange, for the curious."""

    url: str
    form: Mapping[str, str]
    twiml: str


class Phone:
    """A person's phone. `line` is the number it texts and calls, `dial_status` how a <Dial> ends."""

    def __init__(  # noqa: PLR0913 (a phone has these)
        self,
        transport: Transport,
        base_url: str = "http://127.0.0.1:5000",
        token: str = "…",  # noqa: S107 (no secret)
        *,
        account: str = "AC" + "0" * 32,
        number: str = "+15005550006",
        line: str = "+15005550001",
        country: str | None = None,
        dial_status: str = "no-answer",
    ) -> None:
        self.transport, self.base_url, self.token = transport, base_url.rstrip("/"), token
        self.account, self.number, self.line = account, number, line
        self.country, self.dial_status = country or "", dial_status
        self.documents: list[Document] = []  # of the last text
        self.inbox: deque[Incoming] = deque()  # whoever carries for the line appends here
        self.ringing: str | None = None  # URL of the call that waits to be answered

    def text(self, words: str, media: int = 0, **extra: str) -> list[Text]:
        """Sends a text and gives what comes back: nothing, for an empty <Response/>."""
        self.documents = []
        form = self._text_form(words, media) | extra
        replies = list(self._replies("POST", f"{self.base_url}/sms", form))
        if len(replies) > MOST_REPLIES:
            refuse(f"{len(replies)} replies", self.documents[-1].url, "14109: at most 10 to one message")
        return replies

    def call(self, **extra: str) -> "Call":
        """Calls the line and listens until it waits for a key or ends."""
        return Call(self, extra)

    def receive(self) -> list[Text]:
        """The texts that came by themselves; a call that came rings until it is answered, or this is asked again."""
        texts, self.ringing = [], None
        while self.inbox:
            came = self.inbox.popleft()
            if came.url:
                self.ringing = came.url
            else:
                texts.append(Text(came.body, None, *counted(came.body), self.number))
        return texts

    def answer(self) -> "Call":
        """Picks up the call that rings."""
        url, self.ringing = self.ringing, None
        if url is None:
            refuse("Nothing rings", self.base_url, "the line calls first")
        picked_up = {"Direction": "outbound-api", "CallStatus": "in-progress"}
        return Call(self, self.parties("To", "From") | self.parties("Called", "Caller") | picked_up, url)

    def _text_form(self, words: str, media: int) -> dict[str, str]:
        sid, segments = fresh("MM" if media else "SM"), str(counted(words)[1])
        form = dict.fromkeys(("MessageSid", "SmsSid", "SmsMessageSid"), sid) | self.parties("From", "To")
        form |= {"Body": words, "NumMedia": str(media), "NumSegments": segments, "SmsStatus": "received"}
        for index in range(media):
            form[f"MediaUrl{index}"] = f"https://api.twilio.com/Media/{sid}/{index}"
            form[f"MediaContentType{index}"] = "image/jpeg"
        return form

    def parties(self, caller: str, called: str) -> dict[str, str]:
        """Who, and where as far as known: "the rest arrives as empty strings, part of the signature"."""
        form = {side + name: "" for side in (caller, called) for name in PLACE}
        form |= {caller: self.number, called: self.line, f"{caller}Country": self.country}
        return form | {"AccountSid": self.account, "ApiVersion": "2010-04-01"}

    def _replies(self, method: str, url: str, form: Mapping[str, str]) -> Iterator[Text]:
        if len(self.documents) == MOST_TEXT_DOCUMENTS:
            refuse("An endless loop", url, "14106: at most 50 documents to one message")
        document, root, language = self.ask(method, url, form, MESSAGE_RULES)
        self.documents.append(document)
        for verb in root:
            if verb.tag == "Redirect":  # verbs after it never run
                yield from self._replies(*self.next(verb, document.url), form)
                return
            body = body_of(verb)
            yield Text(body, language, *counted(body), verb.get("to", self.number))

    def ask(
        self, method: str, url: str, form: Mapping[str, str], rules: Mapping[str, Rule]
    ) -> tuple[Document, ET.Element, str | None]:
        """One signed request, and the document and language that answer it, checked."""
        url = urldefrag(url).url  # Twilio's #rc=…: neither sent nor signed
        if method == "GET":
            url += ("&" if urlsplit(url).query else "?") + urlencode(form)
        posted, a_call = (form if method == "POST" else {}), rules is VOICE_RULES
        signed = {"X-Twilio-Signature": sign(self.token, url, posted, call=a_call)}
        once = {"I-Twilio-Idempotency-Token": str(uuid.uuid4())}
        answer = self.transport(method, url, posted, AGENT | signed | once | (FORM if posted else {}))
        check_answer(answer, url)
        root = parse(answer.body, url)
        check(root, rules, url)
        if a_call:
            check_end(root, url)
        document = Document(url, form, answer.body.decode("utf-8", "replace"))
        return document, root, answer.header("Content-Language")

    def next(self, element: ET.Element, url: str) -> tuple[str, str]:
        """Method and URL a verb leads to: "relative URLs allowed", but another host is another line."""
        there = address(element) if element.tag == "Redirect" else element.get("action", "")
        target = urljoin(url, there)
        if origin(target) != origin(self.base_url):
            refuse(f"<{element.tag}> to {target}", url, "another host is not the line that was called")
        return element.get("method", "POST"), target

    def fetch_audio(self, url: str, where: str) -> Played:
        """Play files are fetched "without these parameters", so anybody may fetch them."""
        answer = self.transport("GET", url, {}, AGENT)
        if answer.status != 200 or not answer.body:
            what = f"<Play> of {url}: {answer.status}, {len(answer.body)} bytes"
            refuse(what, where, "11200: the file must be there")
        if not AUDIO_TYPES.fullmatch(answer.type):
            refuse(f"<Play> of {url}: {answer.type or 'no type'}", where, "12300, 13420: not a type it plays")
        return Played(url, answer.type, len(answer.body))


def origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def check_answer(answer: Answered, url: str) -> None:
    if 300 <= answer.status < 400:
        refuse(f"A redirect {answer.status}", url, "what is signed then is unsure: never redirect a webhook")
    if not 200 <= answer.status < 300:
        refuse(f"Status {answer.status}", url, f"11200: not executed. It said {answer.body[:80]!r}")
    if answer.type not in TWIML_TYPES:
        what = f"Content-Type {answer.header('Content-Type')!r}"
        refuse(what, url, "12300: TwiML is text/xml; plain text is read out, a missing type counts as 502")


def counted(words: str) -> tuple[Literal["GSM-7", "UCS-2"], int]:
    split = smsutil.split(words)
    return ("GSM-7" if not words or split.encoding == "gsm0338" else "UCS-2"), max(1, len(split.parts))


def fresh(prefix: str) -> str:
    return prefix + uuid.uuid4().hex


class Call:
    """A call, from the first ring. `heard` and `lines` hold what was met since the last key."""

    def __init__(self, phone: Phone, extra: Mapping[str, str], url: str | None = None) -> None:
        self.phone, self.extra, self.sid = phone, dict(extra), fresh("CA")
        self.url = url or f"{phone.base_url}/voice"
        self.heard: list[Spoken | Played] = []
        self.lines: list[str] = []
        self.dialled: list[str] = []
        self.documents: list[Document] = []
        self.ended_by: Literal["hangup", "reject"] | None = None
        self._verbs: list[ET.Element] = []
        self._gather: ET.Element | None = None
        self._keys = ""
        self._unprompted = 0
        self._open("POST", self.url)
        self._run()

    @property
    def over(self) -> bool:
        return self.ended_by is not None

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    def press(self, key: str) -> list[Spoken | Played]:
        """A key, whatever is being said. Where only speech is awaited it is not heard."""
        if not re.fullmatch("[0-9*#]", key):
            refuse(f"The key {key!r}", self.url, "a phone has 0 to 9, * and #, pressed one at a time")
        gather = self._listening()
        if "dtmf" not in gather.get("input", "dtmf"):
            return []
        self._unprompted = 0
        if key == gather.get("finishOnKey", "#"):
            return self._finish()
        self._keys += key
        return self._finish() if str(len(self._keys)) == gather.get("numDigits") else []

    def say(self, words: str, confidence: float = 0.9) -> list[Spoken | Played]:
        """Speech. Where none is awaited, or keys came first ("the first kind heard wins"), it is silence."""
        gather = self._listening()
        if "speech" not in gather.get("input", "dtmf") or self._keys or not words.strip():
            return self._finish()
        self._unprompted = 0
        return self._act(gather, SpeechResult=words, Confidence=str(confidence))

    def wait(self) -> list[Spoken | Played]:
        """Says and presses nothing until the time is up; keys pressed before are sent then."""
        self._listening()
        return self._finish()

    def _listening(self) -> ET.Element:
        if self._gather is None:
            refuse("The call is over", self.url, "nobody hears the person any more")
        self.heard, self.lines = [], []
        return self._gather

    def _finish(self) -> list[Spoken | Played]:
        """The finishing key "pressed first counts as no input": then, as in silence, the next verb runs."""
        gather = self._listening()
        if self._keys or gather.get("actionOnEmptyResult") == "true":
            return self._act(gather, Digits=self._keys)
        self._gather = None
        return self._run()

    def _act(self, gather: ET.Element, **result: str) -> list[Spoken | Played]:
        """Sends what was gathered: to the action, or, where none is named, to this document again."""
        self._gather = None
        self._open(*self.phone.next(gather, self.url), **result)
        return self._run()

    def _open(self, method: str, url: str, **more: str) -> None:
        self._unprompted += 1
        if self._unprompted > MOST_CALL_DOCUMENTS:
            refuse("An endless loop", url, "more than 50 documents without a key or a word: a bill")
        document, root, _ = self.phone.ask(method, url, self._form() | more, VOICE_RULES)
        self.url = urldefrag(url).url
        self.documents.append(document)
        self._verbs = list(root)

    def _form(self) -> dict[str, str]:
        status = "in-progress" if self.documents else "ringing"
        form = {"CallSid": self.sid, "CallStatus": status, "Direction": "inbound"}
        return form | self.phone.parties("From", "To") | self.phone.parties("Caller", "Called") | self.extra

    def _run(self) -> list[Spoken | Played]:
        """Obeys the document until it waits for a key or ends the call."""
        while self._gather is None and not self.over:
            self._obey(self._verbs.pop(0))
        return list(self.heard)

    def _obey(self, verb: ET.Element) -> None:
        match verb.tag:
            case "Say" | "Play":
                self._hear(verb)
            case "Gather":
                for prompt in verb:
                    self._hear(prompt)
                self._gather, self._keys = verb, ""
            case "Redirect":
                self._open(*self.phone.next(verb, self.url))
            case "Dial":
                self._dial(verb)
            case "Reject":
                self._end("reject", "(rejects)")
            case _:
                self._end("hangup", "(hangs up)")

    def _hear(self, verb: ET.Element) -> None:
        met: Spoken | Played
        if verb.tag == "Say":
            met = Spoken(spoken(verb), verb.get("language", ""), verb.get("voice", ""))
        else:
            met = self.phone.fetch_audio(urljoin(self.url, address(verb)), self.url)
        for _ in range(int(verb.get("loop", 1))):
            self.heard.append(met)
            self.lines.append(str(met))

    def _dial(self, dial: ET.Element) -> None:
        """With an action its document goes on; without one, the next verb."""
        self.dialled += numbers(dial)
        self.lines += [f"(dials {number})" for number in numbers(dial)]
        if dial.get("action"):
            outcome = {"DialCallStatus": self.phone.dial_status, "DialCallSid": fresh("CA")}
            self._open(*self.phone.next(dial, self.url), **outcome)

    def _end(self, how: Literal["hangup", "reject"], line: str) -> None:
        self.ended_by = how
        self.lines.append(line)


# --- Conversations as text files -----------------------------------------------------------------------


class Player:
    """Plays a script's turns; the phone is made at the first, when its number and country are known."""

    def __init__(self, phone_for: Callable[[str, str | None], Phone]) -> None:
        self.phone_for = phone_for
        self.header: dict[str, str] = {}
        self.phone: Phone | None = None
        self.call: Call | None = None

    def line(self, line: str) -> list[str]:
        """What stands in the new script for a line of the old one."""
        name, _, value = line.partition(" ")
        if line.startswith("<"):
            return []
        if line.startswith("> "):
            return [line, *(f"<{reply}" for reply in self.turn(line[2:]))]
        if name in ("from", "country") and self.phone is None:
            self.header[name] = value.strip()
        elif line.strip() and not line.startswith("#"):
            raise ValueError("neither a comment, nor a header before the first turn, nor a turn")
        return [line]

    def turn(self, words: str) -> list[str]:
        number, country = self.header.get("from", "+15005550006"), self.header.get("country")
        phone = self.phone = self.phone or self.phone_for(number, country)
        directed = re.fullmatch(r"\((\w+)( ?)(.*)\)", words)
        match directed.groups() if directed else None:
            case None:
                return text_lines(phone.text(words))
            case "picture", "", "":
                return text_lines(phone.text("", media=1))
            case "empty", "", "":
                return text_lines(phone.text(""))
            case "receive", "", "":
                came = text_lines(phone.receive())
                return [*came, " (rings)"] if phone.ringing else came
            case "call", "", "":
                self.call = phone.call()
            case "answer", "", "" if phone.ringing:
                self.call = phone.answer()
            case "press", " ", key if self.call:
                self.call.press(key)
            case "say", " ", said if self.call:
                self.call.say(said)
            case "wait", "", "" if self.call:
                self.call.wait()
            case _:
                turns = "(call) or (answer), then (press 1), (say …), (wait); (picture), (empty), (receive)"
                raise ValueError(f"no such turn here: {turns}")
        return [f" {line}" for line in self.call.lines]


def text_lines(texts: list[Text]) -> list[str]:
    """Every line of every text; the second and later texts begin with a second sign."""
    lines = []
    for index, text in enumerate(texts):
        first, *others = (f" {line}" if line else "" for line in text.body.split("\n"))
        lines += [f"<{first}" if index else first, *others]
    return lines


def play(script: str, phone_for: Callable[[str, str | None], Phone]) -> str:
    """The script with what really came back, so that `play(script, …) == script` is a test."""
    player, played = Player(phone_for), []
    for number, line in enumerate(script.split("\n"), 1):
        try:
            played += player.line(line)
        except (PhoneError, ValueError) as error:
            error.add_note(f"line {number} of the script: {line}")
            raise
    return "\n".join(played)
