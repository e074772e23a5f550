# SPDX-License-Identifier: MIT
"""A new stage, small and whole: the templates *.in, and how they are laid out."""
