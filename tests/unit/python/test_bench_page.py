# SPDX-License-Identifier: MIT
"""The page of figures: tables from fixed numbers, curves that measure what they name, what `soak` says."""

import json
from pathlib import Path

import pytest
from stemlane.bench import curves, page
from stemlane.errors import InputError
from support.tiny_models import build_model

MODEL = {
    "hop_p50_ms": 0.8, "hop_p99_ms": 0.97, "hop_max_ms": 1.5, "deadline_ms": 23.22, "real_time_factor": 0.04,
    "processor_real_time_factor": 0.0349, "engine_import_seconds": 0.2, "engine_load_seconds": 0.05,
    "engine_python_memory_mib": 78.0, "offline_times_real_time": 24.4,
}  # fmt: skip
FILE = {"times_real_time": 45.2, "wall_seconds": 1.33, "processor_seconds": 2.4, "memory_mib": 142.6, "status": 0}
NUMBERS = {
    "about": {
        "processor": "Example 9000, 2 processors", "system": "Linux", "python": "3.11.2", "version": "0.1.0",
        "commit": "0123abc", "date": "2026-01-31",
    },
    "bench": {
        "models": {"live": MODEL, "broken": {"problem": "damaged"}},
        "plugin": {"live": {"offline_times_real_time": 23.6}, "broken": {"problem": "damaged"}},
    },
    "curves": {
        "block": {"64": {"nanoseconds_per_sample": 3.81}, "512": {"nanoseconds_per_sample": 2.36}},
        "file:mix": {"60": FILE, "120": {**FILE, "wall_seconds": 2.66}},
        "inserts:live": {
            "16": {"core_percent_each": 6.04, "step_p50_percent": 7.4, "step_p99_percent": 33.3, "late": 0}
        },
    },
}  # fmt: skip


def filled(name: str, before: str = "old\n") -> str:
    text = f"# Title\n<!-- measured: {name} -->\n{before}<!-- end -->\nafter\n"
    found = page.fill_page(text, NUMBERS)
    assert page.fill_page(found, NUMBERS) == found
    assert found.startswith(f"# Title\n<!-- measured: {name} -->\n") and found.endswith("<!-- end -->\nafter\n")
    return found.removeprefix(f"# Title\n<!-- measured: {name} -->\n").removesuffix("<!-- end -->\nafter\n")


def test_tables_are_made_of_the_numbers():
    assert filled("block") == (
        "| block | audio thread, a sample |\n| --- | --- |\n| 64 | 3.8 ns |\n| 512 | 2.4 ns |\n"
    )  # fmt: skip
    assert filled("file:mix").splitlines()[2:] == [
        "| 60 s | 45 | 1.3 s | 2.4 s | 143 MiB |", "| 120 s | 45 | 2.7 s | 2.4 s | 143 MiB |",
    ]  # fmt: skip
    assert filled("inserts:live").splitlines()[2:] == ["| 16 | 6.0 % | 7 % | 33 % | 0 times |"]
    assert filled("about") == (
        "Measured on 2026-01-31: Example 9000, 2 processors, Linux, Python 3.11.2; Stemlane 0.1.0, commit 0123abc.\n"
    )
    assert filled("models").splitlines() == [
        "|  | `live` |", "| --- | --- |",
        "| one step of the network, p50 / p99 of its time | 0.80 / 0.97 of 23.2 ms |",
        "| of a core, one stream | 3.5 % |", "| imports and loading | 0.25 s |",
        "| `render` of a file | 24 × real time |", "| bounce in pedalboard | 24 × real time |",
    ]  # fmt: skip


def test_what_has_not_been_measured_stays():
    assert filled("inserts:mix", "as before\n") == "as before\n"
    with pytest.raises(InputError, match="a table 'blocks', there are: about, models, block"):
        filled("blocks")


def test_the_page_in_the_documents_can_be_filled(tmp_path):
    documents = Path(__file__).parents[3] / "docs" / "performance.md"
    written, numbers = tmp_path / "page.md", tmp_path / "numbers.json"
    written.write_text(documents.read_text(encoding="utf-8"), encoding="utf-8")
    numbers.write_text(json.dumps(NUMBERS), encoding="utf-8")
    page.main([str(numbers), str(written)])
    assert "commit 0123abc" in written.read_text(encoding="utf-8")
    with pytest.raises(SystemExit, match="No such file"):
        page.main([str(tmp_path / "none"), str(written)])


def test_curves_measure_what_they_name(tmp_path, monkeypatch):
    monkeypatch.setenv("STEMLANE_MODELS", str(tmp_path))
    build_model(tmp_path, name="tiny", free_frames=True)
    extent = curves.Extent(blocks=(64, 512), rates=(44100, 48000), lengths_seconds=(1.0, 2.0), seconds=0.5)
    found = curves.measure(extent, models=["tiny"])
    assert set(found) == {"block", "rate:tiny", "file:tiny", "cores:tiny"}
    assert set(found["block"]) == {"64", "512"} and set(found["rate:tiny"]) == {"44100", "48000"}
    assert all(value > 0 for curve in found.values() for point in curve.values() for value in point.values())
    one, two = found["file:tiny"].values()
    assert two["times_real_time"] == pytest.approx(2 / two["wall_seconds"])
    assert set(one) == {"wall_seconds", "processor_seconds", "memory_mib", "times_real_time"}
    assert "1" in found["cores:tiny"]


def test_soak_is_read():
    said = (
        "live, 2 instance(s), noise, blocks of 512, 15 s\n"
        "process: p50 11.3 us, p99 19.8 us, max 84.1 us\n"
        "steps: 639, each for 23.2 ms; of a deadline of 23.2 ms: p50 7.3 %, p99 44.0 %, max 89.4 %\n"
        "engines: 8.00 % of a core each; memory 81.0 to 82.1 MiB in all, host 12.0 to 12.1 MiB\nlate: 3 times\n"
    )
    assert curves.read_soak(said) == {
        "step_p50_percent": 7.3, "step_p99_percent": 44.0, "core_percent_each": 8.0, "late": 3.0,
    }  # fmt: skip
    with pytest.raises(ValueError, match="soak has not said late"):
        curves.read_soak(said.replace("late", "early"))
