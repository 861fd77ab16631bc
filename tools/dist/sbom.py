# SPDX-License-Identifier: MIT
"""The bill of materials of the bundle, in CycloneDX: Python, its packages, the plugin framework, system libraries."""

import hashlib
import json
import subprocess
import uuid
from pathlib import Path

import licences
from cyclonedx.factory.license import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

# Run in the environment that the bundle was made in: name, version and licence of what it holds.
_PACKAGES = """
import json, importlib.metadata as metadata
from stemlane.plugin.package_copy import required
found = [*required("stemlane"), metadata.distribution("stemlane")]
print(json.dumps([
    (one.name, one.version, one.metadata.get("License-Expression") or one.metadata.get("License") or "") for one in found
]))
"""


def write(bundle: Path, target: Path, *, python: Path, version: str) -> None:
    """Write the bill as JSON, checked against CycloneDX's schema.

    Parameters
    ----------
    python
        The Python of the environment that the bundle was made in.
    """
    bom = Bom(serial_number=uuid.uuid5(uuid.NAMESPACE_URL, f"https://stemlane.org/{version}"))
    bom.metadata.component = root = _component("Stemlane.vst3", version, kind=ComponentType.APPLICATION)
    parts = [_component(name, number, licence=licence, purl="pypi") for name, number, licence in _packages(python)]
    parts += [
        _component(name, number, purl="deb", namespace="debian") for name, number in _system_packages(bundle).items()
    ]
    for model in sorted(bundle.glob("Contents/Resources/python/lib/*/*/stemlane/models/*/*.onnx")):
        parts.append(_model(model, version))
    for part in parts:
        bom.components.add(part)
    bom.register_dependency(root, parts)
    text = JsonV1Dot6(bom).output_as_string(indent=2)
    problem = JsonStrictValidator(JsonV1Dot6.schema_version.fget(JsonV1Dot6(bom))).validate_str(text)
    if problem is not None:
        raise SystemExit(f"the bill of materials does not follow its schema: {problem}")
    target.write_text(text, encoding="utf-8")


def _component(
    name: str, version: str, *, licence: str = "", purl: str = "", namespace: str = "", kind=ComponentType.LIBRARY
) -> Component:
    package = PackageURL(purl, namespace or None, name.lower(), version) if purl else None
    known = [LicenseFactory().make_from_string(licence)] if licence and "\n" not in licence else []
    return Component(
        name=name, version=version, type=kind, licenses=known, purl=package, bom_ref=f"{purl or 'stemlane'}:{name}"
    )


def _model(path: Path, version: str) -> Component:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Component(
        name=f"model {path.parent.name}", version=version, type=ComponentType.MACHINE_LEARNING_MODEL,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)], bom_ref=f"model:{path.parent.name}",
    )  # fmt: skip


def _packages(python: Path) -> list[tuple[str, str, str]]:
    done = subprocess.run([python, "-c", _PACKAGES], check=True, capture_output=True, text=True)
    return [tuple(entry) for entry in json.loads(done.stdout)]


def _system_packages(bundle: Path) -> dict[str, str]:
    """The packages whose libraries are in the bundle, and JUCE and the typeface, which are compiled into the plugin."""
    compiled_in = licences.package_version("juce-modules-source") | licences.package_version("fonts-inter")
    return licences.system_packages(bundle) | compiled_in
