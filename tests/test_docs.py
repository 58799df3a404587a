"""What a user looks up is there: every error's code, every setting's name and default."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

import pytest
from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo

import kame_voice
from kame_voice.core.errors import KameError
from kame_voice.core.settings import Settings

DOCS = Path(__file__).parents[1] / "docs"
GPU_EXTRA = {"torch", "moshi", "sentencepiece", "safetensors", "huggingface_hub", "einops"}
"""What the base install does not have."""


def import_all() -> None:
    for module in pkgutil.walk_packages(kame_voice.__path__, "kame_voice."):
        if ".migrations." in module.name:  # alembic runs these, in a context of its own
            continue
        try:
            importlib.import_module(module.name)
        except ModuleNotFoundError as error:
            if (error.name or "").split(".")[0] not in GPU_EXTRA:
                raise


def kinds_of_error(base: type[KameError] = KameError) -> Iterator[type[KameError]]:
    for kind in base.__subclasses__():
        if kind.__module__.startswith("kame_voice."):
            yield kind
        yield from kinds_of_error(kind)


def rows(page: str) -> dict[str, list[str]]:
    """The cells of every table row of a page, by the name in its first cell."""
    lines = (DOCS / page).read_text(encoding="utf-8").splitlines()
    cells = [
        [cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines if line.startswith("| `")
    ]
    return {row[0].strip("`"): row for row in cells}


def test_every_error_code_is_documented_and_has_a_name_of_its_own() -> None:
    import_all()
    kinds = list(kinds_of_error())
    codes = [kind.code for kind in kinds]
    assert len(kinds) > 20
    assert not set(codes) - rows("errors.md").keys()
    assert len(codes) == len(set(codes))
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in codes)


def test_every_reason_for_a_failed_answer_is_documented() -> None:
    from kame_voice.oracle.base import AnswerFailed

    reasons = re.findall(r"`([a-z-]+)`", (AnswerFailed.__doc__ or "").split("Codes:")[1])
    assert len(reasons) > 5
    assert not set(reasons) - rows("errors.md").keys()


def variable_of(name: str, field: FieldInfo) -> str:
    alias = field.validation_alias
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else f"KAME_{name.upper()}"


def default_of(field: FieldInfo) -> str:
    value = field.default
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    text = str(value.value if isinstance(value, Enum) else value)
    return f"`{text.removesuffix('.0')}`" if text else "none"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_a_setting_is_documented_with_its_variable_and_default(name: str) -> None:
    field = Settings.model_fields[name]
    assert rows("settings.md")[name][1:3] == [f"`{variable_of(name, field)}`", default_of(field)]


def test_no_setting_is_documented_that_there_is_not() -> None:
    assert not rows("settings.md").keys() - Settings.model_fields.keys() - set(variables_by_name())


def variables_by_name() -> dict[str, list[str]]:
    """The environment variables that the code names where it reads or sets them, and where that is."""
    found: dict[str, list[str]] = {}
    for folder in ("kame_voice", "scripts"):
        for path in (DOCS.parent / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                for name in names_in_the_environment(node):
                    found.setdefault(name, []).append(path.name)
    return found


def names_in_the_environment(node: ast.AST) -> Iterator[str]:
    """As in `os.environ["X"]`, `os.environ.get("X")` and its like, `os.getenv("X")`, `"X" in os.environ`."""
    named: ast.expr | None = None
    match node:
        case ast.Subscript(ast.Attribute(attr="environ"), named):
            pass
        case ast.Call(ast.Attribute(ast.Attribute(attr="environ")), [named, *_]):
            pass
        case ast.Call(ast.Attribute(attr="getenv"), [named, *_]):
            pass
        case ast.Compare(named, [ast.In() | ast.NotIn()], [ast.Attribute(attr="environ")]):
            pass
    if isinstance(named, ast.Constant) and isinstance(named.value, str):
        yield named.value


def test_every_variable_that_the_code_names_is_documented() -> None:
    variables = variables_by_name()
    assert {"KAME_CONFIG", "OPENBLAS_NUM_THREADS", "CHROMIUM"} <= variables.keys(), "so they are found"
    settings = {variable_of(name, field) for name, field in Settings.model_fields.items()}
    assert not variables.keys() - settings - rows("settings.md").keys()


def test_no_error_is_documented_that_there_is_not() -> None:
    sources = Path(kame_voice.__file__).parent.rglob("*.py")
    code = "\n".join(source.read_text(encoding="utf-8") for source in sources)
    assert not [name for name in rows("errors.md") if f'"{name}"' not in code]
