"""What is logged: one JSON line for each answer and each fault, without numbers, texts or tokens."""

from __future__ import annotations

import logging
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import structlog
from structlog.processors import JSONRenderer, TimeStamper
from structlog.stdlib import ProcessorFormatter, add_log_level, add_logger_name
from structlog.tracebacks import Stack, extract
from structlog.typing import EventDict

from ivr.events import Event

LONG_NUMBER = re.compile(r"\d(?:[ ().-]?\d){5,}", re.ASCII)  # six digits and more may be a person's
STAMPS = TimeStamper(fmt="iso", utc=True)

_answers = structlog.get_logger()


def silent() -> None:
    """Log no answers, as until somebody configures: a command has other things to print."""
    structlog.configure(processors=[], logger_factory=structlog.ReturnLoggerFactory())


def configure(stream: TextIO = sys.stderr) -> logging.Handler:
    """Log to a stream, answers and all that Python's own logging is told. Gives the handler of the latter."""
    structlog.configure(
        processors=[add_log_level, STAMPS, JSONRenderer()],
        logger_factory=structlog.WriteLoggerFactory(stream),
        wrapper_class=structlog.BoundLogger,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[add_log_level, add_logger_name, STAMPS],
            processors=[ProcessorFormatter.remove_processors_meta, _scrubbed, JSONRenderer()],
        )
    )
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    return handler


def answered(event: Event, seconds: float) -> None:
    """One line for one answer: nothing of it tells who asked. Where it cannot be written, the answer goes out."""
    with suppress(OSError, ValueError):
        _answers.info("answered", **event._asdict(), ms=round(seconds * 1000, 2))


def _scrubbed(_logger: object, _method: str, line: EventDict) -> EventDict:
    """Where a fault happened, not what it said: its words and its variables may hold a person's."""
    line["event"] = LONG_NUMBER.sub("…", line["event"])
    if fault := line.pop("exc_info", None):
        line["faults"] = [_told(stack) for stack in extract(*fault, show_locals=False).stacks]
    return line


def _told(stack: Stack) -> dict[str, object]:
    places = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in stack.frames]
    return {"type": stack.exc_type, "at": places}


silent()
