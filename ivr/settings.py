"""Settings from the environment: frozen, and strict at start-up, where a fault is named with its remedy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from phonenumbers import SUPPORTED_REGIONS

HOME = Path(__file__).resolve().parent.parent
DATABASE = "sqlite:///var/line.db"
AUDIO = HOME / "var" / "audio"
OUTBOUND_DAILY = 500  # texts and calls the line itself starts: a bill nobody is surprised by

DEMO_TOKEN, DEMO_KEY = "demo-token", "only-for-a-demo-on-this-very-laptop"  # printed for all to read: no secrets
SECRET_VARIETY = 8  # different characters; random hexadecimal digits have all sixteen
METRICS_LENGTH = 16  # characters of the token that opens /metrics
SECRET_LENGTH = 32  # characters; shorter keys could be guessed from the hashes of known numbers


class SettingsError(Exception):
    """The line cannot start; the message says which settings are wrong and what to put there."""


@dataclass(frozen=True, slots=True)
class Helper:
    """A person who answers the phone: for callers of one language or of all, within hours of the day or always."""

    number: str
    language: str = ""
    opens: time = time.min
    closes: time = time.max
    zone: str = "UTC"

    def answers(self, language: str, now: datetime) -> bool:
        """Whether to call at this moment (an aware time); hours may reach over midnight."""
        local = now.astimezone(ZoneInfo(self.zone)).time()
        if self.opens <= self.closes:
            within = self.opens <= local < self.closes
        else:
            within = local >= self.opens or local < self.closes
        return within and self.language in ("", language)


@dataclass(frozen=True, slots=True)
class Settings:
    """All that an operator can set. The README explains each; a test holds the two together."""

    account_sid: str
    auth_tokens: tuple[str, ...]
    base_url: str
    secret_key: str
    reviewed_only: bool
    database_url: str = DATABASE
    languages: tuple[str, ...] = ()
    optout: str = "carrier"
    default_country: str | None = None
    countries: tuple[str, ...] = ()
    content: Path | None = None
    audio: Path = AUDIO
    audio_base_url: str = ""
    helpers: tuple[Helper, ...] = ()
    callback: bool = False
    outbound_countries: tuple[str, ...] = ()
    outbound_daily: int = OUTBOUND_DAILY
    redis_url: str = ""
    metrics_token: str = ""
    console_password_hash: str = ""
    api_url: str = ""
    demo: bool = False

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Read the settings of production. Raises SettingsError with every fault at once."""
        return cls._read(env, faults_of(env))

    @classmethod
    def _read(cls, env: Mapping[str, str], faults: list[str]) -> Settings:
        if faults:
            raise SettingsError("The line cannot start:\n" + "\n".join(f"- {fault}" for fault in faults))
        return cls(
            account_sid=env["TWILIO_ACCOUNT_SID"].strip(),
            auth_tokens=listed(env["TWILIO_AUTH_TOKEN"]),
            base_url=env["IVR_BASE_URL"].strip().rstrip("/"),
            secret_key=env["IVR_SECRET_KEY"],
            reviewed_only=env["IVR_REVIEWED_ONLY"] == "1",
            database_url=env.get("DATABASE_URL") or DATABASE,
            languages=listed(env.get("IVR_LANGUAGES", "")),
            optout=env.get("IVR_OPTOUT") or "carrier",
            default_country=env.get("IVR_DEFAULT_COUNTRY", "").strip().upper() or None,
            countries=listed(env.get("IVR_COUNTRIES", "").upper()),
            content=own_content(env),
            audio=audio_folder(own_content(env)),
            audio_base_url=env.get("AUDIO_BASE_URL", "").strip().rstrip("/"),
            helpers=tuple(helper(each) for each in listed(env.get("IVR_TRANSFER_NUMBER", ""))),
            callback=env.get("IVR_CALLBACK", "").strip() == "1",
            outbound_countries=listed(env.get("IVR_OUTBOUND_COUNTRIES", "").upper()),
            outbound_daily=int(env.get("IVR_OUTBOUND_DAILY", "").strip() or OUTBOUND_DAILY),
            redis_url=env.get("REDIS_URL", "").strip(),
            metrics_token=env.get("IVR_METRICS_TOKEN", "").strip(),
            console_password_hash=env.get("IVR_CONSOLE_PASSWORD_HASH", "").strip(),
            api_url=env.get("TWILIO_API_URL", "").strip().rstrip("/"),
        )

    @classmethod
    def for_demo(cls, base_url: str, env: Mapping[str, str]) -> Settings:
        """Settings of a laptop: whatever the environment leaves out gets a value that works only there."""
        filled = {
            "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
            "TWILIO_AUTH_TOKEN": DEMO_TOKEN,
            "IVR_BASE_URL": base_url,
            "IVR_SECRET_KEY": DEMO_KEY,
            "IVR_REVIEWED_ONLY": "0",
            "IVR_OUTBOUND_COUNTRIES": ",".join(sorted(SUPPORTED_REGIONS)),
        } | {name: value for name, value in env.items() if value}
        return replace(cls._read(filled, [*_missing(filled), *_wrong(filled)]), demo=True)


def faults_of(env: Mapping[str, str]) -> list[str]:
    """What is wrong with these settings, each beginning with the setting's name and saying what to put there."""
    return [*_missing(env), *_wrong(env), *_guessable(env)]


def own_content(env: Mapping[str, str]) -> Path | None:
    """The operator's folder over the shipped words."""
    return Path(env["IVR_CONTENT"].strip()) if env.get("IVR_CONTENT", "").strip() else None


def audio_folder(own: Path | None) -> Path:
    """Where recordings are kept: in the operator's folder (`own_content`), if she has one."""
    return own / "audio" if own else AUDIO


def listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


_HOST = r"https?://([A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(:[0-9]{1,5})?"
_COUNTRIES = "[A-Za-z]{2}( *, *[A-Za-z]{2})*"
_URL = re.compile(_HOST + "/?", re.ASCII)
_FOLDER_URL = re.compile(_HOST + "(/[A-Za-z0-9._~-]+)*/?", re.ASCII)
_ACCOUNT = (
    "(AC[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})?"  # Twilio's; SignalWire's, Somleng's
)
_HELPER = re.compile(
    r"(?:(?P<language>[a-z]{2,3})=)?(?P<number>\+[1-9]\d{6,14})"
    r"(?:@(?P<opens>\d\d:\d\d)-(?P<closes>\d\d:\d\d)(?: (?P<zone>[A-Z]\w+(?:/\w+)*))?)?",
    re.ASCII,
)


def helper(text: str) -> Helper:
    """A number: `+15005550009`, or `sw=+15005550009@08:00-17:00 Africa/Nairobi` for one language, within hours.

    The time zone may be left out where the number's country has one only. Raises ValueError where it is none.
    """
    read = _HELPER.fullmatch(text)
    if read is None:
        raise ValueError(text)
    language, number = read["language"] or "", read["number"]
    if not read["opens"]:
        return Helper(number, language)
    zone = read["zone"] or _only_zone(number)
    ZoneInfo(zone)  # raises ZoneInfoNotFoundError for one that is not
    return Helper(number, language, time.fromisoformat(read["opens"]), time.fromisoformat(read["closes"]), zone)


def _only_zone(number: str) -> str:
    from phonenumbers import parse, timezone  # a large table, for those who set hours only

    zones = set(timezone.time_zones_for_number(parse(number))) - {timezone.UNKNOWN_TIMEZONE}
    if len(zones) != 1:
        raise ValueError(number)
    return str(zones.pop())


def _is_helper(text: str) -> bool:
    try:
        return bool(helper(text))
    except (ValueError, ZoneInfoNotFoundError):
        return False


_REQUIRED = {
    "TWILIO_ACCOUNT_SID": "the account's SID from the Twilio console (AC and 32 digits)",
    "TWILIO_AUTH_TOKEN": "the account's auth token; two, comma-separated, during a rotation",
    "IVR_BASE_URL": "the public URL that Twilio calls, such as https://line.example.org",
    "IVR_SECRET_KEY": "a long random text that keys the hashes of phone numbers: openssl rand -hex 32",
    "IVR_REVIEWED_ONLY": "1 to offer only languages that a named person has approved, or 0 to offer drafts",
}


def _missing(env: Mapping[str, str]) -> list[str]:
    return [f"{name} is not set: {what}" for name, what in _REQUIRED.items() if not env.get(name, "").strip()]


def _wrong(env: Mapping[str, str]) -> list[str]:
    faults = []
    url, country = env.get("IVR_BASE_URL", "").strip(), env.get("IVR_DEFAULT_COUNTRY", "").strip()
    if url and not _URL.fullmatch(url):
        faults.append("IVR_BASE_URL must be scheme and host only, such as https://line.example.org")
    if not _FOLDER_URL.fullmatch(env.get("AUDIO_BASE_URL", "").strip() or "https://none"):
        faults.append(
            "AUDIO_BASE_URL must be the URL of a folder of recordings, such as https://audio.example.org/line"
        )
    if not re.fullmatch(_ACCOUNT, env.get("TWILIO_ACCOUNT_SID", "").strip()):
        faults.append("TWILIO_ACCOUNT_SID must be AC and 32 digits, as the Twilio console shows it (elsewhere a UUID)")
    if env.get("TWILIO_AUTH_TOKEN", "").strip() and not listed(env["TWILIO_AUTH_TOKEN"]):
        faults.append("TWILIO_AUTH_TOKEN holds no token")
    if not re.fullmatch("([A-Za-z]{2})?", country):
        faults.append("IVR_DEFAULT_COUNTRY must be a country's two letters, such as KE")
    if env.get("IVR_REVIEWED_ONLY", "").strip() not in ("", "0", "1"):
        faults.append("IVR_REVIEWED_ONLY must be 1 or 0")
    if env.get("IVR_OPTOUT", "carrier") not in ("", "carrier", "line"):
        faults.append("IVR_OPTOUT must be carrier (Twilio answers STOP) or line (we answer it)")
    if not all(_is_helper(each) for each in listed(env.get("IVR_TRANSFER_NUMBER", ""))):
        faults.append(
            "IVR_TRANSFER_NUMBER must be numbers such as +15005550009 or sw=+15005550009@08:00-17:00 Africa/Nairobi; "
            "only where the number's country has one time zone may it be left out"
        )
    if 0 < len(env.get("IVR_SECRET_KEY", "")) < SECRET_LENGTH:
        faults.append(f"IVR_SECRET_KEY is shorter than {SECRET_LENGTH} characters: openssl rand -hex 32")
    return faults + _wrong_outbound(env)


def _guessable(env: Mapping[str, str]) -> list[str]:
    """Secrets that are none. What they are is not told."""
    faults = []
    key, metrics = env.get("IVR_SECRET_KEY", ""), env.get("IVR_METRICS_TOKEN", "").strip()
    if DEMO_TOKEN in listed(env.get("TWILIO_AUTH_TOKEN", "")):
        faults.append("TWILIO_AUTH_TOKEN is the demo's, which everybody knows: take yours from the Twilio console")
    if key == DEMO_KEY or (len(key) >= SECRET_LENGTH and len(set(key)) < SECRET_VARIETY):
        faults.append("IVR_SECRET_KEY can be guessed: openssl rand -hex 32")
    if 0 < len(metrics) < METRICS_LENGTH:
        faults.append(f"IVR_METRICS_TOKEN is shorter than {METRICS_LENGTH} characters: openssl rand -hex 32")
    return faults


def _wrong_outbound(env: Mapping[str, str]) -> list[str]:
    """Faults in whom the line may answer, and what it may send by itself."""
    rules = {
        "IVR_CALLBACK": ("[01]", "must be 1 (reject a call and ring back) or 0"),
        "IVR_COUNTRIES": (_COUNTRIES, "must be countries' two letters, such as KE,TZ"),
        "IVR_OUTBOUND_COUNTRIES": (_COUNTRIES, "must be countries' two letters, such as KE,TZ"),
        "IVR_OUTBOUND_DAILY": ("[0-9]{1,6}", "must be a number: the most texts and calls in 24 hours"),
        "REDIS_URL": ("(rediss?|unix)://.+", "must be an address such as redis://localhost:6379/0"),
        "IVR_CONSOLE_PASSWORD_HASH": (r"\$argon2id\$.+", "must be what ivr console password prints, quoted as 'it' is"),
        "TWILIO_API_URL": (_FOLDER_URL.pattern, "must have scheme and host, such as https://api.twilio.com"),
    }
    read = {name: env.get(name, "").strip() for name in rules}
    return [
        f"{name} {rules[name][1]}" for name, said in read.items() if said and not re.fullmatch(rules[name][0], said)
    ]
