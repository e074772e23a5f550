# SPDX-License-Identifier: MIT
"""Makes `pytest grader` grade: the plugin is grader/plugin.py."""

pytest_plugins = ("grader.plugin",)
