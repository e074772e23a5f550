# SPDX-License-Identifier: MIT
"""Reports: what people and platforms see of a verdict."""
