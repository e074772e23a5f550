# SPDX-License-Identifier: MIT
# What staff alone does: known submissions, handouts, branches, the project's own tests.

MUTANTS :=# mutants: folder of patches (none: grader/mutants)
REDTEAM :=# redteam: folder of cheats (none: grader/redteam)
ATTACKS :=# attacks: folder of hostile submissions (none: grader/attacks)
VARIANTS :=# variants: folder of right solutions (none: grader/variants)
REMOTE :=# publish: where to (name of a remote, URL, path)
DRY :=#   publish: 1 only says what would change
FRESH :=# publish: 1 publishes every fresh branch, whatever its dates
SINGLE :=# publish: 1 publishes the newest assignment as branch main too
TODAY :=# publish: YYYY-MM-DD (none: today)
CLASS :=# bench: measure only a class of so many submissions
RECORD :=# bench: 1 records what the kernel costs, for later releases
STUDENT :=# report: YYYY-MM-DD, what students may see then, in OUT/student; class: in feedback/
MINUTES :=# gradescope: how long it may run there (none: 10)
TITLE :=# new: title of the stage
N :=#     soak: how often to repeat, idle and again under load (none: 3)
unexport CLASS MUTANTS REDTEAM ATTACKS VARIANTS N REMOTE DRY FRESH SINGLE TODAY TITLE STUDENT RECORD
unexport MINUTES

SUBMISSIONS :=# class: folder of what was handed in, or a CSV file of remotes
JOBS :=#  class: how many at once (none: as many as cores)
CARRY :=# class: own, reference or best (none: reference)
LATE :=#  class: CSV file, student,days
LATE_PENALTY :=# class: percent of the points a begun day (none: 10)
ENGINE :=# class: local or slurm (none: local)
SITE :=#   class: TOML file about your Slurm cluster (none: ci/slurm.toml)
CHECK :=# class: judge this check anew for everybody, and show what changes
ACCEPT :=# class: 1 lets what CHECK shows count
CANVAS :=# class: exported gradebook of Canvas, to be filled in
MOODLE :=# class: downloaded grading worksheet of Moodle, to be filled in
ASSIGNMENT :=# class: head of Canvas's column (none: the only one)
unexport SUBMISSIONS JOBS CARRY LATE LATE_PENALTY ENGINE SITE CHECK ACCEPT
unexport CANVAS MOODLE ASSIGNMENT

diff: ## WITH=branch, folder, archive: students against the handout and the solution
	$(Q)$(GRADER) diff $(CHOICE) $(call option,with,WITH)

handouts: ## strip solutions/ into assignments/
	$(Q)$(GRADER) handouts

new: ## A=12-name TITLE='A few words': the skeleton of a new stage
	$(Q)$(GRADER) new $(call option,stage,A) $(call option,title,TITLE)

KNOWN = $(Q)RINGLAB_CORE=ready $(GRADER) $@ $(CHOICE) $(call option,seed,SEED)
mutants: core ## MUTANTS=folder: does each wrong solution get its verdict
	$(KNOWN) $(call option,folder,MUTANTS)

redteam: core ## REDTEAM=folder: does each cheat gain nothing
	$(KNOWN) $(call option,folder,REDTEAM)

attacks: core ## ATTACKS=folder [TIER=…]: is each attack contained
	$(KNOWN) $(call option,folder,ATTACKS) $(call option,tier,TIER)

variants: core ## VARIANTS=folder: does each right solution get full points
	$(KNOWN) $(call option,folder,VARIANTS)

mutate: core ## what change of one place in the solutions does no check notice
	$(KNOWN)

CLASS_OPTIONS := submissions:SUBMISSIONS jobs:JOBS carry:CARRY late:LATE late-penalty:LATE_PENALTY \
	tier:TIER engine:ENGINE site:SITE check:CHECK seed:SEED out:OUT
RESULTS := student:STUDENT canvas:CANVAS moodle:MOODLE assignment:ASSIGNMENT
options = $(foreach pair,$(1),$(call option,$(firstword $(subst :, ,$(pair))),$(lastword $(subst :, ,$(pair)))))
class: core ## SUBMISSIONS=folder A=stage: grade a whole class; again: go on
	$(Q)RINGLAB_CORE=ready $(GRADER) class $(CHOICE) $(if $(ACCEPT),--accept) \
	  $(call options,$(CLASS_OPTIONS) $(RESULTS))

class-results: ## OUT=folder: overview, marks, feedback, similarity of a class anew
	$(Q)$(GRADER) class-results $(call option,stage,A) $(call options,$(RESULTS)) \
	  $(if $(OUT),$(call quote,$(OUT)))

soak: core ## N=repeats: is the verdict the same each time, idle and under load
	$(Q)RINGLAB_CORE=ready $(GRADER) soak $(CHOICE) $(call option,src,SRC) \
	  $(call option,seed,SEED) $(call option,repeats,N)

bench: core ## RECORD=1: only record instructions; CLASS=300: only a class of so many
	$(Q)RINGLAB_CORE=ready $(GRADER) bench $(if $(RECORD),--record) $(call option,cohort,CLASS)

test: core ## the project's own tests, with the reference graded in full
	$(Q)$(GRADER) handouts --check
	$(Q)RINGLAB_CORE=ready $(GRADER) grade --bonus --out build/test/reference
	$(Q)RINGLAB_CORE=ready $(PYTHON) -m pytest grader/tests -n auto --color=auto

publish: $(if $(DRY),,test) ## REMOTE=… [DRY=1 FRESH=1 SINGLE=1 TODAY=…]: the students' branches
	$(Q)$(GRADER) publish $(call option,arch,ARCH) $(call option,remote,REMOTE) \
	  $(call option,today,TODAY) $(if $(DRY),--dry) $(if $(FRESH),--fresh) $(if $(SINGLE),--single)

gradescope: ## A=stage [ARCH=… MINUTES=…]: the zip that Gradescope takes as autograder
	$(Q)$(GRADER) gradescope $(CHOICE) $(call option,minutes,MINUTES)

# What people edit; stripped gap files follow from solutions/.
C_FILES := $(wildcard $(foreach place,kernel/core kernel/drivers kernel/include \
	kernel/include/abi kernel/include/course kernel/arch/* kernel/arch/*/include/arch \
	grader/scenarios grader/scenarios/* solutions/* solutions/*/*,$(place)/*.c $(place)/*.h) \
	assignments/*/glue*.c assignments/*/*/glue*.c assignments/*/demo*.c) $(USER_C)
ASM_FILES := $(wildcard $(foreach place,kernel/arch/* kernel/arch/*/include \
	grader/scenarios/* solutions/*/* assignments/*/* user/probes/*,$(place)/*.asm $(place)/*.inc)) \
	$(USER_ASM)
SCRIPTS := ci/setup ci/github ci/gitlab ci/gradescope/setup.sh ci/gradescope/run_autograder \
	ci/root.sh ci/test-gradescope ci/test-roots .ci/run kernel/gdb/attach
UNLISTED := $(filter-out %.h $(CORE:%=kernel/%) %/offsets.c $(foreach arch,$(ALL_ARCHES), \
	$(CORE_ARCH:%=kernel/arch/$(arch)/%)), \
	$(wildcard kernel/core/*.* kernel/drivers/*.* kernel/arch/*/*.c kernel/arch/*/*.asm))

test-roots: ## make grade and make test in a fresh Debian root (root only, slow)
	$(Q)ci/test-roots

format: ## lay out all Python and C
	$(Q)black -q --line-length 88 grader kernel/gdb
	$(Q)clang-format -i $(C_FILES)

lint: lint-python lint-shell lint-c ## black, flake8, mypy, shellcheck, clang-format, cppcheck

lint-python:
	$(Q)black -q --check --diff --line-length 88 grader kernel/gdb
	$(Q)$(PYTHON) -m flake8 grader kernel/gdb
	$(Q)mypy --config-file .mypy.ini grader kernel/gdb

lint-shell:
	$(Q)shellcheck $(SCRIPTS)

# $(call without-others,arch,files): the files that a kernel of that architecture may hold.
without-others = $(foreach file,$(2),$(if $(strip $(foreach other, \
	$(filter-out $(1),$(ALL_ARCHES)),$(findstring /$(other)/,$(file)))),,$(file)))

# comparePointers: the two ends of a table that the linker gathers are two objects to C.
lint-c:
	$(if $(UNLISTED),@echo 'kernel/kernel.mk does not list $(UNLISTED)' >&2; exit 1)
	$(Q)clang-format --dry-run -Werror $(C_FILES)
	$(Q)! grep -nE '^.{89,}' $(C_FILES) $(ASM_FILES) $(SCRIPTS)
	$(Q)$(foreach arch,$(ALL_ARCHES),cppcheck --quiet --std=c11 --error-exitcode=1 -j 2 \
	  --enable=warning,performance,portability --inline-suppr --suppress=missingInclude \
	  --suppress=comparePointers \
	  --platform=$(if $(filter i386,$(arch)),unix32,unix64) -Ikernel/include \
	  -Ikernel/arch/$(arch)/include $(filter %.c,$(call without-others,$(arch),$(C_FILES))) &&) true

.PHONY: diff handouts new mutants redteam attacks variants mutate class class-results soak publish gradescope bench test test-roots
.PHONY: format lint lint-python lint-shell lint-c
