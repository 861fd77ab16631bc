# SPDX-License-Identifier: MIT
"""Made-up parts of a self-contained bundle for another system."""


def write(path, text=""):
    """Write a file and the folders it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def add_package(packages, name, *files, requires=""):
    """A package as pip records it."""
    record = f"{name}-1.0.dist-info"
    write(packages / record / "METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{requires}")
    write(packages / record / "RECORD", "".join(f"{file},,\n" for file in (*files, f"{record}/METADATA")))
    for file in files:
        write(packages / file, "VALUE = 1\n" if file.endswith(".py") else "binary")


def add_stemlane(packages, core_library, *binaries):
    """Our own package with a plugin of these files, and one that it requires."""
    requires = "Requires-Dist: needed>=1\nRequires-Dist: av\nRequires-Dist: other; sys_platform == 'plan9'\n"
    add_package(packages, "stemlane", "stemlane/__init__.py", "stemlane/core_api.h", requires=requires)
    for name in ("VERSION", core_library, "models/live/network.onnx", "models/mix/network.onnx"):
        write(packages / "stemlane" / name, "same")
    for name in binaries:
        write(packages / "stemlane" / "Stemlane.vst3" / "Contents" / name)
    add_package(
        packages, "needed", "needed/__init__.py", "needed/module.pyd", "needed/tests/test_it.py", "needed/x.lib"
    )


def files_below(folder):
    """Names of the files in a folder and its folders."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
