# SPDX-License-Identifier: MIT
"""Folders of models made to do harm: only regular files of bounded size are copied, networks are tried in a process."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from stemlane.catalog import network_check, trial
from stemlane.catalog.install import add_model, verify
from stemlane.errors import ManifestError, ModelError
from stemlane.manifests.integrity import verify_model
from stemlane.manifests.model import load_manifest
from stemlane.manifests.registry import find_model
from support.tiny_mdx import network as mdx_network
from support.tiny_models import build_model, change_manifest, rehash

pytestmark = pytest.mark.usefixtures("no_models")


def left_in(data: Path) -> list[str]:
    return sorted(str(path.relative_to(data)) for path in data.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", ["MODEL_CARD.md", "LICENSE", "network.onnx", "manifest.toml"])
def test_links_are_not_followed(tmp_path, name):
    """A card that is a link would copy a private file to where others may read it."""
    folder = build_model(tmp_path, name="own")
    private = tmp_path / "private"
    private.write_bytes((folder / name).read_bytes() if (folder / name).exists() else b"secret")
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(private)
    with pytest.raises(ModelError, match=f"own/{name}: cannot be copied .is a symbolic link, should be a regular file"):
        add_model(str(folder))
    assert left_in(tmp_path / "data") == []


def test_a_folder_may_be_reached_by_a_link_but_holds_none(tmp_path):
    folder = build_model(tmp_path, name="own")
    (folder / "weights").mkdir()
    (folder / "network.onnx").rename(folder / "weights" / "network.onnx")
    change_manifest(folder, "path", '"weights/network.onnx"')
    (tmp_path / "link").symlink_to(folder)
    assert add_model(str(tmp_path / "link"))[0].name == "own"
    (folder / "weights").rename(tmp_path / "weights")
    (folder / "weights").symlink_to(tmp_path / "weights")
    with pytest.raises(ModelError, match="own/weights: cannot be copied .is a symbolic link"):
        add_model(str(folder), force=True)


@pytest.mark.parametrize("name", ["MODEL_CARD.md", "LICENSE", "network.onnx", "manifest.toml"])
def test_pipes_and_devices_are_not_read(tmp_path, name):
    folder = build_model(tmp_path, name="own")
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    with pytest.raises(ModelError, match="no regular file|no source called"):
        add_model(str(folder))
    (folder / name).unlink()
    (folder / name).symlink_to("/dev/zero")
    with pytest.raises(ModelError, match="symbolic link|no source called"):
        add_model(str(folder))
    assert not (tmp_path / "data").exists() or left_in(tmp_path / "data") == []


def test_sizes_are_bounded(tmp_path, monkeypatch):
    folder = build_model(tmp_path, name="own")
    with (folder / "MODEL_CARD.md").open("wb") as file:
        file.truncate(1 << 40)  # takes no room on the disk
    with pytest.raises(ModelError, match="MODEL_CARD.md: cannot be copied .has 1099511627776 bytes, more than 1048576"):
        add_model(str(folder))
    (folder / "MODEL_CARD.md").unlink()
    with (folder / "network.onnx").open("r+b") as file:
        file.truncate(1 << 40)
    with pytest.raises(ModelError, match="network.onnx: cannot be copied .has 1099511627776 bytes, more than"):
        add_model(str(folder))
    with (folder / "manifest.toml").open("ab") as file:
        file.truncate(1 << 40)
    with pytest.raises(ManifestError, match="manifest.toml: cannot be read: has 1099511627776 bytes"):
        add_model(str(folder))
    assert left_in(tmp_path / "data") == []


@pytest.mark.parametrize("source", ["folder", "mdx"])
def test_a_full_disk_is_named_not_the_file_that_is_read(tmp_path, monkeypatch, source):
    """The kernel's own answer: what is written goes to a device that is always full."""
    opened, built = Path.open, build_model(tmp_path, name="own")

    def full(path, mode="r", **options):
        return opened(Path("/dev/full"), "wb") if mode == "xb" else opened(path, mode, **options)

    def copy(read, written):  # as `shutil` does it where the kernel copies
        raise OSError(28, "No space left on device", str(read), None, str(written))

    monkeypatch.setattr(Path, "open", full)
    monkeypatch.setattr("shutil.copyfile", copy)
    (tmp_path / "x.onnx").write_bytes(mdx_network(70, 12))
    arguments = {"location": str(tmp_path / "x.onnx"), "stem": "vocals", "fft_samples": 4096}
    models = tmp_path / "data" / "stemlane" / "models"
    words = rf"^{models}: No space left on device, \d+ MB are free there; nothing was changed. Free some space on that"
    with pytest.raises(ModelError, match=words):
        add_model(str(built)) if source == "folder" else add_model("mdx", **arguments)
    assert left_in(tmp_path / "data") == []


def test_what_is_copied_is_what_was_checked(tmp_path):
    """The hash is of the bytes that were written, not of those that were there before."""
    folder = build_model(tmp_path, name="own")
    (folder / "network.onnx").write_bytes(b"changed")
    with pytest.raises(ModelError, match=r"own/network.onnx is damaged or changed \(sha256 .*install the model again"):
        add_model(str(folder))
    assert left_in(tmp_path / "data") == []


def model_with(folder: Path, network: onnx.ModelProto, name: str = "own") -> Path:
    built = build_model(folder, name=name, lookahead_frames=0)
    (built / "network.onnx").write_bytes(network.SerializeToString())
    rehash(built)
    return built


def graph_of(nodes, constants=(), bins: int = 129) -> onnx.ModelProto:
    tensors = [helper.make_tensor_value_info("mixture", TensorProto.FLOAT, [1, 2, 2, 2, bins]),
               helper.make_tensor_value_info("stems", TensorProto.FLOAT, [1, 3, 2, 2, 2, bins])]  # fmt: skip
    graph = helper.make_graph(nodes, "own", tensors[:1], tensors[1:], list(constants))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def constant(name: str, value) -> TensorProto:
    return numpy_helper.from_array(np.asarray(value), name)


def network_of(*, before=(), constants=()) -> onnx.ModelProto:
    """Half of the mixture as each stem, once `before` has made `seed` (1,) of it."""
    nodes = [
        *before,
        helper.make_node("Unsqueeze", ["mixture", "axis"], ["one"]),
        helper.make_node("Mul", ["one", "seed"], ["zero"]),
        helper.make_node("Add", ["zero", "masks"], ["stems"]),
    ]
    masks = constant("masks", np.full((1, 3, 1, 1, 1, 1), 0.5, np.float32))
    return graph_of(nodes, [constant("axis", [1]), masks, *constants])


def endless_loop() -> onnx.ModelProto:
    """A Loop that goes on as long as a square is not negative."""
    body = helper.make_graph(
        [
            helper.make_node("Mul", ["value", "value"], ["next"]),
            helper.make_node("GreaterOrEqual", ["next", "nothing"], ["goes_on"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("condition", TensorProto.BOOL, []),
            helper.make_tensor_value_info("value", TensorProto.FLOAT, []),
        ],
        [
            helper.make_tensor_value_info("goes_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next", TensorProto.FLOAT, []),
        ],
        [constant("nothing", np.float32(0))],
    )
    before = [
        helper.make_node("ReduceMean", ["mixture"], ["start"], keepdims=0),
        helper.make_node("Loop", ["", "yes", "start"], ["seed"], body=body),
    ]
    return network_of(before=before, constants=[constant("yes", True)])


def fills_memory() -> onnx.ModelProto:
    """A tensor of 64 GiB of ones."""
    before = [
        helper.make_node("ConstantOfShape", ["huge"], ["ones"]),
        helper.make_node("ReduceMean", ["mixture"], ["mean"], keepdims=0),
        helper.make_node("Add", ["ones", "mean"], ["sum"]),
        helper.make_node("ReduceMax", ["sum"], ["seed"], keepdims=0),
    ]
    return network_of(before=before, constants=[constant("huge", [1 << 34])])


def test_networks_that_may_never_end_are_refused(tmp_path):
    with pytest.raises(ModelError, match="own/network.onnx: holds a Loop, which may never end"):
        add_model(str(model_with(tmp_path, endless_loop())))
    assert left_in(tmp_path / "data") == []


@pytest.fixture
def unchecked(monkeypatch):
    """Networks are not looked through beforehand, so that those are tried that would be refused."""
    monkeypatch.setattr(network_check, "_REFUSED_OPERATORS", ())


def test_a_trial_that_does_not_end_is_ended(tmp_path, monkeypatch, unchecked):
    folder = model_with(tmp_path, endless_loop())
    monkeypatch.setattr(trial, "PROCESSOR_SECONDS", 3)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    with pytest.raises(ModelError, match="model 'own' does not run: the network has computed for 3 s without an end"):
        add_model(str(folder))
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 10
    monkeypatch.setattr(trial, "PROCESSOR_SECONDS", 900)
    monkeypatch.setattr(trial, "WALL_SECONDS", 3)
    with pytest.raises(ModelError, match="the network has run for 3 s without an end"):
        add_model(str(folder))
    assert left_in(tmp_path / "data") == []


def test_a_trial_may_not_fill_the_memory(tmp_path, monkeypatch, unchecked):
    monkeypatch.setattr(trial, "MEMORY_BYTES", 2 << 30)
    with pytest.raises(ModelError, match="does not run: .*([Ff]ailed to allocate|bad_alloc|more memory)"):
        add_model(str(model_with(tmp_path, fills_memory())))
    assert left_in(tmp_path / "data") == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_who_stops_the_command_stops_the_trial(tmp_path, number):
    """The network's process is gone with the command, however that is ended."""
    folder = model_with(tmp_path, endless_loop())
    code = (
        "import sys; from stemlane.catalog import network_check; network_check._REFUSED_OPERATORS = ()\n"
        "from stemlane.cli.main import main; sys.exit(main(['models', 'add', sys.argv[1]]))"
    )
    command = subprocess.Popen([sys.executable, "-c", code, str(folder)], stderr=subprocess.PIPE, text=True)
    trial_process = waited_for(lambda: processes(command.pid))
    waited_for(lambda: busy_seconds(trial_process[0]) > 2)  # long after it has begun
    command.send_signal(number)
    _, said = command.communicate(timeout=60)
    assert command.returncode == (-number if number == signal.SIGKILL else 128 + number)
    assert said == ("" if number == signal.SIGKILL else "stemlane: interrupted\n")
    waited_for(lambda: not Path(f"/proc/{trial_process[0]}").exists() or is_dead(trial_process[0]))
    if number != signal.SIGKILL:
        assert left_in(tmp_path / "data") == []


def waited_for(found, seconds: float = 120):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := found():
            return value
        time.sleep(0.05)
    raise AssertionError("it does not happen")


def processes(parent: int) -> list[int]:
    return [int(entry) for entry in Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii").split()]


def busy_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return int(fields[11]) / os.sysconf("SC_CLK_TCK")


def is_dead(process: int) -> bool:
    return Path(f"/proc/{process}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] in "ZX"


@pytest.mark.parametrize("line, words", [
    ("print('{\"result\": {}}')", "ended without a result"),
    ("print('{\"result\": {\"self_test\": [{\"vocals\": [1e999, 0, 0, 0]}], \"measured\": null}}')", "a result"),
    ("print('[' * 60000)", "ended without a result"),
    ("print('x' * 10_000_000)", "ended without a result"),
    ("print('{\"problem\": \"a\\\\u001b[2Jb\"}')", r"a\\x1b\[2Jb"),
    ("import os; os.abort()", r"the network crashed \(SIGABRT\)"),
    ("import os; os._exit(3)", "ended without a result"),
])  # fmt: skip
def test_a_trial_that_was_taken_over_says_anything(tmp_path, monkeypatch, line, words):
    manifest = load_manifest(build_model(tmp_path, name="own"))
    monkeypatch.setattr(trial, "_COMMAND", [sys.executable, "-c", line])
    with pytest.raises(ModelError, match=words) as refusal:
        trial.try_models([manifest])
    assert "\x1b" not in str(refusal.value) and len(str(refusal.value)) < 2000


def test_networks_refer_to_the_models_own_files_only(tmp_path):
    network = network_of(constants=[constant("seed", np.float32([0]))])
    weight = next(tensor for tensor in network.graph.initializer if tensor.name == "masks")
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="../private")
    (tmp_path / "private").write_bytes(bytes(100))
    for place in ("../private", str(tmp_path / "private"), "network.data", "/dev/zero"):
        weight.external_data[0].value = place
        with pytest.raises(ModelError, match="refers to the file '.*', which is none of the model's"):
            add_model(str(model_with(tmp_path / str(len(place)), network)))
    nested = onnx.ModelProto()
    nested.CopyFrom(network_of(constants=[constant("seed", np.float32([0]))]))
    branch = nested.graph.node[0].attribute.add(name="x", type=onnx.AttributeProto.GRAPH).g
    branch.initializer.add(name="w", data_type=1).external_data.add(key="location", value="../private")
    with pytest.raises(ModelError, match="refers to the file '../private'"):
        add_model(str(model_with(tmp_path / "nested", nested)))


def test_verifying_needs_no_converter_and_ends_too(tmp_path, monkeypatch):
    folder = model_with(tmp_path, endless_loop())
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.setattr(trial, "PROCESSOR_SECONDS", 3)
    with pytest.raises(ModelError, match="the network has computed for 3 s without an end"):
        verify(str(folder))
    assert verify("mix").name == "mix"


def test_names_of_embedded_models_cannot_be_taken(tmp_path):
    """The remedy must be one that works: --name does not rename a folder's model, another name in its manifest does."""
    for name in ("mix", "live"):
        with pytest.raises(ModelError, match=f"{name!r} belongs to .*; change it in manifest.toml"):
            add_model(str(build_model(tmp_path, name=name)))
    change_manifest(tmp_path / "mix", "name", '"remixed"')
    assert add_model(str(tmp_path / "mix"))[0].name == "remixed"
    with pytest.raises(ModelError, match="belongs to a model that comes with the package; choose one with --name"):
        add_model("spleeter:4stems", name="mix")
    own = build_model(tmp_path, name="own")
    add_model(str(own))
    with pytest.raises(ModelError, match="there already; --force replaces it, or change it in manifest.toml"):
        add_model(str(own))


def test_an_added_model_is_not_read_again_until_it_changes(tmp_path, monkeypatch):
    add_model(str(build_model(tmp_path, name="own")))
    manifest = find_model("own")
    from stemlane.manifests import integrity, registry

    read = []
    monkeypatch.setattr(integrity, "_verify", lambda found, entry: read.append(entry.path))
    registry.check_model(manifest)
    assert read == []
    verify_model(manifest)  # always
    assert read == ["network.onnx"]
    read.clear()
    network = manifest.folder / "network.onnx"
    content, stat = network.read_bytes(), network.stat()
    os.utime(network, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    registry.check_model(manifest)
    assert read == ["network.onnx"]  # another time
    network.write_bytes(content + b"\0")
    os.utime(network, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    registry.check_model(manifest)
    assert len(read) == 2  # another size
    network.write_bytes(content)
    os.utime(network, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    registry.check_model(manifest)
    assert len(read) == 2
    (manifest.folder.parent / integrity.CHECKED_NAME).write_bytes(b"\xff nonsense\n")
    registry.check_model(manifest)
    assert len(read) == 3  # without a table all are read
    registry.check_model(load_manifest(tmp_path / "own"))
    assert len(read) == 4  # and those of other folders


def test_changed_and_missing_files_are_found_when_a_model_is_loaded(tmp_path):
    from stemlane.engine.streaming import StreamingSeparator

    add_model(str(build_model(tmp_path, name="own")))
    network = find_model("own").folder / "network.onnx"
    content = bytearray(network.read_bytes())
    content[len(content) // 2] ^= 1
    network.write_bytes(content)
    with pytest.raises(ModelError, match="damaged or changed"):
        StreamingSeparator("own", 44100, 2)
    network.unlink()
    with pytest.raises(ModelError, match="cannot be read .No such file"):
        StreamingSeparator("own", 44100, 2)
