# SPDX-License-Identifier: MIT
# Ring-3 code. The probes are assembled by the grader, afresh for each run.
