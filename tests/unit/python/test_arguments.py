# SPDX-License-Identifier: MIT
"""Whatever is handed to a public function, it works or says on one line what is wrong: no error of Python's own."""

import numpy as np
import pytest
import soundfile
import stemlane
from stemlane.arguments import as_path, is_count, is_number, shown
from stemlane.errors import InputError, StemlaneError

RATE = 44100
MIXTURE = np.zeros((2, 3000), np.float32)
NONSENSE = {
    "none": None, "object": object(), "type": int, "true": True, "bytes": b"x",
    "text": "x", "number in a text": "44100", "empty": "", "zero byte": "a\0b",
    "long": "x" * 300, "long in a folder": "a/" + "x" * 300,
    "nan": float("nan"), "infinite": float("inf"), "below zero": -1, "fraction": 3.5, "huge": 10**400,
    "list": [], "dict": {}, "pair": ("a", "b"), "array": np.zeros(3), "ragged": [[1.0], [2.0, 3.0]],
}  # fmt: skip


def file_option(name):
    return lambda value: stemlane.separate_file("a.wav", "o", model="live", overwrite=True, **{name: value})


# What takes a value, and the nonsense that makes sense to it.
PLACES = {
    "model": (stemlane.Separator, ""),
    "shifts": (lambda value: stemlane.Separator("live", shifts=value), ""),
    "mixture": (lambda value: stemlane.Separator("live").separate(value, RATE), ""),
    "rate": (lambda value: stemlane.Separator("live").separate(MIXTURE, value), ""),
    "channels": (lambda value: stemlane.StreamingSeparator("live", RATE, value), ""),
    "stream's rate": (lambda value: stemlane.StreamingSeparator("live", value, 2), ""),
    "block": (lambda value: list(stemlane.Separator("live").separate_blocks([value], RATE, 2)), ""),
    "streamed block": (lambda value: stemlane.StreamingSeparator("live", RATE, 2).process(value), ""),
    "gains": (lambda value: stemlane.render(MIXTURE, RATE, value, model="live"), "none, dict"),
    "gain": (lambda value: stemlane.render(MIXTURE, RATE, {"vocals": value}, model="live"), "below zero, fraction"),
    "automation": (lambda value: stemlane.render(MIXTURE, RATE, automation=value, model="live"), "none, list"),
    "breakpoint": (lambda value: stemlane.render(MIXTURE, RATE, automation=[value], model="live"), ""),
    "time": (lambda value: rendered_with(time=value), "fraction"),
    "automated stem": (lambda value: rendered_with(stem=value), ""),
    "automated gain": (lambda value: rendered_with(gain_db=value), "below zero, fraction"),
    "path": (lambda value: stemlane.separate_file(value, "o", model="live"), ""),
    "folder": (lambda value: stemlane.separate_file("a.wav", value, model="live"), "text, number in a text, empty"),
    "preset": (lambda value: stemlane.load_plugin(preset=value), "none"),
    "paths": (lambda value: stemlane.separate_many(value, "o", model="live"), "list, dict, pair"),
    "jobs": (lambda value: stemlane.separate_many(["a.wav"], "o", model="live", jobs=value), ""),
    "retries": (lambda value: stemlane.separate_many(["a.wav"], "o", model="live", retries=value), ""),
    "stems": (file_option("stems"), "none, list, dict"),
    "two_stems": (file_option("two_stems"), "none"),
    "name": (file_option("name"), ""),
    "file_format": (file_option("file_format"), ""),
    "bits": (file_option("bits"), "none"),
    "bitrate": (file_option("bitrate"), "none"),
    "start_seconds": (file_option("start_seconds"), ""),
    "duration_seconds": (file_option("duration_seconds"), "none, fraction"),
    "clip": (file_option("clip"), ""),
    "plugin": (stemlane.plugin_status, ""),
}


def rendered_with(**values):
    breakpoint_ = {"time": 0, "stem": "vocals", "gain_db": 0} | values
    return stemlane.render(MIXTURE, RATE, automation=[breakpoint_], model="live")


@pytest.mark.parametrize("place", PLACES)
def test_nonsense_is_refused_on_one_line(tmp_path, tiny_models, monkeypatch, place):
    monkeypatch.chdir(tmp_path)
    soundfile.write("a.wav", MIXTURE.T, RATE)
    call, sense = PLACES[place]
    senses = sense.split(", ")
    for kind, value in NONSENSE.items():
        if kind in senses:
            call(value)
            continue
        with pytest.raises(StemlaneError) as refused:
            call(value)
        assert "\n" not in str(refused.value) and 10 < len(str(refused.value)) < 1200, kind


def test_numbers_of_any_type_are_numbers():
    for value in (1, 1.0, np.float32(1), np.int64(1)):
        assert is_number(value, 1, 1)
    for value in (1, np.int64(1), np.uint8(1)):
        assert is_count(value, 1, 1)
    assert not is_count(1.0, 1, 1)
    assert np.abs(stemlane.render(MIXTURE, np.int64(RATE), {"vocals": np.float32(-3)}, model="live")).max() == 0


def test_what_is_shown_fits_a_line():
    assert shown("a\nb") == r"'a\nb'" and shown(np.zeros((2, 2))) == "array([[0., 0.], [0., 0.]])"
    assert shown(10**5000) == "int too large to write" and len(shown("x" * 10_000)) == 61
    with pytest.raises(InputError, match="folder is None, should be a path"):
        as_path(None, "folder")
