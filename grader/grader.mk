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
RUN := $(CHOICE) $(FOLDERS) $(call option,seed,SEED) $(call option,out,OUT) \
	$(call option,tier,TIER)

grade: core ## what the autograder says of SRC, with the reasons
	$(Q)RINGLAB_CORE=ready $(GRADER) grade $(RUN)

report: ## the reports of the run in OUT anew: HTML, Markdown, JUnit
	$(Q)$(GRADER) report $(call quote,$(or $(OUT),build/grade)) $(call option,student,STUDENT)

# One machine to look at: the last of the chosen stages, on the first architecture.
TASK_ORDER := $(firstword $(subst ., ,$(TASK)))
TASK_STAGE := $(filter $(TASK_ORDER)-% 0$(TASK_ORDER)-%,$(STAGES))
$(if $(and $(TASK),$(if $(TASK_STAGE),,no)),$(error TASK=$(TASK) is no task; write 4.2, say))
VIEW_STAGE := $(lastword $(or $(A),$(TASK_STAGE),$(STAGES)))
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
	$(Q)$(MACHINE) -serial mon:stdio -d cpu_reset -D $(VIEW).resets
	@! grep -qsx 'Triple fault' $(VIEW).resets || \
	  echo $(call quote,The machine reset: that was a triple fault. What led to it says: make explain $(MAKEOVERRIDES))

# The debug information names gap files as they lie in SRC.
SOURCES := $(or $(SRC),$(firstword $(wildcard solutions) assignments)) $(PRIOR)
debug: iso ## TASK=4.2: the same, halted, with gdb; TASK breaks there, GDBARGS adds arguments
	$(Q)kernel/gdb/attach $(VIEW) $(MACHINE) -- $(foreach folder,$(SOURCES), \
	  -ex $(call quote,directory $(folder))) \
	  -ex $(call quote,$(if $(TASK),task $(TASK),tbreak kernel_main)) $(GDBARGS)

explain: core ## run the demo of A without a window, and explain its last fault
	$(Q)RINGLAB_CORE=ready $(GRADER) explain --stage $(VIEW_STAGE) --arch $(VIEW_ARCH) $(FOLDERS)

editor: ## build/compile_commands.json, from which clangd knows each file's flags
	$(Q)$(GRADER) editor $(call option,arch,ARCH)

.PHONY: grade report iso run debug explain editor
