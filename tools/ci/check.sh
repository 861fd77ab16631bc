#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What `make test-core test-python` does, where there is no Debian: build, core tests, validator, Python tests.
set -euo pipefail

python -m pip install scikit-build-core pybind11 ninja
python -m pip install --no-build-isolation '.[test]'
build=$(echo build/cp*)
cmake -S . -B "$build" -DSTEMLANE_TESTS=ON
cmake --build "$build" --config Release --target core_tests plugin_tests stemlane-validator
ctest --test-dir "$build" --build-config Release --output-on-failure
"$(find "$build" -name 'stemlane-validator*' -type f -perm -u+x | head -n 1)" "$(stemlane plugin path)"
python -m pytest --ignore=tests/training --ignore=tests/dist --ignore=tests/windows
