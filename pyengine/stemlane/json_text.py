# SPDX-License-Identifier: MIT
"""JSON for programs that read it strictly."""

import json
import re
from collections.abc import Callable
from typing import Any

_SURROGATES = re.compile("[\ud800-\udfff]")


def json_text(value: object, *, indent: int | None = None, default: Callable[[Any], Any] | None = None) -> str:
    r"""`value` as JSON in ASCII; bytes of a file's name that are not UTF-8 become U+FFFD, in keys and texts.

    Python keeps such bytes as lone surrogates, which strict readers of JSON refuse. `indent` and `default` are those
    of `json.dumps`.

    >>> json_text({"input": ["caf\udce9.wav", "🎵"]})
    '{"input": ["caf\\ufffd.wav", "\\ud83c\\udfb5"]}'
    """
    text = json.dumps(value, ensure_ascii=False, default=default)
    return json.dumps(json.loads(_SURROGATES.sub("\ufffd", text)), indent=indent)
