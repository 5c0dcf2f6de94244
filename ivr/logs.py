"""What is logged: one JSON line for each answer and each fault, without numbers, texts or tokens."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import TextIO

import structlog
from structlog.tracebacks import Stack, extract
from structlog.typing import EventDict

from ivr.events import Event

FIELDS = (*Event._fields, "ms")
LONG_NUMBER = re.compile(r"\d(?:[ ().-]?\d){5,}", re.ASCII)  # six digits and more may be a person's

_answers = logging.getLogger("ivr.answers")


def configure(stream: TextIO | None = None) -> logging.Handler:
    """Log to a stream, or to standard error; whoever configures twice gets each line twice. Gives the handler."""
    stamps = structlog.processors.TimeStamper(fmt="iso", utc=True)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_log_level, structlog.stdlib.ExtraAdder(allow=FIELDS), stamps],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _scrubbed,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    return handler


def answered(event: Event, seconds: float) -> None:
    """One line for one answer: nothing of it tells who asked."""
    if _answers.isEnabledFor(logging.INFO):
        _answers.info("answered", extra={**event._asdict(), "ms": round(seconds * 1000, 2)})


def _scrubbed(_logger: object, _method: str, line: EventDict) -> EventDict:
    """Where a fault happened, not what it said: its words and its variables may hold a person's."""
    line["event"] = LONG_NUMBER.sub("…", line["event"])
    if fault := line.pop("exc_info", None):
        line["faults"] = [_told(stack) for stack in extract(*fault, show_locals=False).stacks]
    return line


def _told(stack: Stack) -> dict[str, object]:
    places = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in stack.frames]
    return {"type": stack.exc_type, "at": places}
