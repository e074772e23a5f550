# SPDX-License-Identifier: MIT
"""The autograder: build, machine, evidence, checks, verdict, reports."""
