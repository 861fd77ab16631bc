# SPDX-License-Identifier: MIT
"""The Debian package and the wheels in bare systems, and what else is in dist/."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from conftest import DIST, SYSTEMS, the
from test_archive import PLUGIN, bounce, completes

from tools.dist import wheels

FOLDERS = ("/usr", "/etc", "/opt", "/var/lib/dpkg/info")


def test_the_debian_package_comes_and_goes_whole(with_host):
    package = the("stemlane_*_amd64.deb")
    shutil.copy(package, with_host.root / "stemlane.deb")
    before = with_host.files(*FOLDERS)
    with_host.run("apt-get update -qq && apt-get install -y -qq --no-install-recommends /stemlane.deb", user="root")
    assert "problem" not in with_host.run("stemlane doctor")
    bounce(with_host, "/usr/lib/vst3/Stemlane.vst3")
    pages = "/usr/share/man/man1/stemlane.1.gz /usr/share/man/man1/stemlane-standalone.1.gz"
    with_host.run(f"for page in {pages}; do zcat $page | grep -q '^.SH NAME'; done && {completes('/usr/share')}")
    # Nothing was compiled into the system's folders, which no package would remove: not even for root, who may.
    with_host.run("stemlane doctor", user="root")
    assert with_host.run("find /usr/lib/vst3 -type f -newer /stemlane.deb").strip() == ""
    with_host.run("dpkg --verify stemlane", user="root")
    with_host.run("dpkg --purge stemlane", user="root")
    after = with_host.files(*FOLDERS)
    assert {path for path in after if path not in before} == set()


def test_the_wheel_runs_in_this_system_s_python_and_installs_what_outlives_it(with_host):
    tag = "cp" + with_host.python_version.replace(".", "")
    wheel = the(f"stemlane-*-{tag}-*.whl")
    shutil.copy(wheel, with_host.root / "wheels" / wheel.name)
    # A Python that is a program only: Debian's package of the library is not there.
    assert with_host.run("ls /usr/lib/x86_64-linux-gnu/libpython3* 2>/dev/null || true") == ""
    with_host.run("python3 -m venv own && own/bin/pip install -q --no-index --find-links /wheels stemlane pedalboard")
    assert "problem" not in with_host.run("own/bin/stemlane doctor")
    script = (
        "import numpy as np, stemlane; plugin = stemlane.load_plugin(model='mix', vocals_gain_db='-inf'); "
        "mixture = np.random.default_rng(7).standard_normal((2, 44100)).astype(np.float32) * 0.1; "
        "out = plugin.process(mixture, 44100.0); print(bool((out == mixture).all()), stemlane.plugin_status(plugin))"
    )
    said = with_host.run(f'own/bin/python -W error -c "{script}"')
    assert said.startswith("False") and "engine_state='ready'" in said
    with_host.run("own/bin/stemlane plugin install && rm -rf own")
    bounce(with_host)
    licence = with_host.run(f"cat {PLUGIN}/Contents/Resources/licences/binary.txt")
    assert f"JUCE {with_host.juce_version}" in licence
    assert ("AGPL" in licence) == (int(with_host.juce_version[0]) >= 8)
    with_host.run(f"{PLUGIN}/Contents/Resources/stemlane plugin uninstall")
    assert list((with_host.home / ".vst3").iterdir()) == []


@pytest.mark.parametrize("version", [version for version, _ in SYSTEMS.values()])
def test_auditwheel_has_nothing_to_repair(version, tmp_path):
    wheel = the(f"stemlane-*-cp{version.replace('.', '')}-*.whl")
    tag = wheel.stem.rpartition("-")[2]
    exclude = [argument for name in wheels.NOT_GRAFTED for argument in ("--exclude", name)]
    done = subprocess.run(
        [sys.executable, "-m", "auditwheel", "repair", "--plat", tag, *exclude, "-w", tmp_path, wheel],
        check=False, capture_output=True, text=True,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )  # fmt: skip
    assert tag.startswith("manylinux") and done.returncode == 0, done.stderr
    # Nothing more was to be brought along, and what is brought along lies beside the plugin.
    with zipfile.ZipFile(tmp_path / wheel.name) as again, zipfile.ZipFile(wheel) as released:
        assert {Path(name).name for name in again.namelist()} == {Path(name).name for name in released.namelist()}
        beside = {Path(name).name for name in released.namelist() if ".so" in name and "/x86_64-linux/" in name}
    # ALSA belongs to the system's sound; a system without sound needs none of the application.
    assert {name for name in wheels.NOT_GRAFTED if "asound" not in name} & beside >= {"libpng16.so.16"}


def test_the_debian_package_wants_nothing_that_only_debian_has():
    done = subprocess.run(
        ["dpkg-deb", "-f", the("stemlane_*_amd64.deb"), "Depends"], check=True, capture_output=True, text=True
    )
    names = {part.split()[0] for part in done.stdout.split(",")}
    assert names == {"libc6", "libgcc-s1", "libstdc++6"}


def test_no_binary_of_the_wheels_names_a_place_of_the_builder():
    for wheel in DIST.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                content = archive.read(name)
                assert b"/usr/lib/x86_64-linux-gnu/libpython" not in content
                assert str(DIST.parent).encode() not in content, f"{name} in {wheel.name}"


def test_the_checksums_are_those_of_the_files():
    lines = (DIST / "SHA256SUMS").read_text(encoding="ascii").splitlines()
    listed = dict(reversed(line.split("  ")) for line in lines)
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in DIST.iterdir()}
    del files["SHA256SUMS"]
    assert listed == files and len(files) >= 6


def test_the_bill_of_materials_names_what_is_in_the_bundle():
    bill = json.loads(the("*.cdx.json").read_text(encoding="utf-8"))
    names = {component["name"] for component in bill["components"]}
    assert names >= {"numpy", "onnxruntime", "soxr", "soundfile", "cffi", "model live", "model mix"}
    assert names >= {"libpng16-16", "libpython3.11", "juce-modules-source"}
    assert all(component["version"] for component in bill["components"])
