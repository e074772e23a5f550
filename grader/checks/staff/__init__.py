# SPDX-License-Identifier: MIT
"""Checks that no student gets: in files named as the published ones of the stage."""
