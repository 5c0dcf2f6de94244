"""What operators see of the sums: a day beside the usual, weeks and months over time, as tables and as plots."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import accumulate
from math import sqrt

from babel import Locale, UnknownLocaleError
from sqlalchemy.engine import Engine

from ivr.report import FEW, ask, over_time, shown, shown_table

RANGES = (7, 30, 90, 365)  # days
WAYS = ("topic", "language", "country", "channel")
WEEKS = 4  # of the usual, and of the plots of a day
MOST_SERIES = 8  # colours of a plot; the least of them is all others together
NAMES = {"sms": "texts", "voice": "calls", "unknown": "not understood", "": "not known"}
OTHERS = "others"

Cell = str | int | None  # None: few, or hidden with those


@dataclass(frozen=True, slots=True)
class Table:
    """Rows for a page and for a CSV file alike; `name` is that of the file."""

    name: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a stack: its place from the left in periods, from the top and its height in answers."""

    at: int
    top: int
    height: int
    series: int
    told: str


@dataclass(frozen=True, slots=True)
class Plot:
    """Stacked bars. `scale`: answers from bottom to top; `series`: names, the first at the bottom;
    `few`: periods where something is hidden."""

    periods: tuple[str, ...]
    series: tuple[str, ...]
    bars: tuple[Bar, ...]
    few: tuple[int, ...]
    scale: int


@dataclass(frozen=True, slots=True)
class Compared:
    """A count of a day beside the mean of the same weekday; None: few. `usual` is "" where nothing is known yet."""

    name: str
    count: Cell
    usual: Cell
    above: bool


@dataclass(frozen=True, slots=True)
class Today:
    day: date
    figures: tuple[Compared, ...]
    answers: Plot
    urgent: Plot
    tables: tuple[Table, ...]


# A day


def today(engine: Engine, day: date) -> Today:
    """The day so far (UTC) beside the weeks before. Raises SQLAlchemyError."""
    first = day - timedelta(weeks=WEEKS)
    counted = {name: ask(engine, f"{name} by day", str(first)) for name in ("answers", "urgent", "unknown")}
    known = min(counted["answers"], default=str(day))
    before = [day - timedelta(weeks=weeks) for weeks in range(1, WEEKS + 1)]
    usual_days = [str(each) for each in before if str(each) >= known]
    languages = ask(engine, "answers by language", str(day))
    periods = tuple(str(first + timedelta(days=number)) for number in range(7 * WEEKS + 1))
    topics = shown_table(over_time(engine, "topic", str(first), str))  # neither page tells what the other hides
    by_day = {"answers": shown(counted["answers"])} | {
        name: {on: row[name] for on, row in topics.items() if name in row} for name in ("urgent", "unknown")
    }
    return Today(
        day,
        (
            compared("answers", counted["answers"], str(day), usual_days),
            compared("urgent", counted["urgent"], str(day), usual_days),
            compared("not understood", counted["unknown"], str(day), usual_days),
            Compared("languages", len(languages), "", above=False),
        ),
        plot(periods, {on: {"answers": count} for on, count in by_day["answers"].items()}, ("answers",)),
        plot(periods, {on: {"urgent": count} for on, count in by_day["urgent"].items()}, ("urgent",)),
        (*(_values(engine, way, str(day)) for way in WAYS), _days(periods, by_day)),
    )


def compared(name: str, counts: dict[str, int], day: str, usual_days: Sequence[str]) -> Compared:
    """Above the usual is what chance alone seldom reaches: two standard deviations of a Poisson count, and not few."""
    count = counts.get(day, 0)
    if not usual_days:
        return Compared(name, _unless_few(count), "", above=False)
    usual = sum(counts.get(each, 0) for each in usual_days) / len(usual_days)
    above = count >= FEW and count > usual + 2 * sqrt(max(usual, 1))
    return Compared(name, _unless_few(count), _unless_few(round(usual)), above)


def _unless_few(count: int) -> int | None:
    return None if 0 < count < FEW else count


def _values(engine: Engine, way: str, since: str) -> Table:
    counted = shown(ask(engine, f"answers by {way}", since))
    return Table(f"by-{way}", (way, "answers"), tuple((named(way, value), count) for value, count in counted.items()))


def _days(periods: tuple[str, ...], by_day: dict[str, dict[str, int | None]]) -> Table:
    rows = ((day, *(counts.get(day, 0) for counts in by_day.values())) for day in reversed(periods))
    return Table("by-day", ("day", "answers", "urgent", "not understood"), tuple(rows))


# Over time


def history(engine: Engine, way: str, days: int, until: date) -> tuple[Plot, Table]:
    """Answers by one of WAYS in whole periods of the last `days`, one of RANGES. Raises SQLAlchemyError."""
    first = _period(until - timedelta(days=days - 1), days)
    counted = over_time(engine, way, str(first), lambda day: _told(_period(date.fromisoformat(day), days), days))
    each = (first + timedelta(days=number) for number in range((until - first).days + 1))
    periods = tuple(dict.fromkeys(_told(_period(day, days), days) for day in each))
    rows = {on: {named(way, value): n for value, n in row.items()} for on, row in counted.items()}
    cells = shown_table(rows)
    totals = sum((Counter(row) for row in rows.values()), Counter[str]())
    names = tuple(sorted(totals, key=lambda name: (name != "urgent", -totals[name])))
    body = ((period, *(cells.get(period, {}).get(name, 0) for name in names)) for period in reversed(periods))
    return plot(periods, cells, names), Table("over-time", (_unit(days), *names), tuple(body))


def _unit(days: int) -> str:
    return "day" if days <= 30 else "week from" if days <= 90 else "month"


def _period(day: date, days: int) -> date:
    """The first day of what is counted together: a day, a week from Monday, a month."""
    match _unit(days):
        case "day":
            return day
        case "month":
            return day.replace(day=1)
    return day - timedelta(days=day.weekday())


def _told(period: date, days: int) -> str:
    return f"{period:%Y-%m}" if _unit(days) == "month" else str(period)


# Plots


def plot(periods: tuple[str, ...], cells: dict[str, dict[str, int | None]], names: tuple[str, ...]) -> Plot:
    """Bars of what is shown; hidden cells are not drawn. `names`: the series, the most first."""
    many = len(names) > MOST_SERIES
    series = (*names[: MOST_SERIES - 1], OTHERS) if many else names
    place = {name: min(number, len(series) - 1) for number, name in enumerate(names)}
    bars: list[Bar] = []
    for at, period in enumerate(periods):
        stacked: Counter[int] = Counter()
        for name, count in cells.get(period, {}).items():
            stacked[place[name]] += count or 0
        bars += _stack(at, period, series, stacked)
    scale = round_up(max((bar.top for bar in bars), default=0))
    flipped = (Bar(bar.at, scale - bar.top, bar.height, bar.series, bar.told) for bar in bars)
    few = (at for at, period in enumerate(periods) if None in cells.get(period, {}).values())
    return Plot(periods, series, tuple(flipped), tuple(few), scale)


def _stack(at: int, period: str, series: tuple[str, ...], counts: Counter[int]) -> list[Bar]:
    """One period's bars, `top` still counted from the bottom."""
    tops = accumulate(counts[number] for number in range(len(series)))
    return [
        Bar(at, top, counts[number], number, f"{period}: {counts[number]} {series[number]}")
        for number, top in enumerate(tops)
        if counts[number]
    ]


def round_up(most: int) -> int:
    """The least round number at or above, whose half is whole: 2, 4, 6, 8 or 10 times a power of ten."""
    unit: int = 10 ** (len(str(most)) - 1)
    return next(step * unit for step in (2, 4, 6, 8, 10) if step * unit >= most)


# Names


@cache
def named(way: str, value: str) -> str:
    """What people call a topic, channel, language or country."""
    if value in NAMES:
        return NAMES[value]
    if way == "country":
        return str(Locale("en").territories.get(value, value))
    return language_name(value) if way == "language" else value.replace("_", " ")


def language_name(code: str) -> str:
    try:
        return Locale.parse(code, sep="-").get_display_name("en") or code
    except (ValueError, UnknownLocaleError):
        return code
