# SPDX-License-Identifier: MIT
"""Boxes of MP4 files, found and added: in closed form."""

import pytest
from stemlane.files.mp4_boxes import Box, add_box, box, boxes


def test_boxes_in_closed_form(tmp_path):
    long = (1).to_bytes(4, "big") + b"long" + (24).to_bytes(8, "big") + b"12345678"
    path = tmp_path / "a"
    path.write_bytes(box(b"ftyp", b"abcd") + long + (0).to_bytes(4, "big") + b"last" + b"xyz")
    with path.open("rb") as file:
        assert list(boxes(file, 0, path.stat().st_size)) == [
            Box(b"ftyp", 0, 8, 12), Box(b"long", 12, 28, 36), Box(b"last", 36, 44, 47),
        ]  # fmt: skip
        for wrong in (b"", b"\0\0\0", (7).to_bytes(4, "big") + b"tiny", (99).to_bytes(4, "big") + b"huge"):
            file_of = tmp_path / "b"
            file_of.write_bytes(wrong)
            with file_of.open("rb") as damaged:
                assert list(boxes(damaged, 0, len(wrong))) == []


@pytest.mark.parametrize(
    "before, after",
    [
        (box(b"mdat", b"x") + box(b"moov", box(b"mvhd", b"")),
         box(b"mdat", b"x") + box(b"moov", box(b"mvhd", b"") + box(b"udta", box(b"stem", b"hi")))),
        (box(b"moov", box(b"udta", box(b"meta", b"")) + box(b"trak", b"")),
         box(b"moov", box(b"udta", box(b"meta", b"") + box(b"stem", b"hi")) + box(b"trak", b""))),
        (box(b"moov", box(b"udta", b"")) + box(b"mdat", b"x"), None),  # what is added would move the samples
        (box(b"mdat", b""), None),
    ],
)  # fmt: skip
def test_a_box_is_added_where_nothing_moves(tmp_path, before, after):
    path = tmp_path / "a.mp4"
    path.write_bytes(before)
    with path.open("r+b") as file:
        if after is None:
            with pytest.raises(ValueError, match="moov is not at the end"):
                add_box(file, (b"moov", b"udta"), b"stem", b"hi")
        else:
            add_box(file, (b"moov", b"udta"), b"stem", b"hi")
    assert path.read_bytes() == (before if after is None else after)
