"""What people asked for, from sums that were made while answers were counted; few are told as few."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

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
    "unknown by day": (days.c.day, (days.c.intent == "unknown",)),
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


def over_time(engine: Engine, by: str, since: str, period: Callable[[str], str]) -> dict[str, dict[str, int]]:
    """Answers by `by` (channel, language, topic, country) in each period: {period: {value: answers}}, without zeros.

    `period`: what a day is counted to; `since`: as in `ask`. Raises SQLAlchemyError.
    """
    column, _ = QUESTIONS[f"answers by {by}"]
    day, answers = column.table.c.day, func.sum(column.table.c.answers)
    counted: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    with engine.connect() as connection:
        for on, value, count in connection.execute(
            select(day, column, answers).where(day >= since).group_by(day, column)
        ):
            counted[period(on)][value] += int(count)
    return {on: dict(row) for on, row in counted.items()}


def shown_table(rows: dict[str, dict[str, int]]) -> dict[str, dict[str, int | None]]:
    """The same as `shown` for a table: neither a row's sum nor a column's tells what is hidden."""
    cells = {(row, column): count for row, columns in rows.items() for column, count in columns.items()}
    hidden = {cell for cell, count in cells.items() if count < FEW}
    lines: dict[tuple[int, str], list[tuple[str, str]]] = defaultdict(list)
    for cell in sorted(cells, key=lambda cell: cells[cell]):
        for way in (0, 1):
            lines[way, cell[way]].append(cell)
    while more := {cell for line in lines.values() for cell in _uncovered(line, cells, hidden)}:
        hidden |= more
    return {row: {name: None if (row, name) in hidden else count for name, count in rows[row].items()} for row in rows}


def _uncovered(
    line: list[tuple[str, str]], cells: dict[tuple[str, str], int], hidden: set[tuple[str, str]]
) -> list[tuple[str, str]]:
    """The smallest cell of a line that must be hidden too, if what is hidden there is few in sum."""
    few = 0 < sum(cells[cell] for cell in line if cell in hidden) < FEW
    return [cell for cell in line if cell not in hidden][:1] if few else []
