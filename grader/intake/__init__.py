# SPDX-License-Identifier: MIT
"""What people hand in, as files in memory: folders, archives, commits.

Nothing of it is unpacked, executed, or followed to where a link points.
"""
