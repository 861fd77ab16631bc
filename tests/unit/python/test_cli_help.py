# SPDX-License-Identifier: MIT
"""What explains the command line: `help`, completion in shells, the manual page."""

import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from stemlane.catalog import available, sources
from stemlane.cli import completion, man_page
from stemlane.cli.main import build_parser, main
from stemlane.cli.parser import actions_of, commands_of
from stemlane.manifests import registry
from support.tiny_models import build_model


def commands(parser, words=()):
    """Every command as its words, groups of commands included."""
    for name, command in commands_of(parser).items():
        yield [*words, name]
        yield from commands(command, [*words, name])


COMMANDS = list(commands(build_parser()))


def options_of(words):
    parser = build_parser()
    for word in words:
        parser = commands_of(parser)[word]
    return {name for action in actions_of(parser) for name in action.option_strings}


@pytest.mark.parametrize("words", [[], *COMMANDS], ids=" ".join)
def test_every_help_has_examples_of_its_own(words, capsys):
    with pytest.raises(SystemExit) as stop:
        main([*words, "--help"])
    asked = capsys.readouterr().out
    assert stop.value.code == 0
    examples = asked.partition("\nexamples:\n")[2].splitlines()
    assert examples and all(len(line) <= 100 for line in examples)
    if len(words) < 2:
        assert all(" ".join(["stemlane", *words]) in line for line in examples)
    assert main(["help", *words]) == 0
    assert capsys.readouterr().out == asked


def test_help_of_what_is_no_command(capsys):
    for words, text in ((["modls"], "no command 'modls', should be one of: separate,"),
                        (["models", "ad"], "no command 'ad', should be one of: list,"),
                        (["doctor", "now"], "stemlane doctor has no commands")):  # fmt: skip
        with pytest.raises(SystemExit) as stop:
            main(["help", *words])
        assert stop.value.code == 2 and text in capsys.readouterr().err


def completed(tmp_path, line: str) -> list[str]:
    """What bash offers for the last word of a line."""
    script = tmp_path / "stemlane.bash"
    script.write_text(completion.script(build_parser(), "bash"), encoding="utf-8")
    program = tmp_path / "bin" / "stemlane"  # what the script asks for names of models
    program.parent.mkdir(exist_ok=True)
    program.write_text(
        "#!/bin/sh\ncase \"$*\" in *--added*) echo mine;; *) printf 'live\\nmix\\n';; esac\n", encoding="utf-8"
    )
    program.chmod(0o755)
    words = line.split(" ")
    ask = (
        f'PATH="{program.parent}:$PATH"; source "{script}"; COMP_LINE="$1"; COMP_POINT=${{#COMP_LINE}}; shift; '
        'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); $(complete -p stemlane | sed "s/.*-F \\([^ ]*\\).*/\\1/"); '
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", ask, "bash", line, *words], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return sorted(word.rstrip() for word in done.stdout.splitlines())


def test_bash_completes(tmp_path):
    (tmp_path / "song.flac").touch()
    (tmp_path / "songs").mkdir()
    assert completed(tmp_path, "stemlane se") == ["separate"]
    assert completed(tmp_path, "stemlane models ") == ["add", "combine", "list", "remove", "show", "verify"]
    assert completed(tmp_path, "stemlane separate --sk") == ["--skip-existing"]
    assert completed(tmp_path, "stemlane separate --format m") == ["m4a", "mp3"]
    assert completed(tmp_path, "stemlane separate --clip ") == ["clamp", "report", "rescale"]
    assert completed(tmp_path, "stemlane separate --model l") == ["live"]
    assert completed(tmp_path, "stemlane models show ") == ["live", "mix"]
    assert completed(tmp_path, "stemlane models remove ") == ["mine"]
    assert completed(tmp_path, "stemlane models add htd") == ["htdemucs", "htdemucs_6s", "htdemucs_ft"]
    assert completed(tmp_path, "stemlane models add m") == ["mdx", "mdx23c"]
    assert completed(tmp_path, "stemlane separate so") == ["song.flac", "songs"]
    assert completed(tmp_path, "stemlane separate -o so") == ["songs"]
    assert completed(tmp_path, "stemlane help com") == ["completion"]


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_every_command_and_option_is_completed(shell, capsys):
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    for words in COMMANDS:
        assert words[-1] in script
        for option in options_of(words):
            plain = option.lstrip("-")
            pattern = rf"-[ls] {plain}\b" if shell == "fish" else re.escape(option)
            assert re.search(pattern, script), option
    # A shell that is there checks the grammar; bash always is.
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True)


def test_the_manual_page_holds_everything_and_no_request_of_roff_by_accident():
    page = man_page.page(build_parser())
    known = {"TH", "SH", "SS", "TP", "PP", "nf", "fi"}
    assert {line.split()[0].removeprefix(".") for line in page.splitlines() if line.startswith(".")} == known
    assert not any(line.startswith("'") for line in page.splitlines())
    plain = re.sub(r"\\f.", "", page).replace(r"\-", "-").replace(r"\&", "")
    for words in COMMANDS:
        if len(words) == 2 or words[0] not in ("models", "plugin"):
            section = plain.partition(f".SS stemlane {' '.join(words)}\n")[2].partition(".SS ")[0]
            assert all(option in section for option in options_of(words) - {"-h", "--help"})
            assert ".nf\nstemlane" in section.replace("  stemlane", "stemlane")
    assert "%(" not in page and "{prog}" not in page


def test_a_build_writes_it_without_any_package():
    script = (
        "import runpy, sys\nfor name in ('numpy', 'onnxruntime', 'soundfile', 'av'): sys.modules[name] = None\n"
        "runpy.run_module('stemlane.cli.man_page', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout == man_page.page(build_parser())


def test_the_manual_page_is_installed():
    """A package that was installed has the page where `man` looks beside the command."""
    page = Path(sysconfig.get_path("data")) / "share" / "man" / "man1" / "stemlane.1"
    assert page.read_text(encoding="utf-8").startswith(".TH STEMLANE 1")


def test_names_of_models_for_scripts(tiny_models, tmp_path, monkeypatch, capsys):
    assert main(["models", "list", "--names"]) == 0
    assert capsys.readouterr().out == "default\nlive\nmix\n"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    for arguments in (["--added", "--names"], ["--added"]):
        assert main(["models", "list", *arguments]) == 0
        assert capsys.readouterr().out == ""
    build_model(registry.user_folder(), name="mine")
    (registry.user_folder() / "broken").mkdir()
    (registry.user_folder() / "broken" / "manifest.toml").touch()
    assert main(["models", "list", "--added", "--names"]) == 0  # a broken one can be removed, too
    assert capsys.readouterr().out == "broken\nmine\n"


def test_every_source_is_offered(capsys):
    """The families of the table of sources, and the models known by name."""
    assert main(["models", "list", "--available", "--names"]) == 0
    names = capsys.readouterr().out.splitlines()
    assert names == available.source_names() and len(names) == len(set(names))
    for module in sources.SOURCES:
        family = module.__name__.split(".")[-2].replace("_", "-")
        assert any(name.startswith(family) for name in names), family
    for name in names:
        assert name in sources.SOURCE_NAMES or name.endswith("-16kHz"), name
