# SPDX-License-Identifier: MIT
"""Working ahead changes neither items nor order nor errors, stays bounded and leaves no thread behind."""

import threading

import numpy as np
import pytest
import soundfile
import stemlane
from stemlane.engine.separator import PIECE_SAMPLES
from stemlane.engine.streaming import StreamingSeparator
from stemlane.files.ahead import Ahead


def num_threads():
    return sum(thread.name == "stemlane-ahead" for thread in threading.enumerate())


def test_all_items_in_order_in_every_loop():
    items = list(range(1000))
    with Ahead(items) as ahead:
        assert list(ahead) == items
        assert list(ahead) == items
        assert list(Ahead([])) == []
    assert num_threads() == 0


def test_it_stays_a_few_items_ahead():
    made, enough = [], threading.Event()

    def items():
        for number in range(100):
            made.append(number)
            if number == 2:
                enough.set()
            yield number

    with Ahead(items()) as ahead:
        taken = iter(ahead)
        assert next(taken) == 0
        assert enough.wait(60)  # two are made though nobody has asked for them
        for number in range(1, 100):
            assert next(taken) == number
            assert len(made) <= number + 1 + 2
    assert len(made) == 100


def test_one_loop_at_a_time_uses_the_items():
    in_use = []

    class Items:
        def __iter__(self):
            in_use.append(threading.current_thread())
            assert len(in_use) == 1
            try:
                yield from range(100)
            finally:
                in_use.clear()

    with Ahead(Items()) as ahead:
        iter(ahead)  # asks for nothing
        assert not in_use
        first = iter(ahead)
        assert [next(first), next(first)] == [0, 1]
        assert list(ahead) == list(range(100))
        assert not in_use


def test_an_error_comes_after_the_items_before_it():
    def items():
        yield 1
        yield 2
        raise ValueError("no third")

    taken = []
    with pytest.raises(ValueError, match="no third"), Ahead(items()) as ahead:
        taken.extend(ahead)
    with pytest.raises(TypeError, match="not iterable"), Ahead(3) as ahead:
        list(ahead)
    assert num_threads() == 0


def test_leaving_early_ends_the_generator_on_its_own_thread():
    threads = {}

    def items():
        threads["used"] = threading.current_thread()
        try:
            while True:
                yield 0
        finally:
            threads["closed"] = threading.current_thread()

    with pytest.raises(KeyError), Ahead(items()) as ahead:
        for _ in ahead:
            raise KeyError
    assert threads["used"] is threads["closed"] is not threading.current_thread()
    assert num_threads() == 0


def test_one_after_the_other_ends_too():
    def endless():
        while True:
            yield 0

    with pytest.raises(KeyError), Ahead(endless()) as first, Ahead(number + 1 for number in first) as second:
        for number in second:
            assert number == 1
            raise KeyError
    assert num_threads() == 0


def test_what_a_model_gives_at_once_goes_ahead_in_pieces(tmp_path, tiny_models, monkeypatch):
    """A segment of HTDemucs is megabytes: four of them on their way would be more than the network."""
    num_samples = 3 * PIECE_SAMPLES + 5
    soundfile.write(tmp_path / "song.wav", np.zeros((num_samples, 2), np.float32), 44100)
    monkeypatch.setattr(StreamingSeparator, "process", lambda self, mixture: np.zeros((3, 2, 0), np.float32))
    monkeypatch.setattr(StreamingSeparator, "finish", lambda self: np.zeros((3, 2, num_samples), np.float32))
    sizes = []
    stemlane.separate_file(
        tmp_path / "song.wav", tmp_path, model="live", stems=["vocals"], progress=lambda size, _: sizes.append(size)
    )
    assert sizes == [PIECE_SAMPLES] * 3 + [5]
