# SPDX-License-Identifier: MIT
"""A batch on a Dask cluster whose workers are killed: nothing is lost, nothing is there twice, a restart goes on."""

import gc
import hashlib
import json
from collections import Counter, defaultdict

import dask
import pytest
import soundfile
import stemlane
from distributed import Client, LocalCluster
from stemlane.errors import InputError, ModelError
from stemlane.files import workers as workers_module
from support.audio_files import RATE, music
from support.faults import Faults
from support.tiny_models import build_model, change_manifest

NUM_SONGS = 200
ALWAYS = 1000
# Recordings that meet faults, and how many attempts of three they spoil. Dask hands a recording out again once.
PLAN = {
    "010": ("kill", "begun", 1), "050": ("kill", "written", 1), "090": ("kill", "answered", 1),
    "130": ("kill", "written", ALWAYS),
    "020": ("fail", "begun", 1), "060": ("fail", "written", 2), "100": ("fail", "written", ALWAYS),
}  # fmt: skip
NO_AUDIO, DAMAGED = ("030", "150"), "070"
POISON = {"130", "100", "070", "030", "150"}


@pytest.fixture(scope="module")
def cluster():
    """Two worker processes. Dask gives up on a recording that has lost two."""
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", memory_limit=0, silence_logs=50
        ) as found,
    ):
        yield found


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return build_model(tmp_path_factory.mktemp("models"), compute_allowance_samples=4096)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(workers_module, "BACK_OFF_SECONDS", 0.01)


def write_song(folder, name, seed):
    folder.mkdir(exist_ok=True)
    soundfile.write(folder / f"{name}.wav", music(RATE // 2, seed=seed).T, RATE, subtype="FLOAT")


def contents(folder):
    """The hash of every file, hidden ones too. FLAC holds no time of writing."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*") if path.is_file()
    }  # fmt: skip


def lines_of(status):
    """The states of each recording's attempts, by its name."""
    states = defaultdict(list)
    lines = [json.loads(line) for line in status.read_text(encoding="utf-8").splitlines()]
    for line in lines:
        states[line["input"][-7:-4]].append(line["state"])
    return states, lines


def test_workers_are_killed_in_mid_batch(tmp_path, cluster, model):
    songs, out, status = tmp_path / "in", tmp_path / "out", tmp_path / "status.jsonl"
    for index in range(NUM_SONGS):
        write_song(songs, f"{index:03}", index)
    options = {"model": model, "file_format": "flac", "bits": 16, "stems": ["vocals", "other"]}
    stemlane.separate_many([songs], tmp_path / "expected", jobs=2, **options)
    expected = contents(tmp_path / "expected")
    good = {name: (songs / f"{name}.wav").read_bytes() for name in (*NO_AUDIO, DAMAGED)}
    for name in NO_AUDIO:
        (songs / f"{name}.wav").write_bytes(b"<html>" * 100)
    damaged = music(RATE // 2)
    damaged[0, 20_000] = float("nan")
    soundfile.write(songs / f"{DAMAGED}.wav", damaged.T, RATE, subtype="FLOAT")

    (tmp_path / "met").mkdir()
    faults = Faults(tmp_path / "met", PLAN)
    options |= {"dask": cluster.scheduler_address, "retries": 2, "status": status}
    with Client(cluster, set_as_default=False) as client:
        client.register_plugin(faults)
        outcomes = stemlane.separate_many([songs], out, **options)
    faults.mend()

    num_met = faults.num_met()
    # Twice alone, and up to twice in the crowd, where the loss of a neighbour's worker counts too.
    assert 2 <= num_met.pop("130") <= 4
    assert num_met == {"010": 1, "050": 1, "090": 1, "020": 1, "060": 2, "100": 3}
    problems = {outcome.path.stem: outcome.problem for outcome in outcomes if outcome.problem}
    assert len(outcomes) == NUM_SONGS and set(problems) == POISON
    assert "the workers that separated it were lost" in problems["130"] and "Input/output error" in problems["100"]
    assert "is nan" in problems[DAMAGED] and "cannot be read as audio" in problems["030"]
    whole = {name: digest for name, digest in expected.items() if name[:3] not in POISON}
    assert contents(out) == whole and len(whole) == 2 * (NUM_SONGS - len(POISON))
    states, lines = lines_of(status)
    assert Counter(last for *_, last in states.values()) == {"done": NUM_SONGS - len(POISON), "failed": len(POISON)}
    assert sum(line["state"] != "retry" for line in lines) == NUM_SONGS  # each comes to an end once
    assert states["020"][-2:] == ["retry", "done"] and states["100"][-3:] == ["retry", "retry", "failed"]
    assert (lines[-1]["num_done"], lines[-1]["num_recordings"]) == (NUM_SONGS, NUM_SONGS)

    for name, data in good.items():  # what was wrong is mended, and the batch started again
        (songs / f"{name}.wav").write_bytes(data)
    times = {path: path.stat().st_mtime_ns for path in out.rglob("*.flac")}
    again = stemlane.separate_many([songs], out, skip_existing=True, **options)
    assert Counter(outcome.skipped for outcome in again) == {True: NUM_SONGS - len(POISON), False: len(POISON)}
    assert [outcome.problem for outcome in again if outcome.problem] == []
    assert contents(out) == expected and times.items() <= {p: p.stat().st_mtime_ns for p in out.rglob("*.flac")}.items()
    assert len(lines_of(status)[1]) == len(lines) + NUM_SONGS


def test_an_interrupted_batch_goes_on(tmp_path, cluster, model):
    for index in range(20):
        write_song(tmp_path / "in", f"{index:03}", index)
    options = {"model": model, "dask": cluster.scheduler_address, "file_format": "flac", "stems": ["vocals"]}
    reported = []

    def interrupt(outcome):
        reported.append(outcome.path)
        if len(reported) == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stemlane.separate_many([tmp_path / "in"], tmp_path / "out", report=interrupt, **options)
    again = stemlane.separate_many([tmp_path / "in"], tmp_path / "out", skip_existing=True, retries=2, **options)
    assert [outcome.problem for outcome in again if outcome.problem] == []
    assert set(reported) <= {outcome.path for outcome in again if outcome.skipped}
    stemlane.separate_many([tmp_path / "in"], tmp_path / "expected", model=model, file_format="flac", stems=["vocals"])
    assert contents(tmp_path / "out") == contents(tmp_path / "expected")


def test_relative_paths_and_the_command_line(tmp_path, cluster, model, monkeypatch, capfd):
    from stemlane.cli.main import main

    write_song(tmp_path / "in", "001", 1)
    monkeypatch.chdir(tmp_path)
    arguments = ["separate", "in", "absent.wav", "-o", "out", "-m", str(model), "--dask", cluster.scheduler_address,
                 "--stems", "bass", "--json", "--status", "status.jsonl", "--retries", "1"]  # fmt: skip
    assert main(arguments) == 1
    printed = {line["input"]: line for line in map(json.loads, capfd.readouterr().out.splitlines())}
    assert printed["in/001.wav"]["outputs"] == {"bass": "out/001/bass.wav"}
    assert printed["absent.wav"]["problem"].endswith("absent.wav: no such file")
    assert (tmp_path / "out/001/bass.wav").is_file()
    states, _ = lines_of(tmp_path / "status.jsonl")
    assert states == {"001": ["done"], "ent": ["retry", "failed"]}


def test_workers_need_the_same_model(tmp_path, cluster, model):
    """The model of the batch is another one by the time the workers look."""
    write_song(tmp_path, "001", 1)
    with stemlane.Separator(build_model(tmp_path / "models")) as separator:
        change_manifest(separator.manifest.folder, "version", '"0.2.0"')
        with pytest.raises(ModelError, match=r"worker tcp://.*: model '.*' is another one here \(version 0.2.0 in"):
            stemlane.separate_many([tmp_path / "001.wav"], tmp_path, model=separator, dask=cluster.scheduler_address)


def test_no_scheduler(tmp_path, model, monkeypatch):
    from stemlane.files import cluster as cluster_module

    monkeypatch.setattr(cluster_module, "_CONNECT_SECONDS", 0.2)
    write_song(tmp_path, "001", 1)
    for address in ("tcp://127.0.0.1:9", "nonsense://x", "nonsense", "http://127.0.0.1:1"):
        with pytest.raises(InputError, match=f"--dask {address}: no scheduler answers there"):
            stemlane.separate_many([tmp_path / "001.wav"], tmp_path / "out", model=model, dask=address)
        gc.collect()  # a client half made complains here, which is a failure
    assert not (tmp_path / "out").exists()
