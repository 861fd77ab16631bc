# SPDX-License-Identifier: MIT
"""The plugin for Windows with its own Python, under Wine; `make test-windows` builds all that is needed."""

import pytest
import wine_tools


@pytest.fixture(scope="session", autouse=True)
def prefix():
    """Wine's prefix; what runs in it ends with the tests."""
    assert wine_tools.BUNDLE.is_dir(), f"{wine_tools.BUNDLE} is missing; run 'make test-windows'"
    wine_tools.set_up()
    yield
    wine_tools.stop()
