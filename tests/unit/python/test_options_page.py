# SPDX-License-Identifier: MIT
"""The page on other separators' options leaves none of theirs out, and names none of ours that is not there."""

import re
from pathlib import Path

import pytest
from stemlane.cli.main import build_parser
from stemlane.cli.parser import actions_of, commands_of
from stemlane.files.names import check_template

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "options.md").read_text(encoding="utf-8")
OPTION = re.compile(r"(?<![\w-])--?[a-z][a-z0-9_-]*")
# As the parsers of these versions have them: spleeter/options.py, demucs/separate.py and pretrained.py,
# audio_separator/utils/cli.py. Help is left out.
THEIRS = {
    "Spleeter": """--inputs -i --adapter -a --output_path -o --offset -s --duration -d --codec -c --bitrate -b
        --filename_format -f --params_filename -p --mwf --verbose""",
    "Demucs": """-s --sig -n --name --repo --list-models -v --verbose -o --out --filename -d --device --shifts --overlap
        --no-split --segment --two-stems --other-method --int24 --float32 --clip-mode --flac --mp3 --mp3-bitrate
        --mp3-preset -j --jobs""",
    "audio-separator": """-v --version -d --debug -e --env_info -l --list_models --log_level --list_filter --list_limit
        --list_format -m --model_filename --extra_models --output_format --output_bitrate --output_dir --model_file_dir
        --download_model_only --invert_spect --normalization --amplification --single_stem --sample_rate --use_soundfile
        --use_autocast --use_native_fp16 --use_torch_compile --use_directml --chunk_duration --ensemble_algorithm
        --ensemble_weights --ensemble_preset --list_presets --custom_output_names --mdx_segment_size --mdx_overlap
        --mdx_batch_size --mdx_hop_length --mdx_enable_denoise --vr_batch_size --vr_window_size --vr_aggression
        --vr_enable_tta --vr_high_end_process --vr_enable_post_process --vr_post_process_threshold --demucs_segment_size
        --demucs_shifts --demucs_overlap --demucs_segments_enabled --mdxc_segment_size
        --mdxc_override_model_segment_size
        --mdxc_overlap --mdxc_batch_size --mdxc_pitch_shift""",
}


def rows(name: str) -> list[tuple[str, str]]:
    section = PAGE.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    lines = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    assert all(len(line) == 2 for line in lines)
    return [(theirs, ours) for theirs, ours in lines[1:]]


@pytest.mark.parametrize("name", THEIRS)
def test_every_option_of_theirs_has_one_row(name):
    named = [option for theirs, _ in rows(name) for option in OPTION.findall(theirs)]
    assert sorted(named) == sorted(THEIRS[name].split())


@pytest.mark.parametrize("name", THEIRS)
def test_every_option_of_ours_is_there(name):
    known = {"--version"}
    for command in (
        commands_of(build_parser())["separate"],
        *commands_of(commands_of(build_parser())["models"]).values(),
    ):
        known |= {option for action in actions_of(command) for option in action.option_strings}
    for theirs, ours in rows(name):
        named = set(OPTION.findall(" ".join(re.findall(r"`([^`]+)`", ours))))
        assert ours.strip(), theirs
        assert named <= known, ours


def test_templates_of_the_others_are_taken():
    for template in (
        "{filename}/{instrument}.{codec}",
        "{track}/{stem}.{ext}",
        "{track}.{trackext}/{stem}.{ext}",
        "{foldername}/{filename}_{instrument}.{codec}",
    ):
        assert check_template(template, 4) == template
