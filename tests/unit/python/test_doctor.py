# SPDX-License-Identifier: MIT
"""The doctor finds what is missing and keeps going; its report for others names nobody."""

import getpass
import json
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from stemlane import __version__, doctor, support_report
from stemlane.cli.main import main
from stemlane.manifests import registry
from stemlane.plugin import install, places
from support.tiny_models import build_model

SEPARATES = f"""#!/bin/sh
[ "$1" = --check ] || exit 2
[ -z "$PYTHONHOME$LD_PRELOAD" ] || {{ echo "inherits what is meant for another" >&2; exit 1; }}
echo 'a library talks'
echo '{{"stemlane": "{__version__}", "python": "3.11.2", "models": ["live", "mix"]}}'
"""
REMEDY = "run 'stemlane plugin install' again"


def write_engine(bundle, script):
    engine = places.engine_path(bundle)
    engine.write_text(script, encoding="utf-8")
    engine.chmod(0o755)


@pytest.fixture
def healthy(tmp_path, tiny_models, monkeypatch):
    """An installation in which everything is in place, with a stand-in for the plugin."""
    bundle = tmp_path / "Stemlane.vst3"
    binaries = bundle / "Contents" / "x86_64-linux"
    binaries.mkdir(parents=True)
    (bundle / "Contents" / "Resources").mkdir()
    (bundle / "Contents" / "Resources" / "models.index").write_text("", encoding="utf-8")
    (binaries / "Stemlane.so").write_bytes(b"")
    (binaries / "stemlane-engine").touch()
    write_engine(bundle, SEPARATES)
    monkeypatch.setenv("STEMLANE_PLUGIN", str(bundle))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return bundle


def problems():
    return {check.name: check.text for check in doctor.run() if not check.ok}


def test_all_is_well(healthy, capsys):
    assert problems() == {}
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) >= 12 and all(" ok: " in line for line in lines)


def test_problems_are_named_and_the_rest_is_still_checked(healthy, tmp_path, monkeypatch, capsys):
    write_engine(healthy, "#!/bin/sh\necho 'libpython3.11.so.1.0: not found' >&2\nexit 127\n")
    build_model(tmp_path / "data" / "stemlane" / "models", name="hurt")
    (tmp_path / "data" / "stemlane" / "models" / "hurt" / "network.onnx").write_bytes(b"x")
    monkeypatch.setenv("STEMLANE_CORE", str(tmp_path / "none.so"))
    monkeypatch.setitem(sys.modules, "soxr", None)
    from stemlane.mix import _core

    _core.load.cache_clear()
    found = problems()
    _core.load.cache_clear()
    assert set(found) == {"engine", "model hurt", "core library", "soxr"}
    assert found["engine"].endswith("does not run: libpython3.11.so.1.0: not found; install the stemlane package again")
    assert "damaged" in found["model hurt"] and "pip install soxr" in found["soxr"]
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "problem: " in out and "Traceback" not in out
    _core.load.cache_clear()


def test_missing_bundle_and_models(healthy, tmp_path, monkeypatch):
    monkeypatch.setenv("STEMLANE_PLUGIN", str(tmp_path / "none"))
    monkeypatch.delenv("STEMLANE_MODELS", raising=False)
    monkeypatch.setattr(registry, "embedded_folder", lambda: tmp_path / "nothing")
    found = problems()
    assert set(found) == {"models", "plugin", "engine"}
    assert "none in" in found["models"]


def test_folders_of_models_that_are_refused(healthy, monkeypatch):
    monkeypatch.setenv("STEMLANE_MODELS", "relative")
    assert "give the whole path" in problems()["models"]


def test_installed_plugin_must_have_its_python(healthy, monkeypatch):
    monkeypatch.setattr(places, "this_python", lambda: Path("/gone/bin/python3"))
    install.install_linked()
    assert f"'/gone/bin/python3', which is gone; {REMEDY}" in problems()["installed plugin"]


# What an installed engine does, and what the doctor says of it.
SICK = {
    "exit 2": "does not run: exit status 2",
    "kill -SEGV $$": "does not run: exit status -11",
    "echo \"No module named numpy; run 'it'\" >&2; exit 1": "No module named numpy; run 'it'",
    "echo well": "does not say what it runs",
    "echo '[]'": "does not say what it runs",
    SEPARATES.replace(__version__, "0.0.9"): f"is of stemlane 0.0.9, this is {__version__}",
}


@pytest.mark.parametrize("script", SICK)
def test_an_installed_engine_that_is_sick_is_found_with_its_remedy(healthy, script):
    target = install.install_linked()
    write_engine(target, f"#!/bin/sh\n{script}\n")
    found = problems()
    assert set(found) == {"installed plugin"}
    assert SICK[script] in found["installed plugin"]
    assert found["installed plugin"].endswith(("run 'it'", REMEDY))


def test_an_engine_that_is_no_program_is_found_with_its_remedy(healthy):
    write_engine(install.install_linked(), "not a program")
    assert problems()["installed plugin"].endswith(f"does not start: Exec format error; {REMEDY}")


def test_the_engine_is_started_without_what_is_meant_for_others(healthy, monkeypatch):
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    assert "engine" not in problems()


def test_an_engine_that_hangs_is_a_problem(healthy, monkeypatch):
    write_engine(healthy, "#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(doctor, "_ENGINE_SECONDS", 0.2)
    assert "has not separated anything within 0.2 s; install" in problems()["engine"]


def read_report(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode("utf-8") for name in archive.namelist()}


def test_the_report_holds_versions_states_and_logs_and_nobodys_name(healthy, tmp_path, monkeypatch, capsys):
    home = tmp_path / "home" / "erika musterfrau"
    cache = home / ".cache" / "ardour7" / "vst"
    cache.mkdir(parents=True)
    (cache / "x-Stemlane.v3i").write_text(f'path="{home}/.vst3/Stemlane.vst3"', encoding="utf-8")
    log = tmp_path / "engine.log"
    log.write_text("old" * 100_000 + f"\nfailed in {home}/Musik for Erika Musterfrau on kellerkind\n", encoding="utf-8")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("STEMLANE_ENGINE_LOG", str(log))
    monkeypatch.setattr(socket, "gethostname", lambda: "kellerkind.example.org")
    monkeypatch.setattr(getpass, "getuser", lambda: "erika")
    install.install_linked()
    report = tmp_path / "report.zip"
    assert main(["doctor", "--report", str(report)]) == 0
    assert capsys.readouterr().out.endswith(f"{report}\n")
    found = read_report(report)
    assert {"doctor.txt", "versions.json", "models.json", "plugins.txt", "plugin 0/models.index"} <= set(found)
    assert json.loads(found["versions.json"])["stemlane"] == __version__
    assert any(package.startswith("numpy ") for package in json.loads(found["versions.json"])["packages"])
    assert "stemlane-engine" in found["plugins.txt"] and "python=" in found["plugin 1/engine.conf"]
    (log_text,) = [text for name, text in found.items() if name.endswith("engine.log")]
    assert "failed in ~/Musik" in log_text and len(log_text) < 210_000
    everything = "\n".join(found.values()).lower()
    assert [name for name in ("erika", "musterfrau", "kellerkind") if name in everything] == []


@pytest.mark.parametrize("name, other", [
    ("report.txt", "report.zip"), ("report", "report.zip"), ("a.tar.gz", "a.tar.zip"), ("", "report.zip"),
    ("..", "../report.zip"),
])  # fmt: skip
def test_a_report_under_a_name_that_is_no_archives_is_refused_at_once(tmp_path, monkeypatch, capsys, name, other):
    monkeypatch.setattr(doctor, "run", lambda: pytest.fail("it has looked already"))
    assert main(["doctor", "--report", str(tmp_path / name)]) == 1
    assert capsys.readouterr() == (
        "", f"stemlane: {tmp_path / name}: the report is a zip file; name it like {tmp_path / other}\n",
    )  # fmt: skip
    assert list(tmp_path.iterdir()) == []


def test_a_report_that_cannot_be_written_leaves_nothing(healthy, tmp_path, capsys):
    target = tmp_path / "none" / "report.zip"
    assert main(["doctor", "--report", str(target)]) == 1
    assert f"{target}: cannot be written (No such file or directory)" in capsys.readouterr().err


def test_words_that_only_contain_a_name_are_kept(monkeypatch):
    monkeypatch.setattr(getpass, "getuser", lambda: "max")
    assert support_report.without_names("max maximum /x/max/y Max.") == "<name> maximum /x/<name>/y <name>."


def test_the_real_engine_answers_as_the_stand_ins_do():
    done = subprocess.run(
        [places.engine_path(places.plugin_path()), "--check"], capture_output=True, text=True, timeout=120, check=True
    )
    facts = json.loads(done.stdout)
    assert facts["stemlane"] == __version__ and {"live", "mix"} <= set(facts["models"])
    assert facts["python"] == sys.version.split()[0]
