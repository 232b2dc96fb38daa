"""The documentation says what the code does: names are looked up in both, links lead somewhere, examples run."""

from __future__ import annotations

import ast
import importlib
import json
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import click
import pytest
from click.testing import CliRunner
from msgspec import Struct

from shopward.cli import main
from shopward.config import PREFIX, described
from shopward.events import EVENT_TYPES, STATUSES, Event
from shopward.events.catalogue import ACTOR_TYPES, INSTRUMENTS, USER_OPTIONAL_TYPES
from shopward.events.intake import DEFAULT_LIMITS
from shopward.flows.wording import Decision, ReasonGiven
from shopward.risk.features import FeatureSpec
from shopward.risk.features.declare import Measure, Phase
from shopward.risk.policy import load_default_policy
from shopward.risk.policy import spec as policy_spec

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SOURCES = ROOT / "src" / "shopward"
EXAMPLE = DOCS / "examples" / "policy"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
MODULES = sorted(SOURCES.rglob("*.py"))
TEST_FILES = sorted(ROOT.joinpath("tests").rglob("test_*.py"))
LINES_MAX = 500

_LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)\)")
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_CODED = re.compile(r"`([^`\n]+)`")


@cache
def text_of(page: Path) -> str:
    """A page as it stands."""
    return page.read_text(encoding="utf-8")


@cache
def coded(page: Path) -> frozenset[str]:
    """What a page writes as code inside its sentences and tables."""
    return frozenset(_CODED.findall(_FENCED.sub("", text_of(page))))


def missing_on(name: str, expected: Any) -> list[str]:
    """Which of the expected words a page does not write as code."""
    page = DOCS / name
    return sorted(word for word in expected if word not in coded(page))


@cache
def anchors(page: Path) -> frozenset[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ +(.+?) *$", _FENCED.sub("", text_of(page)), re.MULTILINE)
    plain = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).replace("`", "").lower() for title in titles]
    return frozenset(re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in plain)


def field_paths(shape: type[Struct], prefix: str = "") -> list[str]:
    """The path of every field of an event, lists marked with ``[]``."""
    paths = []
    for name, hint in get_type_hints(shape).items():
        below = struct_in(hint)
        paths.append(prefix + name)
        if below is not None:
            inner, is_list = below
            paths += field_paths(inner, prefix + name + ("[]." if is_list else "."))
    return paths


def struct_in(hint: Any) -> tuple[type[Struct], bool] | None:
    """The struct that an annotation holds, and whether in a list."""
    if get_origin(hint) is Annotated:
        return struct_in(get_args(hint)[0])
    if get_origin(hint) in (Union, UnionType):
        return next((found for part in get_args(hint) if (found := struct_in(part))), None)
    if get_origin(hint) is list:
        inner = struct_in(get_args(hint)[0])
        return (inner[0], True) if inner else None
    return (hint, False) if isinstance(hint, type) and issubclass(hint, Struct) else None


def commands(command: click.Command, path: str = "shopward") -> list[tuple[str, click.Command]]:
    """Every command of the tree with its full name; groups too."""
    found = [(path, command)]
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None, name
            found += commands(child, f"{path} {name}")
    return found


def section_of(page: Path, title: str) -> str:
    """A page from a heading to the next one of its kind or higher."""
    lines = text_of(page).splitlines()
    start = next((at for at, line in enumerate(lines) if line.lstrip("#").strip().strip("`") == title), None)
    assert start is not None, f"{page.name} has no section {title}"
    level = len(lines[start]) - len(lines[start].lstrip("#"))
    fenced, kept = False, []
    for line in lines[start + 1 :]:
        fenced ^= line.startswith("```")
        if not fenced and re.match(rf"#{{1,{level}}} ", line):
            break
        kept.append(line)
    return "\n".join(kept)


def error_codes() -> set[str]:
    """Every code in the sources: class attributes, ``code=`` keywords, and what HTTP gives ``HttpRefusal``."""
    codes: set[str] = set()
    for module in MODULES:
        for node in ast.walk(ast.parse(text_of(module))):
            if isinstance(node, ast.ClassDef):
                for line in node.body:
                    if isinstance(line, ast.Assign) and any(
                        getattr(name, "id", "") == "code" for name in line.targets
                    ):
                        codes |= {line.value.value} if isinstance(line.value, ast.Constant) else set()
            elif isinstance(node, ast.Call):
                codes |= {
                    word.value.value
                    for word in node.keywords
                    if word.arg == "code"
                    and isinstance(word.value, ast.Constant)
                    and isinstance(word.value.value, str)
                }
                name = getattr(node.func, "id", "")
                if name == "HttpRefusal" and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
                    codes.add(node.args[1].value)
    return codes


# --- the reference pages ---------------------------------------------------------------------------------------


def test_every_type_and_status_is_explained() -> None:
    """Each word of the event's vocabularies has its row, and the types without a user are marked."""
    assert missing_on("reference/events.md", {*EVENT_TYPES, *STATUSES, *ACTOR_TYPES, *INSTRUMENTS}) == []
    marked = set(re.findall(r"^\| `(\w+)` \* \|", text_of(DOCS / "reference/events.md"), re.MULTILINE))
    assert marked == USER_OPTIONAL_TYPES


def test_every_field_of_an_event_is_explained() -> None:
    """Each path of the event's structs has its row; a struct alone does not need one."""
    leaves = [
        path
        for path in field_paths(Event)
        if not any(other.startswith(path + ".") for other in field_paths(Event))
    ]
    assert missing_on("reference/events.md", leaves) == []


def test_the_limits_of_an_event_are_the_ones_written() -> None:
    """The figures of the page are those of the code."""
    page = text_of(DOCS / "reference/events.md")
    limits = DEFAULT_LIMITS
    assert f"{limits.event_bytes_max:,} bytes" in page
    assert f"{limits.batch_lines_max:,} lines" in page
    assert f"{limits.batch_bytes_max // 2**20} MiB" in page
    depth, values, length = (
        limits.properties_depth_max,
        limits.properties_values_max,
        limits.property_chars_max,
    )
    assert f"depth {depth}, {values} values, {length} characters" in page


def test_every_part_of_a_decision_is_explained() -> None:
    """Fields, reasons, kinds, actions and factors stand on the page."""
    page = "reference/decisions.md"
    assert missing_on(page, Decision.__struct_fields__) == []
    assert missing_on(page, {f"reasons[].{field}" for field in ReasonGiven.__struct_fields__}) == []
    assert missing_on(page, {*get_args(policy_spec.DecisionKind), *get_args(policy_spec.ActionType)}) == []
    assert missing_on(page, set(policy_spec.Action.__struct_fields__) - {"type"}) == []


def test_every_error_code_is_explained() -> None:
    """Each code has a row that says what to do, and no row speaks of a code that is gone."""
    rows = set(re.findall(r"^\| `(\w+)` \|", text_of(DOCS / "reference/errors.md"), re.MULTILINE))
    problems = pytest.importorskip("shopward.http.problems")
    assert rows == error_codes() | set(problems.CODES)


def test_every_class_of_the_error_tree_is_drawn() -> None:
    """The tree on the page has every class of the tree in the code, and the code's own drawing too."""
    errors = importlib.import_module("shopward.errors")
    names = {
        name for name, each in vars(errors).items() if isinstance(each, type) and issubclass(each, Exception)
    }
    for drawing in (text_of(DOCS / "reference/errors.md"), errors.__doc__ or ""):
        assert [name for name in sorted(names) if not re.search(rf"\b{name}\b", drawing)] == []


def test_every_setting_is_explained() -> None:
    """Each setting stands with its environment variable."""
    words = {name for setting in described() for name in (setting, PREFIX + setting.upper())}
    page = DOCS / "reference/settings.md"
    assert sorted(word for word in words if word not in text_of(page)) == []


@pytest.mark.parametrize(("name", "command"), commands(main), ids=[name for name, _command in commands(main)])
def test_every_command_and_option_is_explained(name: str, command: click.Command) -> None:
    """Each command has a section, an example and its options; the same is true of its ``--help``."""
    page = DOCS / "reference/cli.md"
    if name == "shopward":
        return
    section = section_of(page, name)
    options = [option for param in command.params if isinstance(param, click.Option) for option in param.opts]
    where = (
        text_of(page).partition("## `shopward policy`")[2] if name.startswith("shopward policy") else section
    )
    assert [option for option in options if option not in where] == []
    if not isinstance(command, click.Group):
        assert f"\n{name} " in section or f"\n{name}\n" in section
    assert "Examples:" in (command.help or "") or isinstance(command, click.Group)


def test_every_http_path_is_explained() -> None:
    """Each path of the OpenAPI document stands in the reference."""
    reference = pytest.importorskip("shopward.http.reference")
    page = text_of(DOCS / "reference/http-api.md")
    assert [path for path in reference.document()["paths"] if path not in page] == []


def test_every_shape_that_the_document_names_is_in_it() -> None:
    """No reference of the OpenAPI document leads nowhere: clients are generated from it."""
    document = pytest.importorskip("shopward.http.reference").document()
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert named <= document["components"]["schemas"].keys()


def test_everything_that_a_policy_may_say_is_explained() -> None:
    """Fields of features, rules and heads, measures, phases and factors stand on the page for analysts."""
    words = {
        *FeatureSpec.__struct_fields__,
        *policy_spec.RuleSpec.__struct_fields__,
        *get_args(Measure),
        *get_args(Phase),
    }
    words |= set(get_args(policy_spec.Factor)) | set(policy_spec.Action.__struct_fields__) - {"type"}
    words |= {
        "score_text",
        "score.review",
        "score.challenge",
        "score.deny",
        "challenge.factors",
        "challenge.satisfied_for",
        "consequences.carry_out",
        "consequences.orders_per_hour_max",
    }
    assert missing_on("policy.md", words) == []


# --- the pages themselves --------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link is a file of the project, and its anchor a heading there."""
    broken = []
    for target in _LINK.findall(_FENCED.sub("", text_of(page))):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_files_and_tests_that_are_named_exist(page: Path) -> None:
    """A path of ours written as code is there, and so is the test behind ``::``."""
    gone = []
    for word in coded(page):
        if not re.fullmatch(r"(src|tests|docs|benchmarks)/[\w./-]*\w(::\w+)?", word):
            continue
        name, _, function = word.partition("::")
        file = ROOT / name
        if not file.exists() or (function and f"def {function}(" not in text_of(file)):
            gone.append(word)
    assert gone == []


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_every_page_can_be_found(page: Path) -> None:
    """A page of docs is linked from the table of contents, an ADR from its own."""
    if page.parent == ROOT or page.name == "index.md":
        return
    contents = DOCS / "adr" / "index.md" if page.parent.name == "adr" else DOCS / "index.md"
    linked = {
        (contents.parent / target.partition("#")[0]).resolve() for target in _LINK.findall(text_of(contents))
    }
    assert page.resolve() in linked


def test_the_catalogue_names_every_rule() -> None:
    """The coverage table names each rule of the default policy, and no rule that is gone."""
    table = text_of(DOCS / "coverage.md").partition("## Detection catalogue")[2]
    named = {
        word
        for row in re.findall(r"^\|(?:[^|]*\|){2}([^|]*)\|", table, re.MULTILINE)
        for word in _CODED.findall(row)
    }
    assert named == {rule.name for rule in load_default_policy().rules}


def test_the_changelog_has_a_place_for_the_next_change() -> None:
    """Unreleased comes first."""
    headings = re.findall(r"^## (.+)$", text_of(ROOT / "CHANGELOG.md"), re.MULTILINE)
    assert headings[0] == "[Unreleased]"


# --- examples --------------------------------------------------------------------------------------------------


def test_the_example_policy_compiles_and_passes_its_tests() -> None:
    """The folder that docs/policy.md tells to copy is accepted by both commands."""
    for verb in ("check", "test"):
        result = CliRunner().invoke(main, ["policy", verb, "--policy", str(EXAMPLE)])
        assert result.exit_code == 0, result.output


def test_the_example_policy_shows_what_the_page_speaks_of() -> None:
    """An offset, a label, a computed weight, a shadow rule, a condemned source and a threshold by type are in it."""
    features = tomllib.loads((EXAMPLE / "features.toml").read_text())["feature"]
    rules = [
        rule
        for file in sorted((EXAMPLE / "rules").glob("*.toml"))
        for rule in tomllib.loads(file.read_text())["rule"]
    ]
    assert any("offset" in feature for feature in features.values())
    assert any('type == "label"' in feature.get("where", "") for feature in features.values())
    assert any(isinstance(rule.get("weight"), str) for rule in rules)
    assert any(rule.get("shadow") for rule in rules)
    assert any("condemn" in rule for rule in rules)
    assert "score_by_type" in tomllib.loads((EXAMPLE / "policy.toml").read_text())


def test_toml_in_the_pages_is_toml() -> None:
    """Every TOML block of a page parses."""
    for page in PAGES:
        for block in re.findall(r"^```toml\n(.*?)^```", text_of(page), re.MULTILINE | re.DOTALL):
            tomllib.loads(block)


def test_python_in_the_pages_is_python() -> None:
    """Every Python block of a page compiles, and what it imports of ours is there."""
    for page in PAGES:
        for block in re.findall(r"^```python\n(.*?)^```", text_of(page), re.MULTILINE | re.DOTALL):
            for node in ast.walk(ast.parse(block)):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("shopward"):
                    module = importlib.import_module(node.module or "")
                    assert [each.name for each in node.names if not hasattr(module, each.name)] == [], (
                        page.name
                    )


# --- house rules -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", MODULES, ids=[str(module.relative_to(SOURCES)) for module in MODULES])
def test_every_module_is_short_and_says_what_it_promises(module: Path) -> None:
    """A module has a docstring and at most 500 lines."""
    text = text_of(module)
    assert ast.get_docstring(ast.parse(text))
    assert len(text.splitlines()) <= LINES_MAX


@pytest.mark.parametrize("file", TEST_FILES, ids=[str(file.relative_to(ROOT)) for file in TEST_FILES])
def test_every_test_says_what_holds(file: Path) -> None:
    """Each test function has a docstring."""
    silent = [
        node.name
        for node in ast.walk(ast.parse(text_of(file)))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]
    assert silent == []


def test_the_decision_core_can_be_imported_alone() -> None:
    """Importing the flows brings in no database, no web framework and no adapter."""
    probe = "import sys, shopward.flows.decide; print(*[n for n in sys.modules if n.startswith(%r)])"
    unwanted = ("sqlalchemy", "starlette", "uvicorn", "sqlite3", "shopward.adapters")
    out = subprocess.run(
        [sys.executable, "-c", probe % (unwanted,)], capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == ""


def test_the_page_of_the_default_policy_tells_every_rule_as_its_file_does() -> None:
    """Each rule stands on the page with the description of its file; a rule that is gone stands there no longer."""
    page = text_of(DOCS / "default-policy.md")
    rules = load_default_policy().rules
    assert [rule.name for rule in rules if f"| {rule.description} |" not in page] == []
    table = re.findall(r"^\| `([a-z_0-9]+)` \|", page, re.MULTILINE)
    assert sorted(table) == sorted(rule.name for rule in rules)
