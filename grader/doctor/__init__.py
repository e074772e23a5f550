# SPDX-License-Identifier: MIT
"""Is the desk in order: are the tools there, and do they do what is known of them?"""

from grader.doctor.inventory import Tool, examine, older, read_tools

__all__ = ["Tool", "examine", "older", "read_tools"]
