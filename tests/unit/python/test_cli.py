# SPDX-License-Identifier: MIT
"""What all commands of the command line share: help, usage, exit status, one-line problems; and `evaluate`."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from stemlane.cli.main import main
from support.command_line import RATE, command, fails, noise, write


@pytest.mark.parametrize("name", ["separate", "render", "evaluate", "bench", "doctor", "models add", "plugin install"])
def test_every_help_has_examples(name, capsys):
    with pytest.raises(SystemExit) as stop:
        main([*name.split(), "--help"])
    assert stop.value.code == 0
    examples = capsys.readouterr().out.partition("\nexamples:\n")[2]
    assert f"  stemlane {name}" in examples
    assert all(len(line) <= 100 for line in examples.splitlines())


def test_the_page_on_files_names_no_missing_option(capsys):
    page = (Path(__file__).resolve().parents[3] / "docs" / "FILES.md").read_text(encoding="utf-8")
    named = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", " ".join(re.findall(r"`([^`]+)`", page))))
    helps = ""
    for name in ("separate", "models add", "render"):
        with pytest.raises(SystemExit):
            main([*name.split(), "--help"])
        helps += capsys.readouterr().out
    known = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", helps))
    assert {"--name", "--skip-existing", "-j", "--stem-file", "--bits"} <= named <= known


def test_evaluate(tmp_path, tiny_models, capsys):
    for name in ("vocals", "drums"):
        write(tmp_path / "song" / f"{name}.wav", noise(2, RATE))
    assert main(["evaluate", str(tmp_path), "--model", "live", "--json"]) == 0
    table = json.loads(capsys.readouterr().out)[0]
    assert table["song"] == "song" and table["rows"]["live"]["results"][0]["sdr_db"] is not None
    assert main(["evaluate", str(tmp_path), "--model", "live"]) == 0
    assert "ideal mask" in capsys.readouterr().out
    fails(capsys, ["evaluate", str(tmp_path / "none")], "no such folder")


def test_unexpected_errors_have_no_traceback(monkeypatch, capsys):
    from stemlane.manifests import registry

    monkeypatch.delenv("STEMLANE_DEBUG", raising=False)
    monkeypatch.setattr(registry, "list_models", lambda: 1 / 0)
    fails(capsys, ["models", "list"], "unexpected: ZeroDivisionError: division by zero")


def test_whoever_asks_is_shown_where_an_error_comes_from(tmp_path, monkeypatch):
    """Of one recording, too, whose error does not end the others."""
    write(tmp_path / "a.wav", noise(2, 1000))
    program = (
        "import stemlane.files.separating as s, stemlane.cli.main as m; s.content_at = None; raise SystemExit(m.main())"
    )
    for debug in ("", "1"):
        process = subprocess.run(
            [sys.executable, "-c", program, "separate", str(tmp_path / "a.wav"), "-o", str(tmp_path / "out")],
            capture_output=True, text=True, check=False, env=os.environ | {"STEMLANE_DEBUG": debug},
        )  # fmt: skip
        assert process.returncode == 1 and "a.wav: unexpected: TypeError" in process.stderr
        assert ("in separate_recording" in process.stderr) is bool(debug)


def test_usage_errors_and_version():
    process = command("separate")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2 and "Traceback" not in err
    assert err == "stemlane separate: nothing to separate: name a file or folder\nTry 'stemlane separate --help'.\n"
    process = command("--version")
    assert process.communicate(timeout=60)[0].startswith("stemlane 0.")
