# SPDX-License-Identifier: MIT
"""Rules of the house that no linter knows: who includes whom in C++, and how long files and functions may be."""

import ast
import os
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
LONGEST_FILE, LONGEST_FUNCTION = 350, 60

# Which rooms of cpp/ a room may include from, beside itself.
CPP_ROOMS = {
    "core": set(),
    "platform": set(),
    "link": {"core", "platform"},
    "host": {"core", "link", "platform"},
    "stream": {"core", "link", "host", "platform"},
    "api": {"core", "link", "host", "stream", "platform"},
    "engine": {"core", "link", "host", "stream", "platform"},
}
# Headers of other projects, and where alone they may be included.
OTHERS = {r"(juce_|JuceHeader)": "plugin/", r"(pybind11/|Python\.h)": "cpp/engine/", r"torch/": "models/"}


def sources(folder: str, *endings: str) -> list[Path]:
    return sorted(path for path in (ROOT / folder).rglob("*") if path.suffix in endings)


CPP_SOURCES = [path for folder in ("cpp", "plugin") for path in sources(folder, ".h", ".cpp", ".c", ".mm")]
PYTHON_SOURCES = [path for folder in ("pyengine", "models", "tools") for path in sources(folder, ".py")]
TESTS = sources("tests", ".py", ".h", ".cpp")


def includes(path: Path) -> list[str]:
    return re.findall(r'(?m)^\s*#\s*include\s*[<"]([^">]+)[">]', path.read_text(encoding="utf-8"))


def wrong_includes(path: str, names: list[str]) -> list[str]:
    """What a file includes against the rules."""
    wrong = [name for name in names for pattern, home in OTHERS.items()
             if re.match(pattern, name) and not path.startswith(home)]  # fmt: skip
    if path.startswith("cpp/"):
        room = path.split("/")[1]
        allowed = CPP_ROOMS[room] | {room}
        own = [name for name in names if (ROOT / "cpp" / name).is_file()]
        wrong += [name for name in own if name.split("/")[0] not in allowed]
        wrong += [name for name in names if (ROOT / "plugin" / name).is_file()]
    return wrong


def test_includes_follow_the_arrows():
    """Core uses nothing, stream uses core, link and host; JUCE stays in plugin/, Python in cpp/engine/."""
    found = {}
    for path in CPP_SOURCES:
        name = path.relative_to(ROOT).as_posix()
        if wrong := wrong_includes(name, includes(path)):
            found[name] = wrong
    assert {name: wrong for name, wrong in found.items() if wrong != ALLOWED_INCLUDES.get(name)} == {}


def test_wrong_includes_are_found():
    assert wrong_includes("cpp/core/x.h", ["vector", "stream/stem_stream.h"]) == ["stream/stem_stream.h"]
    assert wrong_includes("cpp/stream/x.cpp", ["juce_core/juce_core.h", "core/stems.h"]) == ["juce_core/juce_core.h"]
    assert wrong_includes("cpp/api/x.cpp", ["pybind11/embed.h"]) == ["pybind11/embed.h"]
    assert wrong_includes("plugin/processor/x.cpp", ["juce_core/juce_core.h", "stream/stem_stream.h"]) == []


# What belongs to the system, and may stand in cpp/platform alone.
SYSTEM = (
    r"\bsem_(t|post|wait|init)\b|/proc/|\bprctl\b|\bmemfd_create\b|\bshm_open\b|\beventfd\b|<sys/"
    r"|\b(get|set)e?[ug]id\b|\bgetpw\w+|\bgetpid\b|\b(un)?setenv\b|\bgetenv\b|\bfork\s*\(|<(unistd|pwd|fcntl|malloc|windows)\.h>"
)


def test_the_system_is_behind_the_platform():
    found = {path.relative_to(ROOT).as_posix() for path in CPP_SOURCES
             if not path.is_relative_to(ROOT / "cpp" / "platform")
             and re.search(SYSTEM, re.sub(r"(?m)//.*$", "", path.read_text(encoding="utf-8")))}  # fmt: skip
    assert found == set()


def test_hosted_builds_lint_and_skip_no_daw():
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    linux = text[text.index("  linux:") : text.index("  others:")]
    for words in ("make lint", "make ardour", "make test-core", "make test-python", 'STEMLANE_NEEDS_ARDOUR: "1"'):
        assert words in linux, words


def imported(text: str) -> set[str]:
    """Top-level names of the packages that Python code imports, wherever it does."""
    nodes = list(ast.walk(ast.parse(text)))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.split(".")[0] for name in names}


def test_torch_is_imported_in_models_alone():
    found = [path for folder in ("pyengine", "tests") for path in sources(folder, ".py")
             if "torch" in imported(path.read_text(encoding="utf-8"))]  # fmt: skip
    names = [path.relative_to(ROOT).as_posix() for path in found]
    # The training's tests, and scripts that run the originals once to write down what they give.
    assert [name for name in names if not name.startswith(("tests/training/", "tests/parity/make_"))] == []


@pytest.mark.parametrize("path", [*CPP_SOURCES, *PYTHON_SOURCES], ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_fit(path):
    name = path.relative_to(ROOT).as_posix()
    text = path.read_text(encoding="utf-8")
    num_lines = text.count("\n")
    assert num_lines <= LONGEST_FILE, f"{name} has {num_lines} lines, should have at most {LONGEST_FILE}"
    functions = python_functions(text) if path.suffix == ".py" else cpp_functions(text)
    long = [f"{function} ({lines} lines)" for function, lines in functions
            if lines > LONGEST_FUNCTION and (name, function) not in TOO_LONG]  # fmt: skip
    assert long == []


def unresolved(root: Path) -> list[str]:
    """Files with the marks of a merge, but in folders that .gitignore names; a source archive has no git to ask."""
    ignored = [line.strip("/") for line in (root / ".gitignore").read_text(encoding="utf-8").split() if line[-1] == "/"]
    marks = re.compile(rb"(?m)^(<{7}|>{7})( |$)")
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not any(fnmatch(name, pattern) for pattern in (".git", *ignored))]
        paths = [Path(folder, name) for name in files if Path(folder, name).is_file()]
        found += [path.relative_to(root).as_posix() for path in paths if marks.search(path.read_bytes())]
    return found


def test_no_merge_is_left_unresolved():
    assert unresolved(ROOT) == []


def test_unresolved_merges_are_found_without_git(tmp_path):
    (tmp_path / ".gitignore").write_text("/build/\n*.egg-info/\n")
    for name in ("a/b.txt", "build/b.txt", "x.egg-info/b.txt", "c.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"ours\n{'>' * 7} theirs\n" if name != "c.md" else f"{'>' * 8} a quote\n")
    assert unresolved(tmp_path) == ["a/b.txt"]


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_of_tests_fit(path):
    assert path.read_text(encoding="utf-8").count("\n") <= LONGEST_FILE


def python_functions(text: str) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.end_lineno - node.lineno + 1


def cpp_functions(text: str) -> Iterator[tuple[str, int]]:
    """Functions in namespaces and classes, with their lengths; lambdas and blocks count with what they stand in."""

    def blank(match):
        return re.sub(r"[^\n]", " ", match[0])

    comment, raw = r"//[^\n]*|/\*.*?\*/", r'R"\(.*?\)"'
    string, character = r'"(?:\\.|[^"\\\n])*"', r"'(?:\\.|[^'\\\n])'"
    code = re.sub(f"{comment}|{raw}|{string}|{character}", blank, text, flags=re.DOTALL)
    code = re.sub(r"(?m)^\s*#.*(\\\n.*)*$", blank, code)
    stack: list[tuple[str, int, str]] = []  # kind, line of the header's first word, name
    header_start = 0
    for match in re.finditer(r"[{};]", code):
        if match[0] == "{":
            header = code[header_start : match.start()]
            line = code.count("\n", 0, header_start + len(header) - len(header.lstrip()))
            outer = all(kind == "scope" for kind, _, _ in stack)
            if re.search(r"\b(namespace|class|struct|union|enum|extern)\b[^()=]*$", header):
                kind = "scope"
            else:
                kind = "function" if outer and "(" in header else "block"
            name = re.search(r"([\w:~]+)\s*\(", header)
            stack.append((kind, line, name[1] if name else ""))
        elif match[0] == "}":
            kind, line, name = stack.pop()
            if kind == "function":
                yield name, code.count("\n", 0, match.start()) - line + 1
        header_start = match.end()


def test_lengths_of_functions_are_measured():
    cpp = """namespace a {
// A comment with a { brace.
int f(int x) noexcept {
  if (x) { return '}'; }
  const auto g = [&] { return "}"; };
  return g();
}
struct S {
  S() : x{1} {}
  void h()
  {
    x = 2;
  }
  int x;
};
}  // namespace a
"""
    assert ("f", 5) in list(cpp_functions(cpp))
    assert ("h", 4) in list(cpp_functions(cpp))
    python = "def f():\n    x = 1\n\n    def g():\n        return x\n\n    return g\n"
    assert dict(python_functions(python)) == {"f": 7, "g": 2}


# Known and being mended.
ALLOWED_INCLUDES: dict[str, list[str]] = {}
TOO_LONG: list[tuple[str, str]] = []
