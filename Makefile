# SPDX-License-Identifier: MIT
# Every verb of ringlab. The rules behind them lie in one fragment a directory.

A :=#     stage, such as 04-ring3 (none: all of them)
ARCH :=#  architecture (none: all of them)
SRC :=#   folder of the gap files, SRC/<stage>/<path>
PRIOR :=# folder of the earlier stages' gap files (none: SRC)
SEED :=#  64-bit hex number (none: a random one, printed)
OUT :=#   folder for verdicts (none: build/grade)
TIER :=#  sandbox A, B or C, and no other (none: the best that works)
WITH :=#  diff: branch, commit, folder or archive of a student, or a folder of these
TASK :=#  debug: task of a sheet, such as 4.2, where to stop
GDBARGS :=# debug: more arguments for gdb
TOOLCHAIN ?=# gcc or clang (none: the first that works)
V :=#     1 shows commands

FLAGS := $(firstword -$(MAKEFLAGS))
MAKEFLAGS += --no-builtin-rules --no-builtin-variables --no-print-directory
ifeq ($(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc)
endif
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
unexport A ARCH SRC PRIOR SEED OUT TIER WITH TASK GDBARGS V
unexport MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
export TOOLCHAIN
export LC_ALL := C.UTF-8
export PYTHONPYCACHEPREFIX := $(CURDIR)/build/pycache
export PYTHONDONTWRITEBYTECODE :=# without what it writes there, each start takes a second
export HYPOTHESIS_STORAGE_DIRECTORY := $(CURDIR)/build/hypothesis

PYTHON := $(firstword $(wildcard /usr/bin/python3) python3)
Q := $(if $(filter 1,$(V)),,@)
say = $(if $(or $(filter 1,$(V)),$(findstring s,$(FLAGS))),,@printf '  %-5s %s\n' $(1) $(2))

STAGES := $(sort $(patsubst assignments/%/assignment.toml,%,$(wildcard assignments/*/assignment.toml)))
ALL_ARCHES := $(sort $(patsubst kernel/arch/%/flags.mk,%,$(wildcard kernel/arch/*/flags.mk)))
GOALS := $(or $(MAKECMDGOALS),help)
# Verbs of one machine build for its architecture alone.
ARCHES := $(or $(ARCH),$(if $(filter-out iso run debug explain,$(GOALS)),$(ALL_ARCHES),$(firstword $(ALL_ARCHES))))
$(if $(filter-out $(STAGES) $(if $(filter new,$(MAKECMDGOALS)),$(A)),$(A)),$(error A=$(A) is no stage; A is one of: $(STAGES)))
$(if $(filter-out $(ALL_ARCHES),$(ARCH)),$(error ARCH=$(ARCH) is unknown; ARCH is one of: $(ALL_ARCHES)))

# Which sets of tools (ci/tools.txt) the verbs on the command line need.
TOOLS := $(if $(filter-out help clean doctor test-roots,$(GOALS)),grade)
TOOLS += $(if $(and $(filter test lint format,$(GOALS)),$(wildcard grader/staff.mk)),test)
ifneq ($(strip $(TOOLS)),)
include build/tools.mk
endif
build/tools.mk: FORCE
	@ci/setup $(if $(findstring n,$(FLAGS)),--check) --make $@ $(TOOLS)

include kernel/kernel.mk
include user/user.mk
include grader/grader.mk
# main has the staff's part, a published branch the student's.
include $(or $(wildcard grader/staff.mk),grader/desk.mk)

help: ## this list
	@echo 'make VERB [A=stage] [ARCH=$(subst $() ,|,$(ALL_ARCHES))] [SRC=folder] [PRIOR=folder] [SEED=hex] [OUT=folder] [V=1]'
	@sed -n 's/^\([a-z-]*\):.* ## /\1	/p' $(MAKEFILE_LIST) | expand -t 14 | sed 's/^/  /'
	@echo 'stages: $(STAGES)'

doctor: ## are the tools there, and do they do what is known of them
	@$(PYTHON) -m grader.doctor

clean: ## remove build/
	$(Q)rm -rf build

FORCE:
.PHONY: help doctor clean FORCE
