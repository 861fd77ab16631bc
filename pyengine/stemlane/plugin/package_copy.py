# SPDX-License-Identifier: MIT
"""Copies this package and those it needs at run time, without their tests, tools and headers."""

import hashlib
import importlib.metadata
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from stemlane.errors import PluginError
from stemlane.manifests.registry import embedded_folder
from stemlane.package_folder import CORE_LIBRARY, PACKAGE
from stemlane.plugin.places import BUNDLE_NAME

# onnxruntime requires these for its tools, which are left out.
_TOOLS_ONLY = {"onnxruntime": {"coloredlogs", "flatbuffers", "packaging", "protobuf", "sympy"}}
# By package, what of it no import of ours reaches. onnxruntime's shared library, on each system, is for C programs: the
# Python module holds a second copy of everything in it.
_LEFT_OUT = {
    "numpy": (
        "numpy/f2py/", "numpy/distutils/", "numpy/_pyinstaller/", "numpy/_core/include/", "numpy/_core/lib/",
        "numpy/_core/_simd.", "numpy/_core/_multiarray_tests.",  # for NumPy's own tests
    ),
    "onnxruntime": (
        "onnxruntime/transformers/", "onnxruntime/quantization/", "onnxruntime/tools/", "onnxruntime/datasets/",
        "onnxruntime/capi/libonnxruntime.", "onnxruntime/capi/onnxruntime.dll",
    ),
    "onnx": ("onnx/backend/", "onnx/frontend/", "onnx/fuzz/", "onnx/reference/", "onnx/tools/"),
    "protobuf": ("google/protobuf/compiler/", "google/protobuf/testdata/"),
    "pyyaml": ("yaml/_yaml.",),  # libyaml: what is read has a few lines
}  # fmt: skip
_LEFT_OUT_ANYWHERE = re.compile(r"(^|/)(tests|__pycache__)/|\.(pyc|pyi|pxd|pyx|h|cc|proto|a|lib)$|^\.\.|/bin/")
# FFmpeg, 107 MB: files are then read and written by libsndfile.
_NOT_BUNDLED = ("av",)
# Of our extras, the one that goes along if it is installed: it converts weights.
_BUNDLED_EXTRA = "convert"
# What the build adds to the package; a checkout has it elsewhere.
_BUILT = ("core_api.h", "VERSION")
# Of the record of an installation, what says where it was installed from.
_RECORDS = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}


def copy_packages(target: Path, *, packages: Path | None = None, system: str = sys.platform) -> None:
    """Copy `stemlane` with its models, and all it requires, into the folder `target`.

    Parameters
    ----------
    packages
        A folder that `pip install --target` has filled; None for the packages of the Python that runs this.
    system
        What they are for, as `sys.platform` has it.
    """
    _copy_stemlane(target, packages, system)
    for distribution in required("stemlane", packages=packages):
        _copy_distribution(distribution, target)


def required(name: str, *, packages: Path | None = None) -> list[importlib.metadata.Distribution]:
    """The distributions that the one called `name` needs at run time in a bundle, in all; itself not counted.

    Of extras, what converts weights is among them as far as it is installed.

    Raises
    ------
    PluginError
        If one of them is not there, or was not installed by pip, which records its files.
    """
    found: dict[str, importlib.metadata.Distribution] = {}
    waiting = [name]
    while waiting:
        current = waiting.pop()
        for requirement in _distribution(current, packages).requires or []:
            required_name = re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower()
            _, _, marker = requirement.partition(";")
            if "extra" in marker and _BUNDLED_EXTRA not in marker:
                continue
            if required_name in {*found, *_NOT_BUNDLED, *_TOOLS_ONLY.get(current, ())}:
                continue
            if marker and not _is_installed(required_name, packages):  # for another system or version
                continue
            found[required_name] = _distribution(required_name, packages)
            waiting.append(required_name)
    return [found[key] for key in sorted(found)]


def _is_installed(name: str, packages: Path | None) -> bool:
    return _found(name, packages) is not None


def _distribution(name: str, packages: Path | None) -> importlib.metadata.Distribution:
    found = _found(name, packages)
    if found is None and packages is not None:
        raise PluginError(f"{name} is not in {packages}; run 'pip install --target {packages} {name}'")
    if found is None:
        raise PluginError(f"{name} is not installed; run 'pip install {name}'")
    return found


def _found(name: str, packages: Path | None) -> importlib.metadata.Distribution | None:
    folders = sys.path if packages is None else [str(packages)]
    return next(iter(importlib.metadata.Distribution.discover(name=name, path=folders)), None)


def _copy_stemlane(target: Path, packages: Path | None, system: str) -> None:
    source = PACKAGE if packages is None else packages / "stemlane"
    copy = target / "stemlane"
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns(BUNDLE_NAME, "__pycache__", "stemlane-python"))
    if not (copy / "models").is_dir():  # in a checkout it lies elsewhere
        shutil.copytree(embedded_folder(), copy / "models", ignore=shutil.ignore_patterns("training", "*.py"))
    for name in (CORE_LIBRARY[system], *_BUILT):
        if not (copy / name).exists():
            raise PluginError(f"{source / name} is missing; install the stemlane package again")
    _copy_files(_distribution("stemlane", packages), target, lambda path: path.parts[0].endswith(".dist-info"))


def link_same_networks(models: Path) -> None:
    """Keep each network once: models that differ in their manifests alone share theirs, which a wheel cannot."""
    first: dict[bytes, Path] = {}
    for path in sorted(models.glob("*/*.onnx")):
        digest = hashlib.sha256(path.read_bytes()).digest()
        if digest not in first:
            first[digest] = path
            continue
        path.unlink()
        path.symlink_to(Path("..", first[digest].parent.name, first[digest].name))


def _copy_distribution(distribution: importlib.metadata.Distribution, target: Path) -> None:
    left_out = _LEFT_OUT.get(distribution.name.lower(), ())
    _copy_files(distribution, target, lambda path: not str(path).startswith(left_out))


def _copy_files(
    distribution: importlib.metadata.Distribution, target: Path, wanted: Callable[[PurePosixPath], bool]
) -> None:
    if distribution.files is None:
        raise PluginError(f"{distribution.name} was not installed by pip; run 'pip install {distribution.name}'")
    for path in distribution.files:
        relative = PurePosixPath(str(path))
        if _LEFT_OUT_ANYWHERE.search(str(relative)) or relative.name in _RECORDS or not wanted(relative):
            continue
        place = target / relative
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(Path(str(path.locate())), place)
