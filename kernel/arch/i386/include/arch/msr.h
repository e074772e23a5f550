/* SPDX-License-Identifier: MIT */
/*
 * The model-specific registers of fast system calls: where sysenter goes. sysexit takes
 * its segments from the same CS: + 16 for code, + 24 for the stack.
 * Source: SDM 3A "Performing Fast Calls to System Procedures" (5.8.7).
 */
#ifndef ARCH_MSR_H
#define ARCH_MSR_H

#define MSR_SYSENTER_CS 0x174  /* selector of the kernel's code; SS is the next one */
#define MSR_SYSENTER_ESP 0x175 /* esp on entry */
#define MSR_SYSENTER_EIP 0x176 /* where the kernel is entered */

#endif
