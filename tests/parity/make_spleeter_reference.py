# SPDX-License-Identifier: MIT
"""Runs the original Spleeter on seeded random weights; writes what test_spleeter_parity.py compares with.

In an environment of its own (Python 3.11): pip install spleeter==2.4.2, which brings tensorflow 2.12.1. Then
    python tests/parity/make_spleeter_reference.py
writes tests/parity/spleeter_<case>.npz (parts of the stems, and projections of the whole of them; for one case the
same with the multichannel Wiener filter in spleeter_filtered.npz) and
tests/parity/spleeter_<case>.index (the checkpoint's index as TensorFlow writes it, checksums of all weights in it).
"""

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from support import spleeter_case


def configuration(name: str) -> dict:
    """Spleeter's own configuration of the model, with the case's bins and mask extension."""
    import spleeter.resources

    values = json.loads((Path(spleeter.resources.__file__).parent / f"{name}.json").read_text())
    case = spleeter_case.CASES[name]
    assert tuple(values["instrument_list"]) == case.instruments
    return {**values, "F": case.network_bins, "mask_extension": case.mask_extension}


def write_checkpoint(name: str, config: dict, folder: Path) -> None:
    """Write a checkpoint of seeded weights with TensorFlow, for the variables the original network has."""
    from spleeter.model import EstimatorSpecBuilder, InputProviderFactory

    folder.mkdir(parents=True)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        features = InputProviderFactory.get(config).get_input_dict_placeholders()
        EstimatorSpecBuilder(features, config).outputs  # noqa: B018 - builds the network
        tf.compat.v1.train.get_or_create_global_step()
        session.run(tf.compat.v1.global_variables_initializer())
        for variable in tf.compat.v1.global_variables():
            short = variable.op.name
            if short != "global_step":
                variable.load(spleeter_case.weight(name, short, tuple(variable.shape.as_list())), session)
        saver = tf.compat.v1.train.Saver()
        saver.save(session, str(folder / "model"), write_meta_graph=False)
    (folder / ".probe").write_text("OK")


def main() -> None:
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    from spleeter.separator import Separator

    with tempfile.TemporaryDirectory() as scratch:
        for name in sys.argv[1:] or spleeter_case.CASES:
            folder = Path(scratch) / name
            config = configuration(name)
            write_checkpoint(name, config, folder)
            config_path = Path(scratch) / f"{name}.json"
            config_path.write_text(json.dumps({**config, "model_dir": str(folder)}))
            separator = Separator(str(config_path), multiprocess=False)
            stems = separator.separate(spleeter_case.recording(name).T)
            parts, sums = {}, {}
            for stem, samples in stems.items():
                assert samples.shape == (spleeter_case.NUM_SAMPLES, 2)
                parts[stem] = spleeter_case.kept(samples.T)
                sums[f"{stem}_projections"] = spleeter_case.projections(samples.T)
                print(name, stem, "rms", np.sqrt(np.mean(samples.astype(np.float64) ** 2)))
            np.savez_compressed(HERE / f"spleeter_{name}.npz", **parts, **sums)
            if name == spleeter_case.FILTERED:
                tf.compat.v1.reset_default_graph()
                filtered = Separator(str(config_path), MWF=True, multiprocess=False)
                stems = filtered.separate(spleeter_case.recording(name).T)
                parts = {stem: spleeter_case.kept(samples.T) for stem, samples in stems.items()}
                sums = {f"{stem}_projections": spleeter_case.projections(samples.T) for stem, samples in stems.items()}
                np.savez_compressed(HERE / "spleeter_filtered.npz", **parts, **sums)
            shutil.copy(folder / "model.index", HERE / f"spleeter_{name}.index")
            if "STEMLANE_KEEP" in os.environ:  # the whole checkpoint, to try things with
                shutil.copytree(folder, Path(os.environ["STEMLANE_KEEP"]) / name, dirs_exist_ok=True)


if __name__ == "__main__":
    main()
