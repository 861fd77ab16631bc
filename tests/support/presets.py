# SPDX-License-Identifier: MIT
"""Builds .vstpreset files byte by byte, as the VST3 SDK's documentation describes them."""

import struct


def build_preset(component: bytes, controller: bytes = b"controller") -> bytes:
    """A preset with a component and a controller chunk."""
    start = 48
    header = b"VST3" + struct.pack("<i", 1) + b"0123456789ABCDEF0123456789ABCDEF"
    header += struct.pack("<q", start + len(component) + len(controller))
    entries = b"List" + struct.pack("<i", 2)
    entries += b"Comp" + struct.pack("<qq", start, len(component))
    entries += b"Cont" + struct.pack("<qq", start + len(component), len(controller))
    return header + component + controller + entries


def build_component(xml: str, trailer: bytes = b"\0JUCEPrivateData") -> bytes:
    """What the plugin writes: the XML in JUCE's container, then the wrapper's own data."""
    text = xml.encode()
    return struct.pack("<II", 0x21324356, len(text)) + text + trailer
