# SPDX-License-Identifier: MIT
"""The verdict: what every report and every platform adapter reads."""
