# SPDX-License-Identifier: MIT
"""Demo projects: which track is which stem, and a project in which one stem is left."""

import zlib
from xml.etree import ElementTree

import pytest

from models.training.data import demos


def track(name, instrument, *, source=None, keys=(), base=57, kind="0"):
    element = ElementTree.Element("track", name=name, type=kind, muted="0", solo="1")
    inner = ElementTree.SubElement(element, "instrumenttrack", basenote=str(base))
    device = ElementTree.SubElement(ElementTree.SubElement(inner, "instrument", name=instrument), instrument)
    if source:
        device.set("src", source)
    pattern = ElementTree.SubElement(element, "pattern")
    for key in keys:
        ElementTree.SubElement(pattern, "note", key=str(key))
    return element


@pytest.mark.parametrize(
    "element, stem",
    [
        (track("kick04.ogg", "audiofileprocessor", source="drums/kick04.ogg", keys=[57]), "drums"),
        (track("bassdrum04.ogg", "audiofileprocessor", source="drums/bassdrum04.ogg", keys=[57]), "drums"),
        (track("mute_bass.ds", "audiofileprocessor", source="drumsynth/misc/mute_bass.ds", keys=[57]), "bass"),
        (track("E-Piano", "audiofileprocessor", source="drumsynth/keys/E-Piano.ds", keys=[57]), "other"),
        (track("Default preset", "zynaddsubfx", keys=[33, 33, 57]), "bass"),  # 110 Hz
        (track("Default preset", "zynaddsubfx", keys=[33, 57, 60]), "other"),
        (track("Default preset", "zynaddsubfx", keys=[33, 33, 57], base=45), "other"),  # 220 Hz
        (track("gated sub", "tripleoscillator", keys=[60]), "bass"),
        (track("kick", "tripleoscillator", keys=[30]), "drums"),
        (track("Choir", "zynaddsubfx", keys=[60]), None),
    ],
)
def test_a_track_is_known_by_its_sample_its_name_or_its_pitch(element, stem):
    assert demos.stem_of(element) == stem


def test_one_stem_is_left_and_the_rest_muted():
    root = ElementTree.Element("lmms-project")
    beat = ElementTree.SubElement(
        ElementTree.SubElement(
            ElementTree.SubElement(root, "track", type="1", name="Beat", muted="0", solo="0"), "bbtrack"
        ),
        "trackcontainer",
    )
    beat.append(track("snare", "audiofileprocessor"))
    root.append(track("sub", "tripleoscillator"))
    root.append(track("Choir", "zynaddsubfx"))
    root.append(track("loop", "sample", kind="2"))
    tree = ElementTree.ElementTree(root)
    heard = {
        stem: [part.get("name") for part in demos.only(tree, stem).iter("track") if part.get("muted") == "0"]
        for stem in demos.STEMS
    }
    assert heard == {"drums": ["Beat", "snare"], "bass": ["Beat", "sub"], "other": ["Beat"]}
    assert not any(part.get("solo") == "1" for part in demos.only(tree, "bass").iter("track"))
    assert [part.get("muted") for part in tree.iter("track")] == ["0"] * 5  # the original stays as it was


def test_a_project_is_read_plain_or_compressed(tmp_path):
    content = b'<lmms-project><track type="0" name="a"/></lmms-project>'
    (tmp_path / "a.mmp").write_bytes(content)
    (tmp_path / "a.mmpz").write_bytes(len(content).to_bytes(4, "big") + zlib.compress(content))
    for name in ("a.mmp", "a.mmpz"):
        assert [part.get("name") for part in demos.project(tmp_path / name).iter("track")] == ["a"]


def test_no_song_is_both_trained_on_and_measured():
    assert set(demos.HELD_OUT) < set(demos.SONGS) and len(set(demos.SONGS)) == len(demos.SONGS)
