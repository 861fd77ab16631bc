# SPDX-License-Identifier: MIT
"""Feeds the readers of untrusted files with anything, guided by what of their code it reaches (atheris, libFuzzer).

    python tests/fuzz/fuzz_readers.py TARGET BUDGET [FILE …]        # FILE: run these inputs only

BUDGET is a number of inputs, the same ones each time if `build/fuzz` is new, or a time in seconds such as 600s.
The targets are in `reader_targets`. Beside what these check, an input that takes ten seconds or two gigabytes fails.
"""

import sys
from pathlib import Path

import atheris

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

with atheris.instrument_imports(include=["stemlane", "pickletools", "tarfile", "tomllib", "zipfile"]):
    from fuzz.reader_seeds import seeds
    from fuzz.reader_targets import TARGETS

_SECONDS_PER_INPUT = 10
_MEGABYTES = 2048
_LONGEST_INPUT = 1 << 14
# What changes of single bytes would hardly make, as libFuzzer's dictionaries spell it.
_WORDS = {
    "torch_pickle": (
        r"ctorch._utils\x0a_rebuild_tensor_v2\x0a", r"ctorch\x0aFloatStorage\x0a", r"ccollections\x0aOrderedDict\x0a",
        r"cfractions\x0aFraction\x0a", r"cnumpy\x0adtype\x0a", r"\x8a\x08", "tR", "}b", "tQ", ")R", r"h\x00", r"q\x00",
    ),
    "manifest": ("../", r"[[files]]\x0a", "path = ", r"\\u001b", "= nan", "= 9999999999", "[[[[[[[["),
    "plugin_state": ("<!DOCTYPE", "encoding=", "&#27;", "Comp", "List", "VST3"),
    "demucs_package": ("t_layers", "segment", "_type", "fraction", "numerator", "1e999", "999999999", "NaN"),
}  # fmt: skip


def main() -> None:
    name, budget, *files = sys.argv[1:]
    limit = f"-max_total_time={budget[:-1]}" if budget.endswith("s") else f"-runs={budget}"
    # What has been found to be interesting stays there, for the next run to begin with.
    corpus = ROOT / "build" / "fuzz" / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(seeds(name)):
        (corpus / f"seed-{number}").write_bytes(content)
    words = corpus.with_suffix(".words")
    words.write_text("".join(f'"{word}"\n' for word in _WORDS.get(name, (r"\x00",))), encoding="ascii")
    options = [
        limit, f"-timeout={_SECONDS_PER_INPUT}", f"-rss_limit_mb={_MEGABYTES}", "-seed=1",
        f"-max_len={_LONGEST_INPUT}", "-print_final_stats=1", "-verbosity=0", f"-artifact_prefix={corpus}-",
        f"-dict={words}",
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *options, *(files or [str(corpus)])], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
