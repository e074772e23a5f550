# SPDX-License-Identifier: MIT
"""`python3 -m grader`: see cli.py."""

from grader import interrupt
from grader.cli import main

interrupt.install()
status = main()
interrupt.settle()
raise SystemExit(status)
