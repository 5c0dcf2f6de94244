"""Keeps what takes seconds to compile in a file of our own, so that only the first start of a release waits for it."""

from __future__ import annotations

import hashlib
import logging
import os
import pickle
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

log = logging.getLogger(__name__)

Made = TypeVar("Made")

DIGEST = hashlib.sha256().digest_size
OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


def kept(path: Path, key: bytes, make: Callable[[], Made]) -> Made:
    """What `make` makes of the contents that `key` is the SHA-256 of: from this file, or made now and kept there.

    A file of other contents, a damaged one, or one that another user owns or may write, is as good as none.
    A folder that cannot be written costs time and nothing else.
    """
    made: Made | None = _read(path, key)
    if made is None:
        made = make()
        try:
            _write(path, key, pickle.dumps(made, pickle.HIGHEST_PROTOCOL))
        except OSError as error:
            log.info("%s cannot be kept (%s); the next start compiles again", path.name, error.strerror)
    return made


def _read(path: Path, key: bytes) -> Made | None:
    try:
        with path.open("rb") as file:
            owned = os.fstat(file.fileno())
            if owned.st_uid != os.geteuid() or owned.st_mode & OTHERS_MAY_WRITE:
                return None
            found, digest, content = file.read(DIGEST), file.read(DIGEST), file.read()
    except OSError:
        return None
    if found != key or digest != hashlib.sha256(content).digest():
        return None
    made: Made = pickle.loads(content)  # noqa: S301 - our own user wrote it, whole
    return made


def _write(path: Path, key: bytes, content: bytes) -> None:
    """All of it or nothing, also where two processes start at once; readable to this user alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(key + hashlib.sha256(content).digest() + content)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
