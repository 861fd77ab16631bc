# SPDX-License-Identifier: MIT
"""Makes `python -m stemlane` the same as the command `stemlane`."""

import sys

from stemlane.cli.main import main

sys.exit(main())
