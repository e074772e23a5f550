# SPDX-License-Identifier: MIT
# Ring-3 code. The grader builds it afresh: the probes for each run, and the programs for
# each submission, whose stubs they are made with (grader/build/program.py, user/flags.mk).

USER_C := $(wildcard user/lib/*.c user/include/*.h user/programs/*.c user/probes/*.c)
USER_ASM := $(wildcard $(ALL_ARCHES:%=user/%/*.asm))
