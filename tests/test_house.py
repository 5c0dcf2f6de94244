"""The house inspects itself: routes, imports, words, settings, README."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from ivr.commands import cli
from ivr.settings import HOME, Settings

from .conftest import BASE_URL

MODULES = {path.stem: ast.parse(path.read_text(encoding="utf-8")) for path in (HOME / "ivr").glob("*.py")}
README = (HOME / "README.md").read_text(encoding="utf-8")
OPEN_ROUTES = {"/livez", "/readyz", "/audio/x"}  # the only ones that answer without a signature

# Each module and the modules of ours it may import: inward only.
ALLOWED = {
    "model": set(),
    "settings": set(),
    "folding": set(),
    "countries": set(),
    "phone": set(),
    "rows": set(),
    "telling": {"folding", "rows"},
    "matching": {"folding"},
    "weighing": {"folding", "model", "rows"},
    "lexicon": {"folding", "matching", "model", "rows", "telling", "weighing"},
    "understanding": {"folding", "lexicon", "model", "telling", "weighing"},
    "content": {"model"},
    "wording": {"model", "content", "countries"},
    "reviewing": {"content"},
    "keeping": set(),
    "catalogue": {
        "content",
        "countries",
        "keeping",
        "lexicon",
        "model",
        "reviewing",
        "settings",
        "understanding",
        "wording",
    },
    "answering": {"model", "catalogue", "countries", "understanding", "wording"},
    "speech": {"answering", "content", "model", "wording"},
    "recordings": {"content", "speech"},
    "espeak": set(),
    "engines": {"content"},
    "record": {"catalogue", "content", "engines", "recordings", "settings", "speech", "wording"},
    "translating": {"content"},
    "checking": {"model", "content", "catalogue", "folding", "lexicon", "translating", "understanding", "wording"},
    "tables": set(),
    "database": set(),
    "pseudonyms": set(),
    "store": {"database", "pseudonyms", "tables"},
    "carrier": set(),
    "outbox": {"carrier", "database", "pseudonyms", "tables"},
    "connecting": {"carrier", "settings"},
    "doctor": {
        "carrier",
        "catalogue",
        "connecting",
        "content",
        "database",
        "phone",
        "recordings",
        "settings",
        "speech",
        "tables",
        "worker",
    },
    "worker": {"answering", "carrier", "catalogue", "model", "outbox", "settings", "voice"},
    "limits": set(),
    "logs": {"events"},
    "metrics": {"events"},
    "line": {
        "catalogue",
        "countries",
        "events",
        "limits",
        "metrics",
        "model",
        "outbox",
        "recordings",
        "settings",
        "store",
    },
    "door": {"settings"},
    "sms": {"answering", "door", "events", "limits", "line", "model", "store", "wording"},
    "voice": {"answering", "door", "events", "line", "model", "sms"},
    "demo": {"carrier", "line", "phone", "settings"},
    "app": {
        "catalogue",
        "content",
        "database",
        "demo",
        "door",
        "events",
        "guards",
        "limits",
        "line",
        "logs",
        "metrics",
        "model",
        "outbox",
        "recordings",
        "settings",
        "sms",
        "speech",
        "store",
        "voice",
        "worker",
    },
    "fallback": {"catalogue", "content", "line", "model", "sms", "voice", "wording"},
    "cards": {"catalogue", "content", "reviewing", "settings", "wording"},
    "events": {"database", "retention", "tables"},
    "retention": {"database", "pseudonyms", "tables"},
    "report": {"tables"},
    "backup": {"database"},
    "tending": {"backup", "database", "outbox", "report", "retention", "settings"},
    "guards": set(),
    "overview": {"report"},
    "coverage": {"checking", "content", "record", "recordings", "reviewing", "settings", "speech", "wording"},
    "console": {"content", "coverage", "database", "guards", "outbox", "overview", "settings"},
    "wsgi": {"app", "logs"},
    "console_wsgi": {"console", "logs"},
}
PURE = {
    "model",
    "folding",
    "matching",
    "weighing",
    "rows",
    "telling",
    "lexicon",
    "understanding",
    "content",
    "wording",
    "catalogue",
    "answering",
    "countries",
    "speech",
}


def imported(tree: ast.Module) -> set[str]:
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    return names | {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}


@pytest.mark.parametrize("module", sorted(ALLOWED))
def test_imports_point_inward(module: str) -> None:
    ours = {name.removeprefix("ivr.") for name in imported(MODULES[module]) if name.startswith("ivr.")}
    assert ours <= ALLOWED[module]


def test_every_module_has_its_room() -> None:
    assert set(MODULES) - {"__init__", "__main__", "commands"} == set(ALLOWED)


@pytest.mark.parametrize("module", sorted(PURE))
def test_the_core_knows_neither_flask_nor_twilio_nor_a_database(module: str) -> None:
    assert not {name.partition(".")[0] for name in imported(MODULES[module])} & {"flask", "twilio", "sqlalchemy"}


@pytest.mark.parametrize("module", sorted(MODULES))
def test_every_module_opens_with_a_line_that_says_what_it_is_for(module: str) -> None:
    assert ast.get_docstring(MODULES[module])


def test_python_holds_no_sentence_that_a_caller_gets(catalogue: object) -> None:
    """No string in the channels or the core is one of the sentences of content/."""
    from ivr.content import Source

    sentences = {entry.text for entry in Source(HOME / "content", HOME / "locales").entries() if " " in entry.text}
    for module, tree in MODULES.items():
        strings = {
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        assert not strings & sentences, module


def test_every_route_asks_for_a_signature(app: Flask) -> None:
    client = app.test_client()
    for rule in app.url_map.iter_rules():
        path = re.sub("<[^>]+>", "x", rule.rule)
        if rule.rule.startswith("/static") or path in OPEN_ROUTES:
            continue
        assert client.post(path, base_url=BASE_URL).status_code == 403, rule


def test_the_demo_page_is_not_there_in_production(app: Flask) -> None:
    assert app.test_client().get("/").status_code == 404


def settings_read() -> set[str]:
    text = (HOME / "ivr/settings.py").read_text(encoding="utf-8") + (HOME / "ivr/commands.py").read_text(
        encoding="utf-8"
    )
    return set(re.findall(r'"((?:IVR|TWILIO)_[A-Z_]+|DATABASE_URL|REDIS_URL|AUDIO_BASE_URL|PORT)"', text))


def test_every_setting_is_in_the_readme() -> None:
    assert settings_read() >= set(re.findall(r"^\| `([A-Z_]+)`", README, re.M))
    for name in settings_read():
        assert f"`{name}`" in README, name


def test_every_command_is_in_the_readme() -> None:
    for name in set(cli.commands) - {"run", "shell", "routes"}:  # those come with Flask
        assert f"ivr {name}" in README, name


def test_every_file_that_the_readme_names_is_there() -> None:
    for name in re.findall(r"`((?:content|locales|tests|ivr)/[\w./]+)`", README.replace("XX", "es")):
        assert (HOME / name).exists(), name


def test_every_test_that_the_threats_name_is_there() -> None:
    named = re.findall(r"`(tests/\w+\.py)::(\w+)`", (HOME / "docs/threats.md").read_text(encoding="utf-8"))
    assert len(named) > 40
    for file, test in named:
        assert f"def {test}(" in (HOME / file).read_text(encoding="utf-8"), test


def test_the_readme_names_the_commands_that_ci_runs() -> None:
    script = (HOME / ".ci/run").read_text(encoding="utf-8")
    for command in ("make check", "make test"):
        assert command in script
        assert command in README


def test_no_function_grows_beyond_a_screen() -> None:
    for path in (HOME / "ivr").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                assert (node.end_lineno or 0) - node.lineno < 45, f"{path.name}: {node.name}"


def test_nothing_names_this_machine_or_a_registry() -> None:
    pattern = re.compile("|".join(("index" + "-url", "find" + "-links", "/simple/", "/" + "root/", "/" + "work/")))
    for path in [*HOME.glob("*.t*"), *HOME.glob("*.md"), HOME / "Makefile", *(HOME / "ivr").glob("*.py")]:
        assert not pattern.search(path.read_text(encoding="utf-8")), path.name


def test_settings_have_no_more_names_than_the_contract(make_app: Callable[..., Flask]) -> None:
    assert set(Settings.__dataclass_fields__) == {
        "account_sid", "auth_tokens", "base_url", "secret_key", "reviewed_only", "database_url", "languages",
        "optout", "default_country", "countries", "content", "audio", "audio_base_url", "helpers", "demo", "callback",
        "outbound_countries", "outbound_daily", "redis_url", "metrics_token", "api_url",
        "console_password_hash",
    }  # fmt: skip


def test_paths_stay_inside_the_project() -> None:
    assert (Path(HOME) / "content").is_dir()


def test_the_guide_for_operators_names_only_commands_and_settings_that_exist() -> None:
    guide = (HOME / "docs/running.md").read_text(encoding="utf-8")
    for name in re.findall(r"`ivr ([a-z]+)", guide):
        assert name in cli.commands, name
    for name in re.findall(r"`((?:IVR|TWILIO)_[A-Z_]+|[A-Z]+_URL)\b", guide):
        assert name in settings_read(), name
    assert (
        Path(HOME / "Procfile")
        .read_text(encoding="utf-8")
        .partition("$PORT")[0]
        .split("--host")[0]
        .removeprefix("web: ")
        in guide
    )
