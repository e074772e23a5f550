#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Run once by Gradescope, as root, when it makes the image from the zip of
# `make gradescope`: tools, the provided part of the kernel, and a trial with the
# reference, which must have full points here too.
set -euo pipefail
cd /autograder/source

# Students' code is compiled and booted by other users than root.
chmod -R go= solutions
ci/setup grade
make -s core
RINGLAB_CORE=ready /usr/bin/python3 -m grader.gradescope --prepare
