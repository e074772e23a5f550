# SPDX-License-Identifier: MIT
"""Submissions whose verdict is known: wrong, cheating and right ones."""
