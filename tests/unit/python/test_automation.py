# SPDX-License-Identifier: MIT
"""Automation from files: every format gives the same curve, in closed form, and damaged files one line."""

import json
import math

import mido
import numpy as np
import pytest
from stemlane.cli.main import main
from stemlane.errors import InputError
from stemlane.manifests.model import load_manifest
from stemlane.mix.automation import read_automation
from stemlane.mix.faders import CONTROLLERS
from stemlane.mix.midi_automation import gain_of_value
from stemlane.mix.rendering import GainPlan, render
from support.audio_files import music
from support.tiny_models import build_model

RATE = 44100


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return build_model(tmp_path_factory.mktemp("models"))


def plan(model, path, **options) -> GainPlan:
    return GainPlan(load_manifest(model), None, read_automation(path, **options))


def written(path, text):
    path.write_text(text, encoding="utf-8")
    return path


CSV = """time,stem,gain_db,shape
0,vocals,0,linear
2,vocals,-12,stepped
3,vocals,-inf,
1,output,-6,amplitude
2,output,+6,
"""


def test_csv(tmp_path, model):
    found = plan(model, written(tmp_path / "a.csv", CSV))
    for seconds, gain_db in ((0, 0), (0.5, -3), (1.5, -9), (2, -12), (2.999, -12), (3, -60), (9, -60)):
        assert found.gain_db("vocals", seconds) == pytest.approx(gain_db, abs=1e-12)
    low, high = 10 ** (-6 / 20), 10 ** (6 / 20)
    for seconds in (1, 1.25, 1.5, 1.9):
        factor = low + (high - low) * (seconds - 1)
        assert found.gain_db("output", seconds) == pytest.approx(20 * math.log10(factor), abs=1e-12)
    assert found.gain_db("drums", 1) == 0


def test_every_spelling_of_csv_and_json_says_the_same(tmp_path):
    points = [{"time": 0.5, "stem": "vocals", "gain_db": "-3.5", "shape": "stepped"}]
    for name, text in {
        "a.csv": "time,stem,gain_db,shape\n0.5,vocals,-3.5,stepped\n",
        "b.csv": "\ufeffStem; Time; Gain_dB; Shape\r\nvocals; 0,5; -3.5; stepped\r\n",
        "c.CSV": '"shape","time","gain_db","stem"\n"stepped","0.5","-3.5","vocals"\n',
        "d.json": json.dumps(points),
    }.items():
        assert read_automation(written(tmp_path / name, text)) == points


@pytest.mark.parametrize(
    "name, text, words",
    [
        ("a.csv", "", "is empty, should have time, stem, gain_db"),
        ("a.csv", "time,stem\n0,vocals\n", "has the columns time, stem, should have"),
        ("a.csv", "time,stem,gain_db\n0,vocals\n", "line 2: should have 3 columns"),
        ("a.csv", "time,stem,gain_db\n0,vocals,1,2\n", "line 2: should have 3 columns"),
        ("a.csv", "time,stem,gain_db\nsoon,vocals,1\n", "line 2: time is 'soon', should be seconds"),
        ("a.csv", "time,stem,gain_db\n", "holds no breakpoints, only the names of the columns"),
        ("a.csv", "time,stem,gain_db,Time\n0,bass,1,2\n", "has the column time twice; leave one out"),
        ("a.csv", f"time,stem,gain_db\n0,{'v' * 200_000},1\n", "is not CSV"),
        ("a.json", "[" * 100_000, "should be one list of breakpoints"),
        ("a.mid", "MThd", "cannot be read as a MIDI file (EOFError)"),
        ("a.rpp", "<REAPER_PROJECT 0.1\n", "is cut off inside <REAPER_PROJECT"),
        ("a.rpp", "no project", "is no REAPER project"),
        ("a.rpp", "<REAPER_PROJECT 0.1\n" + "<A\n" * 200, "more than 100 blocks"),
    ],
)
def test_files_that_are_none(tmp_path, name, text, words):
    path = written(tmp_path / name, text)
    with pytest.raises(InputError) as caught:
        read_automation(path)
    assert words in str(caught.value) and str(caught.value).startswith(f"{path}: ")


def test_a_shape_that_is_none(tmp_path, model):
    with pytest.raises(InputError, match="has the shape 'round', should be one of: linear, stepped, amplitude"):
        plan(model, written(tmp_path / "a.csv", "time,stem,gain_db,shape\n0,vocals,1,round\n"))


def midi(path, events, *, tempos=((0, 500_000),), ticks_per_beat=480, num_tracks=1):
    """Write (tick, controller, value) with tempos (tick, microseconds a beat), over so many tracks."""
    file = mido.MidiFile(ticks_per_beat=ticks_per_beat, type=1)
    first = file.add_track()
    now = 0
    for tick, tempo in tempos:
        first.append(mido.MetaMessage("set_tempo", tempo=tempo, time=tick - now))
        now = tick
    for index in range(num_tracks):
        track, now = file.add_track(), 0
        for tick, controller, value in events[index::num_tracks]:
            track.append(
                mido.Message("control_change", channel=index, control=controller, value=value, time=tick - now)
            )
            now = tick
    file.save(path)
    return path


def test_the_law_of_controllers_is_the_plugins_fader():
    for value in range(128):
        exact = -60 + 72 * value / 127
        assert abs(gain_of_value(value) - exact) <= 0.05 + 1e-9  # the fader moves in tenths of a dB
        assert round(gain_of_value(value) * 10) == pytest.approx(gain_of_value(value) * 10, abs=1e-9)
    gains = [gain_of_value(value) for value in range(128)]
    assert gains == sorted(gains) and gains[0] == -60 and gains[127] == 12


def test_midi_follows_the_tempo(tmp_path, model):
    vocals, drums, output = CONTROLLERS["vocals"], CONTROLLERS["drums"], CONTROLLERS["output"]
    events = [(0, vocals, 127), (480, drums, 64), (960, vocals, 0), (1920, output, 106), (1920, 7, 0)]
    # A beat takes 0.5 s, from the third on 0.25 s.
    path = midi(tmp_path / "a.mid", events, tempos=[(0, 500_000), (960, 250_000)], num_tracks=2)
    found = plan(model, path)
    assert [found.gain_db("vocals", seconds) for seconds in (0, 0.999, 1.0, 5)] == [12, 12, -60, -60]
    assert [found.gain_db("drums", seconds) for seconds in (0, 0.5, 5)] == [gain_of_value(64)] * 3
    assert found.gain_db("output", 1.5) == gain_of_value(106)


def test_controllers_are_chosen(tmp_path, model, capsys):
    path = midi(tmp_path / "a.midi", [(0, 1, 0), (480, 1, 127)])
    found = plan(model, path, controllers={"bass": 1})
    assert [found.gain_db("bass", seconds) for seconds in (0.49, 0.5)] == [-60, 12]
    with pytest.raises(InputError, match="moves none of the controllers 20 for vocals, 21 for drums"):
        read_automation(path)
    for controllers, words in (({"bass": 120}, "controller of bass is 120, should be from 0 to 119"),
                               ({"bass": 1, "drums": 1}, "controller 1 would move bass and drums")):  # fmt: skip
        with pytest.raises(InputError, match=words):
            read_automation(path, controllers=controllers)
    with pytest.raises(InputError, match="controllers are chosen for MIDI files"):
        read_automation(written(tmp_path / "a.csv", CSV), controllers={"bass": 1})


def test_midi_that_counts_frames_of_film(tmp_path):
    path = midi(tmp_path / "a.mid", [(0, 20, 1)])
    data = bytearray(path.read_bytes())
    data[12:14] = (0xE7, 0x28)  # 25 frames a second, 40 ticks a frame
    path.write_bytes(data)
    with pytest.raises(InputError, match="counts time in frames, should count in beats"):
        read_automation(path)


@pytest.mark.parametrize("seed", range(40))
def test_damaged_midi_is_read_or_refused_with_one_line(tmp_path, seed):
    random = np.random.default_rng(seed)
    path = midi(tmp_path / "a.mid", [(tick, 20 + tick % 7, tick % 128) for tick in range(0, 400, 3)], num_tracks=3)
    data = bytearray(path.read_bytes())
    for position in random.integers(0, len(data), 8):
        data[position] = random.integers(256)
    path.write_bytes(bytes(data[: random.integers(20, len(data))]))
    try:
        points = read_automation(path)
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert all(0 <= point["time"] < math.inf and -60 <= point["gain_db"] <= 12 for point in points)


def reaper(*tracks: str) -> str:
    return "\n".join(['<REAPER_PROJECT 0.1 "7.0/linux" 1', "  RIPPLE 0", *tracks, ">", ""])


def track(name: str, envelope: str, *, kind: str = "VOLENV2") -> str:
    return f"""  <TRACK {{1234}}
    NAME {name}
    <{kind}
      EGUID {{5678}}
      {envelope}
    >
    <ITEM
      NAME "vocals.wav"
      <SOURCE WAVE
        FILE "vocals.wav"
      >
    >
  >"""


def test_reaper(tmp_path, model):
    half = 10 ** (-6 / 20)
    text = reaper(
        track("Vocals", f"ACT 1 -1\nVOLTYPE 1\nPT 0 1 0\nPT 2 {half} 1\nPT 4 0 0"),
        track('"drums"', f"ACT 1 -1\nPT 0 1 0\nPT 2 {half} 0", kind="VOLENV"),
        track("bass", "ACT 0 -1\nPT 0 0 5"),
        track("a guitar", "ACT 1 -1\nPT 0 0 5"),
    )
    found = plan(model, written(tmp_path / "song.RPP", text))
    assert [found.gain_db("vocals", seconds) for seconds in (0, 1, 2, 3.9, 4)] == pytest.approx([0, -3, -6, -6, -60])
    middle = 20 * math.log10((1 + half) / 2)  # a straight line of the factor
    assert [found.gain_db("drums", seconds) for seconds in (0, 1, 2)] == pytest.approx([0, middle, -6])
    assert found.gain_db("bass", 0) == 0


def test_reapers_master_and_a_track_template(tmp_path, model):
    master = "  <MASTERVOLENV2\n    ACT 1 -1\n    PT 0 0.5 1\n  >"
    found = plan(model, written(tmp_path / "song.rpp", reaper(master)))
    assert found.gain_db("output", 3) == pytest.approx(20 * math.log10(0.5))
    found = plan(model, written(tmp_path / "t.RTrackTemplate", track("other", "PT 0 2 0").strip()))
    assert found.gain_db("other", 3) == pytest.approx(20 * math.log10(2))


@pytest.mark.parametrize(
    "tracks, words",
    [
        (
            [track("lead", "PT 0 1 0")],
            "no track called vocals, drums, bass, guitar, piano, other has a volume envelope",
        ),
        (
            [track("vocals", "PT 1 1 5 0 0 0 0.3")],
            "line 7: the point at 1 s has shape 5 (Bezier); choose linear or square",
        ),
        ([track("vocals", "PT one 1 0")], "line 7: 'PT one 1 0' is no point of an envelope"),
        ([track("vocals", "PT 0 nan 0")], "line 7: a point at 0.0 s of factor nan"),
        ([track("vocals", "PT -1 1 0")], "line 7: a point at -1.0 s"),
        ([track("vocals", "PT 1 5 0")], "line 7: the point at 1 s is +14.0 dB, at most +12 can be"),
        ([track("vocals", "POOLEDENVINST 1 5 1.5\nPT 0 1 0")], "the volume of vocals has automation items"),
        (
            [track("vocals", "PT 0 1 0"), track("vocals", "PT 0 1 0", kind="VOLENV3")],
            "two volume envelopes move vocals",
        ),
    ],
)
def test_reaper_projects_that_cannot_be_followed(tmp_path, tracks, words):
    with pytest.raises(InputError) as caught:
        read_automation(written(tmp_path / "song.rpp", reaper(*tracks)))
    assert words in str(caught.value)


def test_a_step_is_heard_within_512_samples(model):
    """The gain of a block's end is reached linearly over the block: before it and after it all is in closed form."""
    mixture = np.full((2, 4096), 0.25, np.float32)
    points = [{"time": 0, "stem": "output", "gain_db": 0, "shape": "stepped"},
              {"time": 2000 / RATE, "stem": "output", "gain_db": -60}]  # fmt: skip
    out = render(mixture, RATE, automation=points, model=model)
    start = 2000 // 512 * 512
    np.testing.assert_allclose(out[:, :start], 0.25, atol=1e-6)  # rounding of float32 sums
    ramp = 0.25 * (1 - np.arange(1, 513) / 512)
    np.testing.assert_allclose(out[:, start : start + 512], np.stack([ramp, ramp]), atol=0.25 / 512)  # half a step
    assert np.abs(out[:, start + 512 :]).max() == 0


def test_render_plays_all_of_them(tmp_path, tiny_models, capsys):
    import soundfile

    soundfile.write(tmp_path / "a.wav", music(RATE).T, RATE, subtype="FLOAT")
    written(tmp_path / "a.csv", "time,stem,gain_db\n0,output,-60\n")
    midi(tmp_path / "a.mid", [(0, 9, 0)])
    written(tmp_path / "a.rpp", reaper("  <MASTERVOLENV\n    PT 0 0 1\n  >"))
    for name, more in (("a.csv", []), ("a.mid", ["--cc", "output=9"]), ("a.rpp", [])):
        out = tmp_path / "out.wav"
        assert (
            main(["render", str(tmp_path / "a.wav"), "-o", str(out), "--automation", str(tmp_path / name), *more]) == 0
        )
        assert np.abs(soundfile.read(out)[0]).max() == 0
    capsys.readouterr()
    for text in ("output", "=9", "output=x"):
        assert main(["render", "a.wav", "-o", "b.wav", "--automation", str(tmp_path / "a.mid"), "--cc", text]) == 1
        assert f"--cc '{text}': should be like vocals=20" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["render", "a.wav", "-o", "b.wav", "--cc", "vocals=9"])
    assert "name it with --automation" in capsys.readouterr().err
