# SPDX-License-Identifier: MIT
"""The checks: one pytest function for each sentence of a task sheet."""
