# SPDX-License-Identifier: MIT
"""What a front end may do that is told of a whole recording: a hearing beforehand, an end of its own."""

import numpy as np
import pytest
from stemlane.engine import streaming
from stemlane.engine.frontends import RecordingFrontEnd
from stemlane.engine.separator import Separator
from stemlane.engine.streaming import StreamingSeparator
from support.tiny_models import build_model

STRIDE, DELAY = 1300, 400


class Listener(RecordingFrontEnd):
    """Divides the mixture by the largest sample of the whole recording, and marks where strides and recording end."""

    stems = ("vocals",)
    sample_rate = 44100
    stride_samples = STRIDE
    delay_samples = DELAY
    needs_prescan = True
    knows_end = True

    def __init__(self):
        self.reset()

    def reset(self):
        self.largest, self.num_heard, self.held = 0.0, 0, np.zeros((2, DELAY), np.float32)

    def prescan(self, mixture):
        assert mixture.shape[0] == 2
        self.largest = max(self.largest, float(np.abs(mixture).max(initial=0)))
        self.num_heard += mixture.shape[1]

    def process(self, mixture):
        both = np.concatenate([self.held, mixture], axis=1)
        self.held = both[:, STRIDE:]
        return both[np.newaxis, :, :STRIDE] / (self.largest or 1)

    def finish(self, rest):
        return np.concatenate([self.held, rest], axis=1)[np.newaxis] / (self.largest or 1) + 10


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.setattr(streaming, "create_recording", lambda manifest, **options: Listener())
    monkeypatch.setattr(streaming, "create_stream", lambda manifest, **options: Listener())
    return build_model(tmp_path, stems=("vocals", "other"), masks=(0.5,))


def noise(num_samples: int, num_channels: int = 2) -> np.ndarray:
    return np.random.default_rng(num_samples).uniform(-4, 4, (num_channels, num_samples)).astype(np.float32)


@pytest.mark.parametrize("num_samples", [1, STRIDE - 1, STRIDE, STRIDE + 1, 5 * STRIDE, 12345])
@pytest.mark.parametrize("num_channels", [1, 2])
def test_the_end_is_the_front_ends(model, num_samples, num_channels):
    mixture = noise(num_samples, num_channels)
    found = Separator(model).separate(mixture, 44100)["vocals"]
    expected = mixture / np.abs(mixture).max()
    num_strides = num_samples // STRIDE
    first_of_the_end = max(num_strides * STRIDE - DELAY, 0)
    expected[:, first_of_the_end:] += 10
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)  # float32 division


def test_a_live_stream_knows_of_none_of_it(model):
    mixture = noise(5000)
    separator = StreamingSeparator(model, 44100, 2)
    assert not separator.needs_prescan
    stems = np.concatenate([separator.process(mixture), separator.finish()], axis=2)
    np.testing.assert_array_equal(stems[0], mixture)


@pytest.mark.parametrize("blocks", [lambda parts: parts, iter], ids=["twice", "once"])
def test_the_recording_is_heard_first_wherever_it_comes_from(model, blocks):
    mixture = noise(10_000)
    pieces = list(Separator(model).separate_blocks(blocks(np.split(mixture, 10, axis=1)), 44100, 2))
    found = np.concatenate(pieces, axis=2)[0, :, :8000]
    np.testing.assert_allclose(found, mixture[:, :8000] / np.abs(mixture).max(), rtol=0, atol=1e-6)


def test_one_that_can_be_had_twice_is_gone_through_twice(model):
    """And is not begun a third time: what reads a file ahead would read from two places at once."""

    class Blocks:
        num_begun = 0

        def __iter__(self):
            self.num_begun += 1
            return iter(np.split(noise(9000), 9, axis=1))

    blocks = Blocks()
    assert len(list(Separator(model).separate_blocks(blocks, 44100, 2))) > 0
    assert blocks.num_begun == 2


@pytest.mark.parametrize("rate", [22050, 48000, 96000])
def test_at_other_rates_it_is_heard_and_ended_at_the_models(model, rate):
    separator = Separator(model)
    times = np.arange(rate) / rate
    mixture = np.stack([np.sin(2 * np.pi * 440 * times) * np.sin(np.pi * times) ** 2] * 2).astype(np.float32)
    for _ in range(2):  # a stream that has ended begins anew
        found = separator.separate(2 * mixture, rate)["vocals"]
        assert found.shape == mixture.shape
        inner = slice(0, int(rate * 0.95))
        np.testing.assert_allclose(found[:, inner], mixture[:, inner], rtol=0, atol=1e-4)  # the resampler's ripple
        assert found[0, -rate // 100] == pytest.approx(10, abs=0.01)
    heard = separator._idle[-1]._model.front_end
    assert heard.num_heard == 0  # and has forgotten


def test_a_second_recording_is_not_divided_by_the_first(model):
    separator = Separator(model)
    separator.separate(8 * noise(2000), 44100)
    quiet = separator.separate(noise(3000), 44100)["vocals"]
    np.testing.assert_allclose(np.abs(quiet[:, :2000]).max(), 1, atol=0.1)
