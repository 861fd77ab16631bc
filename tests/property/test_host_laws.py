# SPDX-License-Identifier: MIT
"""Laws of an insert whatever the host does: every kind of model and latency mode, rate, and generated behaviour.

STEMLANE_MATRIX=full (`make test-matrix`) plays all rates and block patterns; otherwise a part of them is played.
"""

import functools
import itertools
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stemlane.streaming import StreamingSeparator
from support.made_up_host import MadeUpHost
from support.tiny_mdx import build_mdx
from support.tiny_models import build_model
from support.tiny_spleeter import build_spleeter

FULL = os.environ.get("STEMLANE_MATRIX") == "full"
RATES = (22050, 44100, 48000, 88200, 96000, 192000)
ROUNDING = 2e-6  # float32 sums in another order, of values below 4

# The embedded models' sizes are those of the first two. "impulse": every mask is a number, so an impulse stays one.
KINDS = {
    "live": functools.partial(
        build_model, fft_samples=2048, synthesis_samples=1024, hop_samples=512,
        frames_per_step=1, lookahead_frames=0, compute_allowance_samples=1536,
    ),
    "mix": functools.partial(
        build_model, fft_samples=2048, synthesis_samples=2048, hop_samples=512,
        frames_per_step=4, lookahead_frames=4, compute_allowance_samples=4096, fade_in=True,
    ),
    "other-rate": functools.partial(build_model, sample_rate=32000, frames_per_step=3),
    "spleeter": build_spleeter,
    "spleeter-window": functools.partial(build_spleeter, stride_frames=32, crossfade_frames=8),
    "open-unmix": functools.partial(build_spleeter, kind="open-unmix", stride_frames=27),
    "mdx": build_mdx,
}  # fmt: skip
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
else:
    del KINDS["other-rate"]
CASES = [
    pytest.param(kind, rate, id=f"{kind} at {rate}")
    for kind, (index, rate) in itertools.product(KINDS, enumerate(RATES))
    # Each kind at its own rate and at every third other one; each rate with two kinds at least.
    if FULL or rate == 44100 or (index + len(kind)) % 3 == 0
]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return {kind: build(folder, name=kind) for kind, build in KINDS.items()}


def noise(seed, num_samples, num_channels=2):
    return np.random.default_rng(seed).uniform(-1, 1, (num_channels, num_samples)).astype(np.float32)


@pytest.mark.parametrize("kind, rate", CASES)
def test_matrix(folders, kind, rate):
    host = MadeUpHost(folders[kind], rate)
    latency = host.latency_samples
    mixture = noise(rate, latency + 12000)

    # Equal gains: the delayed mixture, bit for bit.
    out = host.play_all(mixture, host.gains(), PATTERNS["any"]())
    assert not out[:, :latency].any()
    np.testing.assert_array_equal(out[:, latency:], mixture[:, :12000])

    # Other gains: the same in any blocks, and what one pass of the engine says, at the reported latency.
    uneven = host.gains(vocals=0.0, drums=2.0, other=0.5)
    outputs = []
    for pattern in PATTERNS.values():
        host.reset()
        outputs.append(host.play_all(mixture, uneven, pattern()))
    for name, other in zip(PATTERNS, outputs):
        np.testing.assert_array_equal(other, outputs[0], err_msg=name)
    separator = StreamingSeparator(host.manifest, rate, 2)
    stems = np.concatenate([separator.process(mixture), separator.finish()], axis=2)[:, :, :12000]
    expected = 0.5 * mixture[:, :12000]
    for name, stem in zip(separator.stems, stems):
        expected = expected + ({"vocals": 0.0, "drums": 2.0}.get(name, 1.0) - 0.5) * stem
    np.testing.assert_allclose(outputs[0][:, latency:], expected, rtol=0, atol=ROUNDING)
    assert np.abs(expected - 0.5 * mixture[:, :12000]).max() > 0.01  # stems were heard

    # An impulse comes out at the reported latency.
    impulse = np.zeros_like(mixture)
    impulse[:, 3456] = 1
    host.reset()
    out = host.play_all(impulse, uneven, PATTERNS["any"]())
    assert set(np.argmax(np.abs(out), axis=1)) == {3456 + latency}


MASKS = {"vocals": 0.5, "drums": 0.25, "bass": 0.125}
GAINS = (
    {},
    {"vocals": 0.0},
    {"drums": 2.0, "other": 0.5},
    dict.fromkeys(("vocals", "drums", "bass", "other"), 0.25),
)
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("play"), st.integers(0, 3000), st.booleans()),
        st.tuples(st.just("play"), st.sampled_from([0, 1, 63, 64, 65, 512, 4096, 8192]), st.just(True)),
        st.tuples(st.just("miss"), st.integers(0, 3000), st.integers(1, 6)),
        st.tuples(st.just("jump"), st.just(0), st.just(True)),
    ),
    min_size=1,
    max_size=30,
)


@pytest.fixture(scope="module")
def inserts(folders):
    return {num_channels: MadeUpHost(folders["live"], 44100, num_channels) for num_channels in (1, 2)}


@settings(max_examples=300 if FULL else 60)
@given(num_channels=st.integers(1, 2), gains=st.sampled_from(GAINS), actions=ACTIONS, seed=st.integers(0, 99))
def test_the_timeline_never_breaks(inserts, num_channels, gains, actions, seed):
    """Blocks of all lengths, engines that miss some of them and catch up later, jumps with a reset."""
    host = inserts[num_channels]
    latency = host.latency_samples
    linear = host.gains(**gains)
    residual = gains.get("other", 1.0)
    separated = residual + sum((gains.get(stem, 1.0) - residual) * mask for stem, mask in MASKS.items())
    host.reset()
    heard = np.zeros((num_channels, latency), np.float32)  # the input since the last reset, as it must come out
    position = exact_from = 0
    for number, (action, size, detail) in enumerate(actions):
        if action == "jump":
            host.reset()
            heard, position, exact_from = np.zeros((num_channels, latency), np.float32), 0, 0
            continue
        served = detail if action == "play" else False
        for turn in range(detail if action == "miss" else 1):
            block = noise(1000 * seed + 10 * number + turn, size, num_channels)
            heard = np.concatenate([heard, block], axis=1)
            out = host.play(block, linear, served=served)
            mixture = heard[:, position : position + size]
            low, high = sorted((residual, separated))
            # Never anything but the mixture, the separated mix, or a fade from one to the other.
            distance = np.abs(out - 0.5 * (low + high) * mixture)
            assert (distance <= 0.5 * (high - low) * np.abs(mixture) + ROUNDING).all()
            if residual == separated and len(set(gains.values())) < 2:
                np.testing.assert_array_equal(out, np.float32(residual) * mixture)
            if not served:
                exact_from = None
            elif exact_from is None:
                exact_from = position + 64 + 1  # from where all has been put again, after the fade
            first = size if exact_from is None else max(0, exact_from - position)
            np.testing.assert_allclose(out[:, first:], separated * mixture[:, first:], rtol=0, atol=ROUNDING)
            position += size
