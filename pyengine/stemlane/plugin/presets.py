# SPDX-License-Identifier: MIT
"""The plugin's saved state: an XML element inside a .vstpreset, read and written without the plugin."""

import math
import struct
from xml.etree import ElementTree

from stemlane.contract import STATE_TAG
from stemlane.errors import PluginError, one_line
from stemlane.plugin import parameters

# Container of juce::AudioProcessor::copyXmlToBinary: magic, length of the text, the text, a zero byte.
_XML_MAGIC = 0x21324356
# Layout of a preset, from Steinberg's "VST 3 preset file format": header "VST3", version, class id (32 characters),
# position of the list of chunks; the list: "List", count, then per chunk its id, position and size.
_HEADER = struct.Struct("<4si32sq")
_LIST_HEAD = struct.Struct("<4si")
_ENTRY = struct.Struct("<4sqq")
_COMPONENT = b"Comp"
_HIGHEST_BYTES = 1 << 20  # a state has 2 KB
_MOST_CHUNKS = 64


def _chunks(preset: bytes) -> tuple[int, bytes, list[tuple[bytes, bytes]]]:
    """Version, class id and chunks (id, content) of a preset."""
    try:
        magic, version, class_id, list_start = _HEADER.unpack_from(preset)
        list_magic, count = _LIST_HEAD.unpack_from(preset, list_start)
        if magic != b"VST3" or list_magic != b"List":
            raise PluginError("the plugin's state is not a VST3 preset")
        # Positions below zero would count from the end; chunks that lie over each other are copied once for each.
        if len(preset) > _HIGHEST_BYTES or list_start < 0 or not 0 <= count <= _MOST_CHUNKS:
            raise PluginError("the plugin's state is not a VST3 preset, or damaged")
        entries = [_ENTRY.unpack_from(preset, list_start + _LIST_HEAD.size + i * _ENTRY.size) for i in range(count)]
        if any(start < 0 or size < 0 or start + size > len(preset) for _, start, size in entries):
            raise PluginError("the plugin's state is a VST3 preset that is cut off or damaged")
    except struct.error:
        raise PluginError("the plugin's state is not a VST3 preset") from None
    return version, class_id, [(name, preset[start : start + size]) for name, start, size in entries]


def _component(preset: bytes) -> tuple[bytes, int]:
    """The component's chunk and the length of the XML container at its start."""
    for name, content in _chunks(preset)[2]:
        if name == _COMPONENT and len(content) >= 8:
            magic, length = struct.unpack_from("<Ii", content)
            if magic == _XML_MAGIC and 0 <= length <= len(content) - 8:
                return content, 8 + length
    raise PluginError("the plugin's state is not Stemlane's; is it another plugin?")


def read(preset: bytes) -> ElementTree.Element:
    """The element <STEMLANE> in a preset, with model and parameters as attributes."""
    content, end = _component(preset)
    return element_of(content[8:end], "the plugin's state")


def element_of(text: bytes, what: str) -> ElementTree.Element:
    """The element <STEMLANE> in a text; `what` names the text in errors."""
    if b"<!" in text:  # declarations, by which a few bytes become many
        raise PluginError(f"{what} declares entities, which no state does")
    try:
        element = ElementTree.fromstring(text)  # noqa: S314 - without declarations
    except (ElementTree.ParseError, ValueError, LookupError) as error:  # the last two: of its encoding
        raise PluginError(f"{what} is not XML: {one_line(error)}") from None
    if element.tag != STATE_TAG:
        raise PluginError(f"{what} is <{element.tag}>, should be <{STATE_TAG}>; is it another plugin?")
    return element


def replaced(preset: bytes, element: ElementTree.Element) -> bytes:
    """The preset with another element in it."""
    version, class_id, chunks = _chunks(preset)
    content, end = _component(preset)
    text = ElementTree.tostring(element, encoding="utf-8", xml_declaration=True)
    chunks = [
        (name, struct.pack("<Ii", _XML_MAGIC, len(text)) + text + content[end:] if data == content else data)
        for name, data in chunks
    ]
    body, entries = b"", b""
    for name, data in chunks:
        entries += _ENTRY.pack(name, _HEADER.size + len(body), len(data))
        body += data
    header = _HEADER.pack(b"VST3", version, class_id, _HEADER.size + len(body))
    return header + body + _LIST_HEAD.pack(b"List", len(chunks)) + entries


def set_parameter(element: ElementTree.Element, name: str, value: float | str | bool) -> None:
    """Set a parameter by the name it has in scripts, or its id, to dB or "-inf", per cent, True or False."""
    known = [key for key in element.attrib if key.endswith(("_gain", "_mute", "_solo", "_focus")) or key == "bypass"]
    identifier = parameters.parameter_id(name)
    if identifier not in known:
        raise PluginError(parameters.unknown(name, [parameters.name_in_scripts(key) for key in known]))
    found = parameters.checked(name, value)
    if isinstance(found, bool):
        element.set(identifier, "On" if found else "Off")
    elif identifier.endswith("_focus"):
        element.set(identifier, format(found, ".0f"))
    else:
        element.set(identifier, "-inf" if found == -math.inf else format(found, ".1f"))
