"""What people asked for, from sums that were made while answers were counted; few are told as few."""

from __future__ import annotations

from sqlalchemy import Column, ColumnElement, func, select
from sqlalchemy.engine import Engine

from ivr.tables import countries, days

FEW = 5  # answers; below that a cell might speak of one person

QUESTIONS: dict[str, tuple[Column[str], tuple[ColumnElement[bool], ...]]] = {
    "answers by day": (days.c.day, ()),
    "answers by channel": (days.c.channel, ()),
    "answers by language": (days.c.language, ()),
    "answers by topic": (days.c.intent, ()),
    "answers by country": (countries.c.country, ()),
    "urgent by day": (days.c.day, (days.c.intent == "urgent",)),
    "urgent by language": (days.c.language, (days.c.intent == "urgent",)),
    "unknown by language": (days.c.language, (days.c.intent == "unknown",)),
}


def ask(engine: Engine, question: str, since: str) -> dict[str, int]:
    """The answer to one of QUESTIONS: values and how many, days in order, else the most first.

    `since`: a day in UTC, such as 2026-11-23. Raises SQLAlchemyError.
    """
    column, where = QUESTIONS[question]
    answers = func.sum(column.table.c.answers)
    found = select(column, answers).where(column.table.c.day >= since, *where).group_by(column)
    with engine.connect() as connection:
        counted = {value: int(count) for value, count in connection.execute(found)}
    by_day = column is days.c.day
    return dict(sorted(counted.items(), key=lambda each: each[0] if by_day else (-each[1], each[0])))


def shown(counted: dict[str, int]) -> dict[str, int | None]:
    """The same with None for cells that are few, and for more where the sum would tell what is hidden."""
    rising = sorted(counted, key=lambda value: counted[value])
    hidden = [value for value in rising if counted[value] < FEW]
    if hidden and sum(counted[value] for value in hidden) < FEW:
        hidden = rising[: len(hidden) + 1]
    return {value: None if value in hidden else count for value, count in counted.items()}
