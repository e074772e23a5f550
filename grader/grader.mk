# SPDX-License-Identifier: MIT
# The stages' parts of a kernel image, and the verbs that run the grader.

# Provided code of a stage: $(call glue,stage,arch) and $(call scenario,stage,arch).
glue = $(wildcard assignments/$(1)/glue*.c assignments/$(1)/$(2)/glue*.c \
	assignments/$(1)/$(2)/glue*.asm)
scenario = $(wildcard assignments/$(1)/demo*.c assignments/$(1)/$(2)/demo*.c \
	assignments/$(1)/$(2)/demo*.asm \
	$(foreach name,common $(1),$(foreach place,grader/scenarios grader/scenarios/$(2), \
	$(place)/$(name)*.c $(place)/$(name)*.asm)))

# $(call part,target,stamp,arch,sources): the sources of a part linked into one object.
define part
$$(call stamp,$(2),$$(LD.$(3)) $(4) $(TOOLS_IDENTITY))
$(1): $(or $(call objects,$(3),$(4)),build/$(3)/obj/empty.o) $(2)
	$$(call say,LD,$$@)
	$$(Q)mkdir -p $$(@D); $$(call into,$$@,$$(LD.$(3)) $$(filter %.o,$$^)) && mv "$$$$t" $$@
DEPENDENCIES += $(addsuffix .d,$(call objects,$(3),$(4)))
endef
$(foreach arch,$(if $(strip $(TOOLS)),$(ALL_ARCHES)),$(foreach stage,$(STAGES), \
	$(eval $(call part,build/$(arch)/stage/$(stage).o,build/$(arch)/flags/stage-$(stage),$(arch),$(call glue,$(stage),$(arch)))) \
	$(eval $(call part,build/$(arch)/scenario/$(stage).o,build/$(arch)/flags/scenario-$(stage),$(arch),$(call scenario,$(stage),$(arch))))))
-include $(wildcard $(DEPENDENCIES))

GRADER := $(PYTHON) -m grader
quote = '$(subst ','\'',$(1))'
option = $(if $($(2)),--$(1) $(call quote,$($(2))))
CHOICE := $(call option,stage,A) $(call option,arch,ARCH)
FOLDERS := $(call option,src,SRC) $(call option,prior,PRIOR)
RUN := $(CHOICE) $(FOLDERS) $(call option,seed,SEED) $(call option,out,OUT)

grade: core ## what the autograder says of SRC, with the reasons
	$(Q)RINGLAB_CORE=ready $(GRADER) grade $(RUN)

diff: ## WITH=folder or branch: a student against the handout and the solution
	$(Q)$(GRADER) diff $(CHOICE) $(call option,with,WITH)

handouts: ## strip solutions/ into assignments/
	$(Q)$(GRADER) handouts

KNOWN = $(Q)RINGLAB_CORE=ready $(GRADER) $@ $(CHOICE) $(call option,seed,SEED)
mutants: core ## MUTANTS=folder: does each wrong solution get its verdict
	$(KNOWN) $(call option,folder,MUTANTS)

redteam: core ## REDTEAM=folder: does each cheat gain nothing
	$(KNOWN) $(call option,folder,REDTEAM)

variants: core ## VARIANTS=folder: does each right solution get full points
	$(KNOWN) $(call option,folder,VARIANTS)

mutate: core ## what change of one place in the solutions does no check notice
	$(KNOWN)

soak: core ## N=repeats: is the verdict the same each time, idle and under load
	$(Q)RINGLAB_CORE=ready $(GRADER) soak $(CHOICE) $(call option,src,SRC) \
	  $(call option,seed,SEED) $(call option,repeats,N)

bench: core ## measure the grader, as a table and build/bench.json
	$(Q)RINGLAB_CORE=ready $(GRADER) bench

test: core ## the project's own tests, with the reference graded in full
	$(Q)$(GRADER) handouts --check
	$(Q)RINGLAB_CORE=ready $(GRADER) grade --bonus --out build/test/reference
	$(Q)RINGLAB_CORE=ready $(PYTHON) -m pytest grader/tests -n auto --color=auto

# One machine to look at: the last of the chosen stages, on the first architecture.
VIEW_STAGE := $(lastword $(or $(A),$(STAGES)))
VIEW_ARCH := $(firstword $(ARCHES))
VIEW := build/view/$(VIEW_ARCH)/$(VIEW_STAGE)
WINDOW := $(and $(DISPLAY)$(WAYLAND_DISPLAY),$(filter debug run,$(GOALS)),$(filter gtk sdl, \
	$(shell qemu-system-$(VIEW_ARCH) -display help 2>/dev/null)))
MACHINE := qemu-system-$(VIEW_ARCH) -M pc -accel tcg -m 32 -nic none -vga std \
	-no-reboot $(if $(WINDOW),,-display none) -cdrom $(VIEW).iso

iso: core ## an image with the demo of A, for GRUB
	$(Q)mkdir -p $(dir $(VIEW))
	$(Q)RINGLAB_CORE=ready $(GRADER) build --stage $(VIEW_STAGE) --arch $(VIEW_ARCH) $(FOLDERS) \
	  --iso $(VIEW).iso --symbols $(VIEW).elf

run: iso ## boot it and watch: serial here, VGA in a window if there is a display
	$(if $(and $(DISPLAY),$(if $(WINDOW),,no)),@echo 'For a window: ci/setup desk')
	@echo 'To leave: press Ctrl-A, then X.'
	$(Q)$(MACHINE) -serial mon:stdio

debug: iso ## the same, halted, with gdb attached; GDBARGS adds arguments of gdb
	$(Q)kernel/gdb/attach $(VIEW) $(MACHINE) -- $(GDBARGS)

# What people edit; stripped gap files follow from solutions/.
C_FILES := $(wildcard $(foreach place,kernel/core kernel/drivers kernel/include \
	kernel/include/abi kernel/include/course kernel/arch/* kernel/arch/*/include/arch \
	grader/scenarios grader/scenarios/* solutions/* solutions/*/*,$(place)/*.c $(place)/*.h) \
	assignments/*/glue*.c assignments/*/*/glue*.c assignments/*/demo*.c) $(USER_C)
ASM_FILES := $(wildcard $(foreach place,kernel/arch/* kernel/arch/*/include \
	grader/scenarios/* solutions/*/* assignments/*/* user/probes/*,$(place)/*.asm $(place)/*.inc)) \
	$(USER_ASM)
SCRIPTS := ci/setup ci/test-roots .ci/run kernel/gdb/attach
UNLISTED := $(filter-out %.h $(CORE:%=kernel/%) %/offsets.c $(foreach arch,$(ALL_ARCHES), \
	$(CORE_ARCH:%=kernel/arch/$(arch)/%)), \
	$(wildcard kernel/core/*.* kernel/drivers/*.* kernel/arch/*/*.c kernel/arch/*/*.asm))

format: ## lay out all Python and C
	$(Q)black -q --line-length 88 grader kernel/gdb
	$(Q)clang-format -i $(C_FILES)

lint: lint-python lint-shell lint-c ## black, flake8, mypy, shellcheck, clang-format, cppcheck

lint-python:
	$(Q)black -q --check --diff --line-length 88 grader kernel/gdb
	$(Q)$(PYTHON) -m flake8 grader kernel/gdb
	$(Q)mypy --config-file .mypy.ini grader

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

.PHONY: grade diff handouts mutants bench test iso run debug format lint lint-python lint-shell lint-c
