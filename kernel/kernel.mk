# SPDX-License-Identifier: MIT
# The shared core: its sources, and how any provided source becomes an object.

include kernel/flags.mk

# Sources under kernel/, the same for every architecture.
CORE :=
CORE += core/main.c#            the order in which the kernel comes up
CORE += core/cmdline.c#         the words key=value of the command line
CORE += core/multiboot.c#       what the boot loader says: memory and modules
CORE += core/console.c#         every character to serial line and screen
CORE += core/printf.c#          formatted output
CORE += core/string.c#          memory and string functions
CORE += core/divide.c#         64-bit division, for 32-bit mode
CORE += core/frame.c#           page frames, from a fixed pool
CORE += core/heap.c#            kmalloc and kfree
CORE += core/kstack.c#          kernel stacks, each above a guard page
CORE += core/fault.c#           the chain that every fault goes through
CORE += core/thread.c#          hooks at each switch and tick, and user stacks
CORE += core/syscall.c#        the table of system calls, and what ring 3 may access
CORE += core/program.c#        flat user programs from modules
CORE += core/panic.c#           panic, and the halt at an open task
CORE += core/symbols.c#         names of functions, and the chain of callers
CORE += drivers/serial.c#       the 16550 UART at COM1
CORE += drivers/vga.c#          the text screen
CORE += drivers/keyboard.c#     the PS/2 keyboard, polled
CORE += drivers/pic.c#          the interrupt controllers
CORE += drivers/pit.c#          the timer

# Sources under kernel/arch/<arch>/; both architectures use the same names.
CORE_ARCH :=
CORE_ARCH += entry.asm#         the Multiboot header and the way to C
CORE_ARCH += gdt.c#             kernel code and data, and free slots
CORE_ARCH += idt.c#             a panic behind every unclaimed vector
CORE_ARCH += vectors.asm#       the entries of those vectors
CORE_ARCH += trap.c#            how a trap frame looks to a person
CORE_ARCH += paging.c#          the kernel's map, and the way to any entry
CORE_ARCH += halt.asm#          the labelled places where a kernel ends

# $(call stamp,file,text): a file that changes only when the text does; what is built with
# the text depends on the file. Done while make reads this, which costs no process.
# GNU make 4.3 keeps the last newline of a file of certain sizes, hence strip.
same = $(and $(findstring |$(1)|,|$(2)|),$(findstring |$(2)|,|$(1)|))
stamp = $(if $(call same,$(strip $(file <$(1))),$(strip $(2))),,$(shell mkdir -p $(dir $(1)))$(file >$(1),$(2)))

# Two runs of make may build at once: an object appears whole, or not at all.
# $(call into,target,command without its output): the command, then the renaming.
into = t=$(1).$$$$; trap 'rm -f "$$t" "$$t.d"' EXIT; $(2) -o "$$t"

objects = $(patsubst %,build/$(1)/obj/%.o,$(2))
headers = $(wildcard kernel/include/*.h kernel/include/abi/*.h kernel/include/course/*.h \
	kernel/arch/$(1)/include/arch/*.h kernel/arch/$(1)/include/*.inc)

define arch-rules
include kernel/arch/$(1)/flags.mk
CFLAGS.$(1) := $$(CFLAGS_ARCH) $$(CFLAGS_COMMON) $$(CFLAGS_$(FAMILY_$(1))) $$(CFLAGS_CORE) \
	-Ikernel/include -Ikernel/arch/$(1)/include
NASMFLAGS.$(1) := $$(NASMFLAGS_ARCH) $$(NASMFLAGS) $$(NASMFLAGS_CORE) --reproducible \
	-Ikernel/arch/$(1)/include/ -Ibuild/$(1)/include/
CC.$(1) := $(CC_$(1))
LD.$(1) := $(LD_$(1)) $$(LDFLAGS_ARCH) -z noexecstack -r
CORE.$(1) := $$(call objects,$(1),$(CORE:%=kernel/%) $(CORE_ARCH:%=kernel/arch/$(1)/%))
HEADERS.$(1) := $$(call headers,$(1))
PARTS.$(1) := build/$(1)/core.o $(STAGES:%=build/$(1)/stage/%.o) $(STAGES:%=build/$(1)/scenario/%.o)

$$(call stamp,build/$(1)/flags/cc,$$(CC.$(1)) $$(CFLAGS.$(1)) $(TOOLS_IDENTITY))
$$(call stamp,build/$(1)/flags/nasm,$$(NASMFLAGS.$(1)) $(TOOLS_IDENTITY))
$$(call stamp,build/$(1)/flags/core,$$(LD.$(1)) $$(CORE.$(1)) $(TOOLS_IDENTITY))
$$(call stamp,build/$(1)/flags/parts,$$(PARTS.$(1)) $$(HEADERS.$(1)))

build/$(1)/obj/%.c.o: %.c build/$(1)/flags/cc
	$$(call say,CC,$$<)
	$$(Q)mkdir -p $$(@D); $$(call into,$$@,$$(CC.$(1)) $$(CFLAGS.$(1)) \
	  '-ffile-prefix-map=$$(CURDIR)=.' -MMD -MP -MT $$@ -MF "$$$$t.d" -c $$<) \
	  && mv "$$$$t.d" $$@.d && mv "$$$$t" $$@

# NASM 2.16.01 forgets the included files in -MD, so the dependencies are a call of their
# own; and it names the source's folder twice in debug information unless it is absolute.
build/$(1)/obj/%.asm.o: %.asm build/$(1)/flags/nasm | build/$(1)/include/offsets.inc
	$$(call say,NASM,$$<)
	$$(Q)mkdir -p $$(@D); $$(call into,$$@,nasm $$(NASMFLAGS.$(1)) '$$(abspath $$<)') \
	  && nasm $$(NASMFLAGS.$(1)) -M -MP -MQ $$@ $$< >"$$$$t.d" \
	  && mv "$$$$t.d" $$@.d && mv "$$$$t" $$@

# An object with nothing in it, for a stage without glue.
build/$(1)/obj/empty.o: build/$(1)/flags/cc
	$$(Q)mkdir -p $$(@D); $$(call into,$$@,$$(CC.$(1)) $$(CFLAGS.$(1)) -g0 -c -x c /dev/null) && mv "$$$$t" $$@

# Constants flow from C to NASM: offsets.c prints lines "->NAME value" into its assembly.
build/$(1)/include/offsets.inc: kernel/arch/$(1)/offsets.c build/$(1)/flags/cc
	$$(call say,GEN,$$@)
	$$(Q)mkdir -p $$(@D) build/$(1)/obj; $$(call into,$$@,$$(CC.$(1)) $$(CFLAGS.$(1)) -g0 \
	  -MMD -MP -MT $$@ -MF "$$$$t.d" -S $$<) && mv "$$$$t.d" build/$(1)/obj/offsets.d \
	  && sed -n -e '1i ; Generated from $$<' -e 's/^[^>]*->\([A-Z0-9_]*\) \$$$$*\(-*[0-9]*\).*/%define \1 \2/p' \
	    "$$$$t" >"$$$$t.inc" && mv "$$$$t.inc" $$@

build/$(1)/core.o: $$(CORE.$(1)) build/$(1)/flags/core
	$$(call say,LD,$$@)
	$$(Q)$$(call into,$$@,$$(LD.$(1)) $$(CORE.$(1))) && mv "$$$$t" $$@

# Written last; images made from these parts are keyed by its content.
build/$(1)/core.stamp: $$(PARTS.$(1)) $$(HEADERS.$(1)) kernel/arch/$(1)/kernel.ld \
		build/$(1)/include/offsets.inc build/$(1)/flags/parts
	$$(Q)t=$$@.$$$$$$$$; sha256sum $$^ | sha256sum | cut -c1-64 >"$$$$t" && mv "$$$$t" $$@

DEPENDENCIES += $$(addsuffix .d,$$(CORE.$(1))) build/$(1)/obj/offsets.d
endef
$(foreach arch,$(if $(strip $(TOOLS)),$(ALL_ARCHES)),$(eval $(call arch-rules,$(arch))))

core: $(ARCHES:%=build/%/core.stamp) ## the parts that every kernel image shares
	@:
.PHONY: core
