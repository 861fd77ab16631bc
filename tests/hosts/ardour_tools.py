# SPDX-License-Identifier: MIT
"""Ardour 7 without a screen: sessions made by Lua scripts, audio placed into their files, bounces read back.

Every script runs in a process of its own with a time limit and a made-up home. What is odd here is explained in
docs/HOSTS.md.
"""

import base64
import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import soundfile
from stemlane.plugin import presets

BLOCK_SAMPLES = 512
SCRIPT_SECONDS = 120  # a script takes 3 to 7 s; the limit ends one that hangs

_LIBRARIES = Path("/usr/lib/ardour7")
_COMMAND = "ardour7-lua"
_SUPERCLOCK_HZ = 282_240_000  # unit of times in session files
_PRESET_ID = "5e1a7e00-0000-4000-8000-000000000001"
_FLOAT_WAV = "20b4ab09-6452-4cb3-bd66-b921cdbd2942"  # Ardour's own format "BWAV 32float"
_EXPORT_PRESET = f"""<?xml version="1.0" encoding="UTF-8"?>
<ExportPreset id="{_PRESET_ID}" name="float">
  <ExportFormat id="{_FLOAT_WAV}"/>
  <ExportFilename><Folder relative="1" path="export"/><Field name="timespan" enabled="1"/></ExportFilename>
</ExportPreset>
"""
_START = f"""
AudioEngine:set_backend("None (Dummy)", "", "")
AudioEngine:set_buffer_size({BLOCK_SAMPLES})
-- Left alone, Ardour connects on a thread of its own, some time after a track is made.
ARDOUR.config():set_output_auto_connect(ARDOUR.AutoConnectOption.ManualConnect)
ARDOUR.config():set_input_auto_connect(ARDOUR.AutoConnectOption.ManualConnect)

-- Connects two channels of a route's output, from `first` on, to what `target` takes in, and nothing else.
function connect (route, first, target)
  route:output():disconnect_all(nil)
  add_connection(route, first, target)
end

function add_connection (route, first, target)
  for channel = 0, 1 do
    assert(route:output():audio(first + channel):connect(target:input():audio(channel):name()) == 0)
  end
end

function new_track (name, strict)
  local track = session:new_audio_track(
    2, 2, nil, 1, name, ARDOUR.PresentationInfo.max_order, ARDOUR.TrackMode.Normal, true):front()
  track:set_strict_io(strict)
  connect(track, 0, session:master_out())
  return track
end

function insert_stemlane (route)
  local plugin = ARDOUR.LuaAPI.new_plugin_with_time_domain(
    session, "Stemlane", ARDOUR.PluginType.VST3, Temporal.TimeDomain.AudioTime, "")
  assert(not plugin:isnil(), "Ardour does not know Stemlane")
  assert(route:add_processor_by_index(plugin, 0, nil, true) == 0)
  return plugin
end

function parameter (plugin, label)
  local inside = plugin:to_insert():plugin(0)
  for index = 0, inside:parameter_count() - 1 do
    if inside:parameter_label(index) == label then return index end
  end
  error("no parameter " .. label)
end

-- Values are on the host's scale: 0 is -60 dB, 1 is +12 dB.
function set (plugin, label, value)
  assert(ARDOUR.LuaAPI.set_processor_param(plugin, parameter(plugin, label), value))
end

function automate (plugin, label, points)
  local index = parameter(plugin, label)
  local _, list, _ = ARDOUR.LuaAPI.plugin_automation(plugin, index)
  for _, point in ipairs(points) do
    list:add(Temporal.timepos_t(point[1]), point[2], false, true)
  end
  local which = Evoral.Parameter(ARDOUR.AutomationType.PluginAutomation, 0, index)
  local control = plugin:to_insert():to_automatable():automation_control(which, false)
  control:set_automation_state(ARDOUR.AutoState.Play)
end
"""
_END = """
session:save_state("", false, false, false, false, false)
close_session()
quit()
"""


def missing() -> str:
    """Why Ardour cannot be used here, with the remedy; empty if it can."""
    return "" if shutil.which(_COMMAND) else f"no {_COMMAND}: apt-get install ardour"


def host_scale(gain_db: float) -> float:
    """A fader's position on the host's scale 0..1."""
    return (gain_db + 60.0) / 72.0


class Ardour:
    """Ardour for a made-up user who has installed one plugin.

    Parameters
    ----------
    home
        An empty folder.
    bundle
        The .vst3 to install.
    """

    def __init__(self, home: Path, bundle: Path):
        self.home = home
        shutil.copytree(bundle, home / ".vst3" / bundle.name)
        presets = home / ".config" / "ardour7" / "export"
        presets.mkdir(parents=True)
        (presets / "float.preset").write_text(_EXPORT_PRESET, encoding="utf-8")

    def _run(self, command: list[str], **environment: str) -> str:
        kept = {
            key: value
            for key, value in os.environ.items()
            if key not in ("DISPLAY", "WAYLAND_DISPLAY", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "LD_PRELOAD")
        }
        # 15: SSE2 at most. Ardour 7.3 writes behind its buffers where the processor has AVX-512.
        kept |= {"HOME": str(self.home), "ARDOUR_FPU_FLAGS": "15", **environment}
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, errors="replace", timeout=SCRIPT_SECONDS, env=kept
        )
        assert done.returncode == 0, f"{command[0]}: exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def scan(self) -> ElementTree.Element:
        """Scan the plugin as Ardour does at its start; returns what it has noted about it."""
        bundle = next((self.home / ".vst3").glob("*.vst3"))
        self._run([str(_LIBRARIES / "ardour-vst3-scanner"), "-f", str(bundle)], LD_LIBRARY_PATH=str(_LIBRARIES))
        (note,) = (self.home / ".cache" / "ardour7" / "vst").glob("*.v3i")
        # A note must be newer than the plugin, whose files have just been made.
        later = time.time() + 2
        os.utime(note, (later, later))
        return ElementTree.parse(note).getroot().find("VST3Info")

    def script(self, name: str, text: str) -> str:
        """Run Lua in a process of its own; returns what it has printed."""
        path = self.home / f"{name}.lua"
        path.write_text(text, encoding="utf-8")
        return self._run([_COMMAND, str(path)])

    def create(self, name: str, sample_rate: int, body: str) -> "Session":
        """A new session; `body` finds it as `session`, and the functions at the top of this file."""
        folder = self.home / name
        self.script(name, f'{_START}session = create_session("{folder}", "{name}", {sample_rate})\n{body}{_END}')
        return Session(self, folder, sample_rate)


class Session:
    """A session on the disk.

    Attributes
    ----------
    folder, sample_rate
        Where it is, and its rate in Hz.
    """

    def __init__(self, ardour: Ardour, folder: Path, sample_rate: int):
        self.ardour, self.folder, self.sample_rate = ardour, folder, sample_rate
        self._file = folder / f"{folder.name}.ardour"

    def place(self, regions: Mapping[str, np.ndarray], start_samples: int, num_samples: int) -> None:
        """Put audio (2, samples) on tracks by name at a position, and let the session last `num_samples`."""
        tree = ElementTree.parse(self._file)
        root = tree.getroot()
        next_id = 1_000_000
        clock = _SUPERCLOCK_HZ // self.sample_rate
        for track, audio in regions.items():
            file = self.folder / "interchange" / self.folder.name / "audiofiles" / f"{track}.wav"
            soundfile.write(file, audio.T, self.sample_rate, subtype="FLOAT")
            region = {
                "name": track, "id": str(next_id), "type": "audio", "channels": str(len(audio)),
                "start": "a0", "length": f"a{audio.shape[1] * clock}@a{start_samples * clock}",
                "opaque": "1", "envelope-active": "0", "fade-in-active": "0", "fade-out-active": "0",
            }  # fmt: skip
            for channel in range(len(audio)):
                source = str(next_id + 1 + channel)
                region[f"source-{channel}"] = region[f"master-source-{channel}"] = source
                attributes = {"name": file.name, "type": "audio", "id": source, "channel": str(channel)}
                ElementTree.SubElement(root.find("Sources"), "Source", attributes)
            next_id += 100
            playlist = root.find(f"Playlists/Playlist[@name='{track}']")
            element = ElementTree.SubElement(playlist, "Region", region)
            for fade in ("FadeIn", "FadeOut"):
                ElementTree.SubElement(element, fade, {"default": "1", "active": "0"})
        locations = root.find("Locations")
        locations.clear()
        whole = {"id": str(next_id), "name": "session", "start": "a0", "end": f"a{num_samples * clock}"}
        ElementTree.SubElement(locations, "Location", whole | {"flags": "IsSessionRange"})
        tree.write(self._file, encoding="UTF-8", xml_declaration=True)

    def change(self, body: str) -> str:
        """Open the session, run Lua, save; returns what was printed."""
        name = self.folder.name
        opening = f'session = load_session("{self.folder}", "{name}")\nassert(session)\n'
        return self.ardour.script(f"{name}-change", f"{_START}{opening}{body}{_END}")

    def bounce(self, body: str = "") -> np.ndarray:
        """The main output (2, samples) as Ardour exports it, after `body` has changed the session, without saving."""
        name = self.folder.name
        target = self.folder / "export" / "bounce.wav"
        target.unlink(missing_ok=True)
        self.ardour.script(
            f"{name}-bounce",
            f"""{_START}session = load_session("{self.folder}", "{name}")
            assert(session)
            {body}
            local export = session:simple_export()
            assert(export:set_preset("{_PRESET_ID}"))
            export:set_name("bounce")
            export:set_folder("{target.parent}")
            assert(export:run_export())
            close_session()
            quit()
            """,
        )
        audio, sample_rate = soundfile.read(target, dtype="float32", always_2d=True)
        assert sample_rate == self.sample_rate
        return audio.T

    def plugin_states(self) -> list[ElementTree.Element]:
        """The states of the plugins in the session's file, in the order of the tracks."""
        return [presets.read(preset) for _, preset in self._presets(ElementTree.parse(self._file))]

    def change_states(self, **changed: str) -> None:
        """Change attributes of all plugins' states in the session's file."""
        tree = ElementTree.parse(self._file)
        for chunk, preset in self._presets(tree):
            state = presets.read(preset)
            state.attrib.update(changed)
            chunk.text = base64.b64encode(presets.replaced(preset, state)).decode()
        tree.write(self._file, encoding="UTF-8", xml_declaration=True)

    @staticmethod
    def _presets(tree: ElementTree.ElementTree) -> list[tuple[ElementTree.Element, bytes]]:
        # Ardour keeps a VST3 plugin's state in the form of a .vstpreset.
        return [(chunk, base64.b64decode(chunk.text)) for chunk in tree.getroot().iter("chunk")]
