# SPDX-License-Identifier: MIT
"""What is known of published MDX-Net files that cannot be read from them.

Facts from Ultimate Vocal Remover's table (github.com/Anjok07/ultimatevocalremovergui, in
models/MDX_Net_Models/model_data).
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

_TAIL_BYTES = 10_000 * 1024  # the table knows a file by the MD5 of its end


@dataclass(frozen=True)
class MdxFacts:
    """Length of the transform, bins, frames, factor for the output, and what the network gives: a key of `TARGETS`."""

    fft_samples: int
    network_bins: int
    segment_frames: int
    compensation: float
    target: str


@dataclass(frozen=True)
class MdxTarget:
    """The stem a network gives, the residual beside it, and what that means where the names alone do not say it."""

    stem: str
    residual: str
    meaning: str = ""


_LEAD = "the vocals are the lead alone; the backing vocals stay in other"
_REVERB = "other is the reverb, vocals the sound without it"
_CROWD = "vocals is the music, other the crowd"
# What is not one of our stems gets the nearest two, so that it has faders. "karaoke" are the table's instrumentals with
# is_karaoke, "lead-vocals" its vocals with it. An instrumental is everything but the voice.
TARGETS = {
    "vocals": MdxTarget("vocals", "other"),
    "drums": MdxTarget("drums", "other"),
    "bass": MdxTarget("bass", "other"),
    "guitar": MdxTarget("guitar", "other"),
    "piano": MdxTarget("piano", "other"),
    "instrumental": MdxTarget("other", "vocals"),
    "other": MdxTarget("other", "vocals", "other is what is neither voice, drums nor bass; vocals is all of these"),
    "lead-vocals": MdxTarget("vocals", "other", _LEAD),
    "karaoke": MdxTarget("other", "vocals", _LEAD),
    "reverb": MdxTarget("other", "vocals", _REVERB),
    "no-reverb": MdxTarget("vocals", "other", _REVERB),
    "crowd": MdxTarget("other", "vocals", _CROWD),
    "no-crowd": MdxTarget("vocals", "other", _CROWD),
}


def find_target(name: str) -> MdxTarget | None:
    """The target of that name, however it is spelt, or None."""
    return TARGETS.get("-".join(name.lower().replace("_", " ").split()))


_ROWS = """
0ddfc0eb5792638ad5dc27850236c246 6144 2048 256 1.035 Vocals
26d308f91f3423a67dc69a6d12a8793d 8192 2048 512 1.035 Other
2cdd429caac38f0194b133884160f2c6 7680 3072 256 1.045 Instrumental
2f5501189a2f6db6349916fabe8c90de 6144 2048 256 1.035 Lead-Vocals
398580b6d5d973af3120df54cee6759d 7680 3072 256 1.75 Vocals
488b3e6f8bd3717d9d7c428476be2d75 7680 3072 256 1.035 Instrumental
4910e7827f335048bdac11fa967772f9 4096 2048 128 1.035 Drums
53c4baf4d12c3e6c3831bb8f5b532b93 7680 3072 256 1.043 Vocals
5d343409ef0df48c7d78cce9f0106781 7680 3072 256 1.075 Vocals
5f6483271e1efb9bfb59e4a3e6d4d098 6144 2048 512 1.035 Vocals
65ab5919372a128e4167f5e01a8fda85 8192 2048 256 1.035 Other
6703e39f36f18aa7855ee1047765621d 16384 2048 512 1.035 Bass
6b31de20e84392859a3d09d43f089515 6144 2048 256 1.035 Vocals
867595e9de46f6ab699008295df62798 7680 3072 256 1.03 Vocals
a3cd63058945e777505c01d2507daf37 6144 2048 256 1.03 Vocals
b33d9b3950b6cbf5fe90a32608924700 7680 3072 256 1.03 Vocals
c3b29bdce8c4fa17ec609e16220330ab 16384 2048 256 1.035 Bass
ceed671467c1f64ebdfac8a2490d0d52 7680 3072 256 1.035 Instrumental
d2a1376f310e4f7fa37fb9b5774eb701 7680 3072 256 1.035 Instrumental
d7bff498db9324db933d913388cba6be 6144 2048 256 1.035 Vocals
d94058f8c7f1fae4164868ae8ae66b20 6144 2048 256 1.035 Vocals
dc41ede5961d50f277eb846db17f5319 4096 2048 512 1.035 Drums
e5572e58abf111f80d8241d2e44e7fa4 7680 3072 256 1.028 Instrumental
e7324c873b1f615c35c1967f912db92a 7680 3072 256 1.03 Vocals
1c56ec0224f1d559c42fd6fd2a67b154 5120 2048 256 1.025 Instrumental
f2df6d6863d8f435436d8b561594ff49 7680 3072 256 1.035 Instrumental
b06327a00d5e5fbc7d96e1781bbdb596 6144 3072 256 1.035 Instrumental
94ff780b977d3ca07c7a343dab2e25dd 6144 3072 256 1.039 Instrumental
73492b58195c3b52d34590d5474452f6 7680 3072 256 1.043 Vocals
970b3f9492014d18fefeedfe4773cb42 7680 3072 256 1.009 Vocals
1d64a6d2c30f709b8c9b4ce1366d96ee 5120 2048 256 1.065 Karaoke
203f2a3955221b64df85a41af87cf8f0 6144 3072 256 1.035 Instrumental
291c2049608edb52648b96e27eb80e95 6144 3072 256 1.035 Instrumental
ead8d05dab12ec571d67549b3aab03fc 6144 3072 256 1.035 Instrumental
cc63408db3d80b4d85b0287d1d7c9632 6144 3072 256 1.033 Instrumental
cd5b2989ad863f116c855db1dfe24e39 6144 3072 512 1.035 Reverb
55657dd70583b0fedfba5f67df11d711 6144 3072 256 1.022 Instrumental
b6bccda408a436db8500083ef3491e8b 7680 3072 256 1.02 Instrumental
8a88db95c7fb5dbe6a095ff2ffb428b1 5120 2048 256 1.026 Instrumental
b78da4afc6512f98e4756f5977f5c6b9 7680 3072 256 1.021 Instrumental
77d07b2667ddf05b9e3175941b4454a0 7680 3072 256 1.021 Vocals
0f2a6bc5b49d87d64728ee40e23bceb1 5120 2560 256 1.019 Instrumental
cb790d0c913647ced70fc6b38f5bea1a 5120 2560 256 1.01 Instrumental
b02be2d198d4968a121030cf8950b492 5120 2560 256 1.02 No-Crowd
"""


def _read_rows() -> dict[str, MdxFacts]:
    facts = {}
    for row in _ROWS.strip().splitlines():
        key, fft, bins, frames, compensation, target = row.split()
        facts[key] = MdxFacts(int(fft), int(bins), int(frames), float(compensation), target.lower())
    return facts


KNOWN = _read_rows()


def find_facts(path: Path) -> MdxFacts | None:
    """What is known of a file, or None."""
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - _TAIL_BYTES, 0))
        return KNOWN.get(hashlib.md5(file.read(), usedforsecurity=False).hexdigest())
