# SPDX-License-Identifier: MIT
# What a student's desk has, and main has not.

TO :=#    advance: the stage to go on to (none: the next one)
COURSE :=# advance: remote of the course (none: upstream)
unexport TO COURSE

test: core ## is my desk in order: the tools, the kernel, the grader
	$(Q)$(PYTHON) -m grader.doctor
	$(Q)RINGLAB_CORE=ready $(GRADER) grade $(CHOICE) --out build/desk || test $$? -eq 1
	@echo 'The desk is in order; what is still open stands above.'

advance: ## TO=stage [COURSE=remote]: fetch the next assignment and merge it
	$(Q)$(GRADER) advance $(call option,to,TO) $(call option,course,COURSE)

.PHONY: test advance
