# SPDX-License-Identifier: MIT
"""The archive: installed by a user in a bare system, played from, upgraded while it plays, and taken away."""

import shutil

import numpy as np
import soundfile
from conftest import the
from support.audio_files import RATE, music, vbr_mp3
from support.tiny_mdx import network

from tools.dist import roots

# For a shell, with the quotes that the user's home needs.
PLUGIN = '"$HOME/.vst3/Stemlane.vst3"'
# What the engine may take from the system: the C and the C++ run time.
SYSTEM_LIBRARIES = ("ld-linux", "libc.", "libm.", "libdl.", "libpthread.", "librt.", "libgcc_s.", "libstdc++.")


def bounce(system, bundle=PLUGIN):
    """The sum of a bounce in pedalboard; it has to be separated, with nothing of the system but the C library."""
    said, digest, *outside = system.run(f"host/bin/python /in_root_bounce.py {bundle}").split("\n")
    assert said == "separated"
    paths = " ".join(outside).split()
    assert [path for path in paths if not path.rpartition("/")[2].startswith(SYSTEM_LIBRARIES)] == []
    return digest


def completes(share):
    """A shell script that fails unless bash completes the command with what lies in the folder `share`."""
    return f"bash -c '. {share}/bash-completion/completions/stemlane && complete -p stemlane' > /dev/null"


def separates_files_and_adds_models(system):
    """What the editor's pages do, as they do it; the recordings and the weights are the user's own."""
    soundfile.write(system.home / "song.wav", music(RATE).T, RATE, subtype="FLOAT")
    vbr_mp3(system.home / "song.mp3", music(RATE))
    (system.home / "weights.onnx").write_bytes(network(70, 12))
    engine = f"{PLUGIN}/Contents/x86_64-linux/stemlane-engine --command"
    for ending in ("wav", "mp3"):
        system.run(f"{engine} separate song.{ending} -o '{ending}' --model live --format flac")
        stems = [soundfile.read(path, dtype="float32")[0] for path in (system.home / ending).glob("song/*.flac")]
        mixture = soundfile.read(system.home / f"song.{ending}", dtype="float32")[0]
        assert len(stems) == 4
        # Half a step of 24 bits for each of four stems, and their sum in float32.
        np.testing.assert_allclose(np.sum(stems, axis=0), mixture, rtol=0, atol=3 * 2.0**-23)
    numbers = "--n-fft 4096 --compensation 1.5 --stem vocals --name tiny"
    system.run(f"{engine} models add mdx --from weights.onnx {numbers}")
    assert "tiny: ok" in system.run("~/.local/bin/stemlane models verify tiny")
    # Over the system's TLS; nobody answers there.
    said = system.run(f"{engine} models add spleeter:2stems --from https://127.0.0.1:9/a.tar.gz", check=False)
    assert "127.0.0.1:9/a.tar.gz: ConnectionRefusedError" in said
    system.run("rm -r song.* weights.onnx wav mp3 ~/.local/share/stemlane")


def test_it_runs_where_there_is_no_python_and_no_compiler(bare):
    for tool in ("python3", "python", "gcc", "cc", "make"):
        assert bare.run(f"command -v {tool}", check=False) == ""
    before = bare.files(roots.HOME)
    folder = bare.unpack()
    said = bare.run(f"'{folder}'/install.sh")
    assert said.startswith(f"{roots.HOME}/.vst3/Stemlane.vst3\n")
    shutil.rmtree(bare.home / folder.name)
    report = " ".join(bare.run("~/.local/bin/stemlane doctor --report report.zip").split())  # it is in columns
    assert "problem" not in report
    assert "installed plugin ok:" in report and "separates with live, mix, studio, tracking, tracking-fast" in report
    bare.run("rm report.zip")
    bare.run(f"~/.local/bin/stemlane models list && test -x {PLUGIN}/Contents/x86_64-linux/Stemlane")
    bare.run(f"grep -q '^.SH NAME' ~/.local/share/man/man1/stemlane.1 && {completes('~/.local/share')}")
    separates_files_and_adds_models(bare)
    desktop = bare.run("cat ~/.local/share/applications/stemlane.desktop")
    assert f'Exec="{roots.HOME}/.vst3/Stemlane.vst3/Contents/x86_64-linux/Stemlane"' in desktop
    bare.run(f"{PLUGIN}/Contents/Resources/uninstall.sh")
    assert bare.files(roots.HOME) == before


def test_it_keeps_separating_after_its_source_is_deleted(with_host):
    before = with_host.files(roots.HOME)
    folder = with_host.unpack()
    # From the unpacked folder itself, before anything is installed.
    first = bounce(with_host, f"'{folder}'/Stemlane.vst3")
    with_host.run(f"'{folder}'/install.sh")
    assert bounce(with_host) == first
    shutil.rmtree(with_host.home / folder.name)
    assert bounce(with_host) == first
    with_host.run(f"{PLUGIN}/Contents/Resources/uninstall.sh")
    assert with_host.files(roots.HOME) == before


def test_an_upgrade_does_not_stop_a_session_that_plays(with_host):
    folder = with_host.unpack()
    with_host.run(f"'{folder}'/install.sh")
    marker = with_host.home / ".vst3" / "Stemlane.vst3" / "Contents" / "old"
    marker.touch()
    with with_host.start(f"exec host/bin/python /in_root_session.py {PLUGIN}") as session:

        def play(line="on"):
            session.stdin.write(f"{line}\n")
            session.stdin.flush()
            return session.stdout.readline().strip()

        assert play() == "separated"
        with_host.run(f"'{folder}'/install.sh")
        assert not marker.exists()
        assert [play() for _ in range(3)] == ["separated"] * 3  # with the engine of before
        assert [play("kill"), play(), play()][1:] == ["separated"] * 2  # with one of the new plugin
        bounce(with_host)  # a second session beside it
        session.stdin.close()
        assert session.wait(30) == 0
    with_host.run(f"'{folder}'/uninstall.sh")
    assert not (with_host.home / ".vst3").exists()
    shutil.rmtree(with_host.home / folder.name)


def test_a_damaged_archive_does_not_replace_what_works(with_host):
    folder = with_host.unpack()
    with_host.run(f"'{folder}'/install.sh")
    first = bounce(with_host)
    (damaged,) = (with_host.home / folder.name).glob("Stemlane.vst3/Contents/Resources/python/lib/libpython*")
    damaged.write_bytes(damaged.read_bytes()[:100_000])
    said = with_host.run(f"'{folder}'/install.sh", check=False)
    assert "install.sh: the engine does not run on this system:" in said and "install.sh: " in said
    assert sorted(path.name for path in (with_host.home / ".vst3").iterdir()) == ["Stemlane.vst3"]
    assert bounce(with_host) == first
    with_host.run(f"'{folder}'/uninstall.sh")
    shutil.rmtree(with_host.home / folder.name)


def test_the_archive_and_the_bundle_are_of_the_promised_size():
    assert the("stemlane-*-linux-x86_64.tar.xz").stat().st_size <= 60e6
