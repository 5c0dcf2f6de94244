"""What stands for a number where it must be known again: keyed hashes, most of them under a key that passes."""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PERIOD = 90 * 24 * 3600.0  # seconds for which one key serves, and then once more to be read
PERIODS = 3  # the current one, the one before, and what may wait there to be deleted


class Pseudonyms:
    """Hashes of one secret: 64 hexadecimal digits each, HMAC-SHA256."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def lasting(self, number: str) -> str:
        """Never changes: for opt-outs, which hold until the person comes back."""
        return _hash(self._secret, number)

    def passing(self, number: str, now: float, periods: int = 2) -> tuple[str, ...]:
        """The hash of this period of 90 days, then those of the periods before; `now`: seconds of 1970.

        Whoever is met under an older one is brought under the first. So a number that nobody heard of for two
        periods is not known again, and rows of different years cannot be told to be of one person without the secret.
        """
        period = int(now // PERIOD)
        return tuple(_hash(_key(self._secret, period - age), number) for age in range(periods))


def _hash(key: bytes, number: str) -> str:
    return hmac.digest(key, number.encode(), hashlib.sha256).hex()


@lru_cache(maxsize=16)
def _key(secret: bytes, period: int) -> bytes:
    return HKDF(SHA256(), length=32, salt=None, info=f"callers {period}".encode()).derive(secret)
