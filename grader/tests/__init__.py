# SPDX-License-Identifier: MIT
"""The grader's own tests."""
