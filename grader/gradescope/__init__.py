# SPDX-License-Identifier: MIT
"""Gradescope: the zip that a teacher uploads, and what runs in its container."""

JOB = "ringlab.json"  # at the top of the zip: what is graded there
