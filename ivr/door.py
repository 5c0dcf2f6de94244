"""The door: only what Twilio signed comes in, and only in the shape that Twilio sends."""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha1
from urllib.parse import quote, unquote

from flask import Request
from twilio.request_validator import SIGNATURE_SETTINGS_HEADER, RequestValidator, get_signature_algorithm

from ivr.settings import Settings

LARGEST_BODY = 64 * 1024  # bytes; a text of 1,600 characters with all its fields takes a fifth of that
MOST_FIELDS = 200

_HEX = "[0-9a-fA-F]"
_UUID = f"{_HEX}{{8}}(-{_HEX}{{4}}){{3}}-{_HEX}{{12}}"  # of SignalWire and Somleng, where Twilio has its SIDs
# The signature does not tell where one value ends and the next name begins, so no value that we act on may hold
# the name of another field. A texter has a number; a caller may hide behind any raw string, and is answered too.
_NUMBER = re.compile(r"([a-z]{1,20}:)?\+?[0-9]{3,20}", re.ASCII)
_RAW = re.compile(r"(?!.*(City|State|Zip|Country|Sid|Status|Version|Direction|Digits))[^\x00-\x1f\x7f]{0,200}")
_REQUIRED: dict[str, dict[str, re.Pattern[str]]] = {
    "sms": {"MessageSid": re.compile(f"(SM|MM){_HEX}{{32}}|{_UUID}"), "From": _NUMBER, "To": _NUMBER},
    "voice": {"CallSid": re.compile(f"CA{_HEX}{{32}}|{_UUID}"), "From": _RAW, "To": _RAW},
    "status": {},
}
_OPTIONAL = {
    "Direction": re.compile(r"[a-z-]{0,40}"),
    "Confidence": re.compile(r"([0-9]{0,2}\.?[0-9]{1,20}([eE][-+]?[0-9]{1,2})?)?"),
    "DialCallStatus": re.compile(r"[a-z-]{0,20}"),
    "Digits": re.compile(r"[0-9*#A-DwW]{0,100}"),
    "NumMedia": re.compile(r"[0-9]{0,4}"),
    "FromCountry": re.compile(r"[A-Za-z]{0,2}"),
}
_PLAIN_URL = re.compile(r"https?://[A-Za-z0-9.-]+/[A-Za-z0-9._~%/-]*", re.ASCII)
# What XML 1.0 cannot hold; a text may contain it, and twilio's TwiML would pass it on malformed.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Refused(Exception):
    """A request that is not let in: an HTTP status, and a sentence for the operator."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def let_in(request: Request, settings: Settings, kind: str) -> dict[str, str]:
    """The form of a signed request, its values cleaned of what XML cannot hold. Raises Refused."""
    if not _signature(request):
        raise Refused(403, "no X-Twilio-Signature: only Twilio's own requests are answered here")
    form = _form(request)
    if not _signed(request, _url(request, settings), form, settings):
        raise Refused(403, "the signature does not match: check TWILIO_AUTH_TOKEN and IVR_BASE_URL")
    if not settings.demo and form.get("AccountSid") != settings.account_sid:  # on a laptop any client may try
        raise Refused(403, "AccountSid is not ours: check TWILIO_ACCOUNT_SID")
    _check_fields(form, kind)
    return {name: _NOT_XML.sub("", value) for name, value in form.items()}


def _form(request: Request) -> dict[str, str]:
    if request.mimetype != "application/x-www-form-urlencoded":
        raise Refused(415, "a form is expected: application/x-www-form-urlencoded")
    if (request.content_length or 0) > LARGEST_BODY:
        raise Refused(413, f"the form is larger than {LARGEST_BODY} bytes")
    try:
        raw = request.get_data(cache=False).decode("ascii")
        if re.search("%(?![0-9A-Fa-f]{2})", raw):
            raise ValueError
        pairs = _pairs(raw)
    except ValueError as error:  # UnicodeError is one too
        raise Refused(400, "the form cannot be read: names and values must be percent-encoded UTF-8") from error
    form = dict(pairs)
    if len(form) != len(pairs):
        raise Refused(400, "a field is repeated")
    return form


def _pairs(raw: str) -> list[tuple[str, str]]:
    """What urllib's parse_qsl gives when it is strict, in a third of its time. Raises ValueError."""
    fields = [field.partition("=") for field in raw.replace("+", " ").split("&")] if raw else []
    if len(fields) > MOST_FIELDS or not all(equals for _, equals, _ in fields):
        raise ValueError
    return [(unquote(name, errors="strict"), unquote(value, errors="strict")) for name, _, value in fields]


def _url(request: Request, settings: Settings) -> str:
    """The URL that Twilio signed: the configured public address and the path exactly as it was sent."""
    raw = (request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or "").partition("?")[0]
    path = raw if raw.startswith("/") else quote(request.path)
    query = request.query_string.decode("latin-1")
    return settings.base_url + path + (f"?{query}" if query else "")


def _signature(request: Request) -> str:
    """Twilio's and Somleng's header; SignalWire's, made in the same way."""
    return request.headers.get("X-Twilio-Signature") or request.headers.get("X-SignalWire-Signature", "")


def _signed(request: Request, url: str, form: Mapping[str, str], settings: Settings) -> bool:
    """Whether one of our tokens signed this. Our own check is quick and may only say yes; else the library decides."""
    signature, kind = _signature(request), request.headers.get(SIGNATURE_SETTINGS_HEADER)
    if kind is None and any(agrees(token, url, form, signature) for token in settings.auth_tokens):
        return True
    algorithm = get_signature_algorithm(kind)
    try:
        return any(RequestValidator(token).validate(url, form, signature, algorithm) for token in settings.auth_tokens)
    except (ValueError, TypeError, AttributeError):  # the library raises on some malformed URLs and values
        return False


def agrees(token: str, url: str, form: Mapping[str, str], signature: str) -> bool:
    """Whether this is the signature that Twilio's library computes first, at a tenth of its cost.

    Only for URLs that the library leaves as they are; False says nothing: it also tries other spellings of the port.
    """
    if not _PLAIN_URL.fullmatch(url):
        return False
    signed = url + "".join([name + form[name] for name in sorted(form)])
    return hmac.compare_digest(b64encode(hmac.digest(token.encode(), signed.encode(), sha1)), signature.encode())


def _check_fields(form: Mapping[str, str], kind: str) -> None:
    for name, pattern in _REQUIRED[kind].items():
        if not pattern.fullmatch(form.get(name, "")):
            raise Refused(400, f"{name} is missing or malformed")
    for name, pattern in _OPTIONAL.items():
        if not pattern.fullmatch(form.get(name, "")):
            raise Refused(400, f"{name} is malformed")
    if kind == "sms" and "Body" not in form:
        raise Refused(400, "Body is missing")
