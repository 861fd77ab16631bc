# SPDX-License-Identifier: MIT
"""What C++ and Python must agree on is typed once, in contract.toml, and nowhere else."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest
from stemlane import contract, user_folders

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def generator():
    spec = importlib.util.spec_from_file_location("generate_contract", ROOT / "tools" / "generate_contract.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_files_are_those_of_the_contract(generator):
    found = generator.read()
    assert generator.HEADER.read_text(encoding="utf-8") == generator.header(found), "run `make contract`"
    assert generator.MODULE.read_text(encoding="utf-8") == generator.module(found), "run `make contract`"


def test_a_change_reaches_both_languages(generator):
    changed = generator.read()
    changed["gains"]["silence_db"] = -72.0
    changed["stems"]["names"].append("strings")
    changed["latency"]["resampler_lag"][0]["samples"] = 1761
    header, module = generator.header(changed), generator.module(changed)
    for text in ("-72.0", '"strings"', "1761"):
        assert text in header and text in module
    assert "kNumStems = 7" in header


# What would be a second source, and where it may stand.
TYPED_TWICE = {
    r'"vocals",\s*"drums",\s*"bass",\s*"guitar"': {"cpp/core/contract.h", "pyengine/stemlane/contract.py"},
    r"\b1760\b": {"cpp/core/contract.h", "pyengine/stemlane/contract.py"},
    r"\bXDG_(DATA|CONFIG)_HOME\b": {"cpp/core/contract.h", "pyengine/stemlane/contract.py"},
    r'"python="': {"cpp/core/contract.h", "pyengine/stemlane/contract.py"},
    r'"provider="': {"cpp/core/contract.h", "pyengine/stemlane/contract.py"},
    r'"STEMLANE_PROVIDER"': {"cpp/core/contract.h", "pyengine/stemlane/contract.py"},
    r'"engine\.conf"': {"cpp/core/contract.h", "pyengine/stemlane/contract.py"},
    r'"models\.index"': {"cpp/core/contract.h", "pyengine/stemlane/contract.py"},
    r'"STEMLANE"': {"cpp/core/contract.h", "pyengine/stemlane/contract.py"},
    r"\b384[_']?000\b": {"cpp/core/contract.h", "pyengine/stemlane/contract.py"},
}


@pytest.mark.parametrize("pattern,homes", TYPED_TWICE.items(), ids=TYPED_TWICE)
def test_nobody_types_it_again(pattern, homes):
    paths = [path for folder in ("cpp", "plugin", "pyengine") for path in (ROOT / folder).rglob("*")
             if path.suffix in (".h", ".cpp", ".py")]  # fmt: skip
    found = {path.relative_to(ROOT).as_posix() for path in paths if re.search(pattern, code(path))}
    assert found == homes


def code(path: Path) -> str:
    """The file without comments and docstrings."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return re.sub(r'"""[\s\S]*?"""|(?m:#.*$)', "", text)
    return re.sub(r"//[^\n]*|/\*[\s\S]*?\*/", "", text)


@pytest.mark.parametrize(
    "system,variables,expected",
    [
        ("linux", {}, "/home/one/.local/share/stemlane"),
        ("linux", {"XDG_DATA_HOME": "/data"}, "/data/stemlane"),
        ("linux", {"XDG_DATA_HOME": "data"}, "/home/one/.local/share/stemlane"),
        ("linux", {"XDG_DATA_HOME": ""}, "/home/one/.local/share/stemlane"),
        ("darwin", {"XDG_DATA_HOME": "/data"}, "/home/one/Library/Application Support/stemlane"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/stemlane"),
    ],
)
def test_the_users_folder(monkeypatch, system, variables, expected):
    for name in ("XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": "/home/one", **variables}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", system)
    assert user_folders.data_folder() == Path(expected)


def test_stems_and_limits_are_what_saved_projects_rely_on():
    """Changing one of these breaks sessions, scripts or models that exist."""
    assert contract.STEM_ORDER == ("vocals", "drums", "bass", "guitar", "piano", "other")
    assert (contract.SILENT_DB, contract.HIGHEST_DB) == (-60.0, 12.0)
    assert contract.MODEL_INDEX_FIELDS[:3] == ("name", "title", "sample_rate")
    assert (contract.STATE_TAG, contract.STATE_MODEL) == ("STEMLANE", "model")
