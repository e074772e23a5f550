# SPDX-License-Identifier: MIT
"""What a run left behind, read by pure functions: trace, tables, pages, screen."""
