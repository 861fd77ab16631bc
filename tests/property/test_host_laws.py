# SPDX-License-Identifier: MIT
"""Laws of an insert whatever the host does: every kind of model and latency mode, rate, and generated behaviour.

STEMLANE_MATRIX=full (`make test-matrix`) plays more block patterns and more made-up hosts.
"""

import functools
import itertools
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stemlane.contract import STEM_ORDER
from stemlane.engine.streaming import StreamingSeparator
from support.every_model import EVERY_MODEL
from support.made_up_host import MAX_BLOCK, MadeUpHost

FULL = os.environ.get("STEMLANE_MATRIX") == "full"
RATES = (22050, 44100, 48000, 88200, 96000, 192000)
ROUNDING = 2e-6  # float32 sums in another order, of values below 4
SHORTEST_RAMP = 256  # samples in which a fader reaches its place, or as long as its block
NUM_HEARD = 12000  # samples of the mixture in the matrix

PATTERNS = {
    "512": lambda: itertools.repeat(512),
    "1 then 8192": lambda: itertools.chain(itertools.repeat(1, 700), itertools.repeat(8192)),
    "any": lambda: np.random.default_rng(7).integers(0, 3000, 10**6),
}
if FULL:
    PATTERNS |= {
        "1": lambda: itertools.repeat(1),
        "tiny": lambda: np.random.default_rng(8).integers(0, 5, 10**6),
        "whole range": lambda: (2 ** np.random.default_rng(9).uniform(0, 13, 10**6)).astype(int),
        **{str(size): functools.partial(itertools.repeat, size) for size in (16, 64, 441, 1024, 4096, 8192)},
    }


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory):
    """The folder of a model of `EVERY_MODEL`, built when it is first asked for."""
    folder = tmp_path_factory.mktemp("models")
    return functools.cache(lambda name: EVERY_MODEL[name](folder, name=name))


def noise(seed, num_samples, num_channels=2):
    return np.random.default_rng(seed).uniform(-1, 1, (num_channels, num_samples)).astype(np.float32)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("model", EVERY_MODEL)
def test_matrix(folder_of, model, rate):
    host = MadeUpHost(folder_of(model), rate)
    latency = host.latency_samples
    mixture = noise(rate, latency + NUM_HEARD)

    # Equal gains: the delayed mixture, bit for bit.
    out = host.play_all(mixture, host.gains(), PATTERNS["any"]())
    assert not out[:, :latency].any()
    np.testing.assert_array_equal(out[:, latency:], mixture[:, :NUM_HEARD])

    # Other gains: the same in any blocks, and what one pass of the engine says, at the reported latency.
    uneven = host.gains(vocals=0.0, drums=2.0, other=0.5)
    outputs = []
    for pattern in PATTERNS.values():
        host.reset()
        outputs.append(host.play_all(mixture, uneven, pattern()))
    for name, other in zip(PATTERNS, outputs, strict=True):
        np.testing.assert_array_equal(other, outputs[0], err_msg=name)
    separator = StreamingSeparator(host.manifest, rate, 2)
    stems = np.concatenate([separator.process(mixture), separator.finish()], axis=2)[:, :, :NUM_HEARD]
    expected = 0.5 * mixture[:, :NUM_HEARD]
    for name, stem in zip(separator.stems, stems, strict=True):
        expected = expected + ({"vocals": 0.0, "drums": 2.0}.get(name, 1.0) - 0.5) * stem
    np.testing.assert_allclose(outputs[0][:, latency:], expected, rtol=0, atol=ROUNDING)
    assert np.abs(expected - 0.5 * mixture[:, :NUM_HEARD]).max() > 0.01  # stems were heard

    # An impulse comes out at the reported latency.
    impulse = np.zeros_like(mixture)
    impulse[:, 3456] = 1
    host.reset()
    out = host.play_all(impulse, uneven, PATTERNS["any"]())
    assert set(np.argmax(np.abs(out), axis=1)) == {3456 + latency}


class Timeline:
    """What has gone into an insert and come out of it since its last reset, and what must have come out."""

    def __init__(self, host, num_channels):
        self._host = host
        self.heard = np.zeros((num_channels, 0), np.float32)
        self._out = [np.zeros((num_channels, 0), np.float32)]
        self._changes = []  # of the faders: position, length of the ramp, gains
        self._exact_from = 0  # output position from which on no stem is missing
        self._exact = np.zeros(0, bool)

    def play(self, block, gains, *, served=True):
        size, position = block.shape[1], self.heard.shape[1]
        self._out.append(self._host.play(block, gains, served=served))
        if not served:
            self._exact_from = None
        elif self._exact_from is None:
            self._exact_from = position + 64 + 1  # from where all has been put again, after the fade
        first = np.inf if self._exact_from is None else self._exact_from
        self._exact = np.concatenate([self._exact, position + np.arange(size) >= first])
        if size:
            if not self._changes or not np.array_equal(self._changes[-1][2], gains):
                self._changes.append((position, max(size, SHORTEST_RAMP), gains))
            self.heard = np.concatenate([self.heard, block], axis=1)

    def _gains(self, num_samples):
        """The faders at each sample of the input: linear from one setting to the next; the first is there at once."""
        curve = np.tile(self._changes[0][2][:, np.newaxis].astype(np.float64), num_samples)
        for position, length, gains in self._changes[1:]:
            if position < num_samples:
                before = curve[:, position, np.newaxis]
                part = np.minimum(np.arange(num_samples - position) / length, 1)
                curve[:, position:] = before + (gains[:, np.newaxis] - before) * part
        return curve

    def check(self):
        """All of the output so far; nothing but the mixture, the separated mix, or a fade from one to the other."""
        latency = self._host.latency_samples
        out = np.concatenate(self._out, axis=1)
        assert not out[:, :latency].any()
        out, exact = out[:, latency:], self._exact[latency:]
        num_out = out.shape[1]
        if not num_out:
            return
        mixture, gains = self.heard[:, :num_out].astype(np.float64), self._gains(num_out)[:, np.newaxis]
        residual = gains[STEM_ORDER.index(self._host.manifest.residual)]
        mixed = residual * mixture
        separated = mixed + ((gains - residual) * self._host.stems()[:, :, :num_out]).sum(axis=0)
        rounding = ROUNDING * max(1, np.abs(separated).max() / 4)
        distance = np.abs(out - 0.5 * (mixed + separated))
        assert (distance <= 0.5 * np.abs(mixed - separated) + rounding).all()
        np.testing.assert_allclose(out[:, exact], separated[:, exact], rtol=0, atol=rounding)
        unity = (gains[:, 0] == 1).all(axis=0)
        np.testing.assert_array_equal(out[:, unity], self.heard[:, :num_out][:, unity])


GAINS = (
    {},  # bypass, too
    {"vocals": 0.0},
    {"drums": 2.0, "other": 0.5},
    dict.fromkeys(STEM_ORDER, 0.25),
)
SIZES = st.one_of(st.integers(0, 3000), st.sampled_from([0, 1, 63, 64, 65, 512, 4096, MAX_BLOCK]))
# What a host plays after a jump it does not announce: new music, the same again (a loop), or silence (it has stopped).
MUSIC = st.sampled_from(["new", "new", "loop", "silence"])
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("play"), SIZES, MUSIC),
        st.tuples(st.just("play"), SIZES, MUSIC),
        st.tuples(st.just("miss"), SIZES, MUSIC),  # the engine's stems come with a later block
        st.tuples(st.just("gains"), st.integers(0, len(GAINS) - 1), st.just("")),
        st.tuples(st.just("reset"), st.booleans(), st.just("")),  # True: the latency is played out before
    ),
    min_size=1,
    max_size=40,
)


@pytest.fixture(scope="module")
def insert_of(folder_of):
    return functools.cache(lambda *setting: MadeUpHost(folder_of(setting[0]), *setting[1:]))


@settings(max_examples=1500 if FULL else 150)
@given(
    model=st.sampled_from(list(EVERY_MODEL)),
    rate=st.sampled_from([44100, 44100, *RATES]),
    num_channels=st.integers(1, 2),
    gains=st.sampled_from(GAINS),
    actions=ACTIONS,
    seed=st.integers(0, 99),
)
def test_the_timeline_never_breaks(insert_of, model, rate, num_channels, gains, actions, seed):
    """Blocks of all lengths, faders that move, engines that are late and catch up, loops, stops, seeks, resets."""
    host = insert_of(model, rate, num_channels)
    host.reset()
    timeline = Timeline(host, num_channels)
    linear = host.gains(**gains)
    rng = np.random.default_rng(seed)

    def music(kind, size):
        if kind == "loop" and timeline.heard.shape[1]:
            return np.resize(timeline.heard[:, :5000].T, (size, num_channels)).T
        return rng.uniform(-1, 1, (num_channels, size)).astype(np.float32) * np.float32(kind != "silence")

    def play_out():
        for _ in range(host.latency_samples // MAX_BLOCK + 1):
            timeline.play(music("new", MAX_BLOCK), linear)
        timeline.check()

    for action, detail, kind in actions:
        if action == "gains":
            linear = host.gains(**GAINS[detail])
        elif action == "reset":
            play_out() if detail else timeline.check()
            host.reset()
            timeline = Timeline(host, num_channels)
        else:
            timeline.play(music(kind, detail), linear, served=action == "play")
    play_out()
