# SPDX-License-Identifier: MIT
"""Writes the manifests of converted models."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Description:
    """What the manifests say of the weights; `note` may be empty."""

    name: str
    title: str
    version: str
    licence: str
    origin: str
    training_data: str
    note: str = ""


def manifest_text(
    description: Description, *, kind: str, stems: Sequence[str], residual: str, sample_rate: int,
    allowance_samples: int, settings: Mapping[str, object], tensors: Mapping[str, object], files: Mapping[str, str],
) -> str:  # fmt: skip
    """The text of a manifest.toml: `settings` go into the table [kind], `files` maps paths to their SHA-256."""
    listed = "\n".join(f"[[files]]\n{_lines({'path': path, 'sha256': sha256})}" for path, sha256 in files.items())
    top: dict[str, object] = {
        "format": 1, "name": description.name, "title": description.title, "kind": kind,
        "version": description.version, "stems": list(stems), "residual": residual, "sample_rate": sample_rate,
        "compute_allowance_samples": allowance_samples, "licence": description.licence, "origin": description.origin,
        "training_data": description.training_data,
    }  # fmt: skip
    tables = f"\n[tensors]\n{_lines(tensors)}" if files else ""
    if description.note:
        top["note"] = description.note
    return f"""# SPDX-License-Identifier: MIT
# Written by 'stemlane models {"add" if files else "combine"}'.
{_lines(top)}
[{kind}]
{_lines(settings)}
{listed}{tables}"""


def _lines(values: Mapping[str, object]) -> str:
    # JSON's strings, numbers, lists and truth values are TOML's.
    return "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in values.items())
