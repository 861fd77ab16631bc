# SPDX-License-Identifier: MIT
"""What is said of licences, and who is asked before restricted weights are added."""

import io

import pytest
from stemlane.catalog import licences
from stemlane.catalog.install import add_model
from stemlane.catalog.sources import check_accepted
from stemlane.cli.main import main
from stemlane.errors import ModelError
from stemlane.manifests import registry
from stemlane.manifests.model import model_folders
from support.tiny_htdemucs import SIZES, package, seeded
from support.tiny_models import build_model, change_manifest

pytestmark = pytest.mark.usefixtures("no_models", "trials_here")


@pytest.mark.parametrize("source, location, asked", [
    ("spleeter:4stems", None, None),
    ("open-unmix:umxhq", None, None),
    ("open-unmix:umxl", None, "CC BY-NC-SA 4.0: not for commercial use (https://zenodo.org/records/5069601)"),
    ("htdemucs", None, "research only"),
    ("htdemucs_ft", "/somewhere", "https://github.com/facebookresearch/demucs/issues/327"),
    ("mdx", "x.onnx", None),
    ("/a/folder", None, None),
])  # fmt: skip
def test_only_restricted_weights_are_asked_for_and_once(source, location, asked):
    questions = []

    def agree(question: str) -> bool:
        questions.append(question)
        return True

    check_accepted(source, location, agree)
    assert len(questions) == (asked is not None)
    assert asked is None or asked in questions[0]
    if asked:
        with pytest.raises(ModelError, match=f"{source}: not added, because its licence was not accepted"):
            check_accepted(source, location, lambda question: False)


def terminal(answer: str) -> io.StringIO:
    stream = io.StringIO(answer)
    stream.isatty = lambda: True
    return stream


def test_the_command_asks_at_a_terminal(tmp_path, monkeypatch, capsys):
    location = str(package(tmp_path / "x.th", seeded(SIZES), SIZES))
    command = ["models", "add", "htdemucs", "--from", location]
    for answer in ("\n", "n\n", ""):
        monkeypatch.setattr("sys.stdin", terminal(answer))
        assert main(command) == 1
        said = capsys.readouterr().err
        assert "for research only" in said and "Add it? [y/N]" in said and "not added" in said
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))  # a pipe: nobody reads the question
    assert main(command) == 1
    assert "Add it? Say so with --accept-licence" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()
    monkeypatch.setattr("sys.stdin", terminal("y\n"))
    assert main(command) == 0
    said = capsys.readouterr().out  # weights of one's own form are not the published ones
    assert "licence        unknown: ask who made the weights\nnotice         nobody here knows" in said


def test_embedded_models_come_first_and_say_so(capsys):
    add_model(str(build_model(registry.user_folder().parents[2] / "made", name="a-model")))
    assert main(["models", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    embedded, added = lines[:-1], lines[-1]
    assert len(embedded) == len(model_folders(registry.embedded_folder())) >= 2
    for line in embedded:
        assert line.endswith("; MIT (MODEL_CARD.md beside the network, which lists all training data)")
    assert added.startswith("a-model") and added.endswith("; MIT")
    assert main(["models", "show", "mix"]) == 0
    said = capsys.readouterr().out
    assert "licence        MIT\nstated in      MODEL_CARD.md beside the network" in said and "notice" not in said


@pytest.mark.parametrize("text, notice", [
    ("MIT", "this is what the manifest says; nobody here has checked it"),
    ("CC BY-NC 4.0, non-commercial", "not for commercial use"),
    (licences.HTDEMUCS.text, "for research only"),
    (licences.MDX.text, "has stated no licence"),
    (licences.UNKNOWN.text, "nobody here knows who made these weights"),
])  # fmt: skip
def test_models_of_others_come_with_a_notice(tmp_path, capsys, text, notice):
    folder = build_model(tmp_path, name="own")
    change_manifest(folder, "licence", f'"{text}"')
    assert main(["models", "add", str(folder)]) == 0
    added = capsys.readouterr().out
    assert main(["models", "show", "own"]) == 0
    for said in (added, capsys.readouterr().out):
        assert f"licence        {text}\n" in said and notice in said
