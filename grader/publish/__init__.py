# SPDX-License-Identifier: MIT
"""The branches that students get, when they come and go, and that they leak nothing."""
