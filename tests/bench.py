"""make bench: what an answer costs beside bare Flask, in one run, interleaved; only the ratios count."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial

from flask import Flask, Response, request
from twilio.request_validator import RequestValidator

from ivr.app import create_app
from ivr.phone import sign
from ivr.settings import Settings

from .conftest import ACCOUNT, BASE_URL, ENVIRONMENT, TOKEN

ROUNDS, REQUESTS = 7, 200
COMMON = {"AccountSid": ACCOUNT, "From": "+254700000001", "To": "+15005550001", "ApiVersion": "2010-04-01"}
GEOGRAPHY = {f"{end}{name}": "" for end in ("From", "To") for name in ("City", "State", "Zip", "Country")}
TEXT = COMMON | GEOGRAPHY | {"MessageSid": "SM" + "0" * 32, "NumMedia": "0", "Body": "SIDE EFFECTS"}
QUESTION = TEXT | {"Body": "my mother feels dizzy since she takes the tablets, is that normal"}
KEY = COMMON | GEOGRAPHY | {"CallSid": "CA" + "0" * 32, "CallStatus": "in-progress", "Digits": "3"}


def bare(checked: bool) -> Flask:
    app = Flask("bare")

    @app.post("/sms")
    def answer() -> Response:
        if checked:
            signature = request.headers["X-Twilio-Signature"]
            assert RequestValidator(TOKEN).validate(f"{BASE_URL}/sms", request.form.to_dict(), signature)
        return Response("<Response/>", content_type="text/xml")

    return app


def requests(app: Flask, path: str, form: dict[str, str]) -> Callable[[], None]:
    client, headers = app.test_client(), {"X-Twilio-Signature": sign(TOKEN, BASE_URL + path, form)}
    post = partial(client.post, path, data=form, headers=headers, base_url=BASE_URL)

    def burst() -> None:
        for _ in range(REQUESTS):
            assert post().status_code == 200

    return burst


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        line = create_app(Settings.from_env(ENVIRONMENT | {"DATABASE_URL": f"sqlite:///{folder}/line.db"}))
        rungs = {
            "Flask, a constant": requests(bare(False), "/sms", TEXT),
            "Flask + Twilio's validator": requests(bare(True), "/sms", TEXT),
            "the line, a keyword": requests(line, "/sms", TEXT),
            "the line, a question": requests(line, "/sms", QUESTION),
            "the line, a key": requests(line, "/voice/en/KE/menu/0", KEY),
        }
        seconds: dict[str, list[float]] = {name: [] for name in rungs}
        for number in range(ROUNDS):
            print(f"round {number + 1} of {ROUNDS}", flush=True)
            for name, burst in rungs.items():
                start = time.perf_counter()
                burst()
                seconds[name].append(time.perf_counter() - start)
    unit = statistics.median(seconds["Flask + Twilio's validator"])
    for name, times in seconds.items():
        ratio = statistics.median(times) / unit
        print(f"{name:28} {ratio:5.2f}  {'#' * round(ratio * 20)}")


if __name__ == "__main__":
    main()
