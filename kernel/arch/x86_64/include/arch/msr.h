/* SPDX-License-Identifier: MIT */
/*
 * The model-specific registers of long mode and of fast system calls: where syscall
 * goes. sysret takes its segments from STAR: bits 63..48, + 8 for the stack, + 16 for
 * code.
 * Source: SDM 3A "Fast System Calls in 64-Bit Mode" (5.8.8), SDM 4 "IA32_EFER".
 */
#ifndef ARCH_MSR_H
#define ARCH_MSR_H

#define MSR_EFER 0xc0000080u
#define EFER_SCE 0x00000001u /* syscall and sysret are on */
#define EFER_LME 0x00000100u /* long mode, once paging is on */
#define EFER_NXE 0x00000800u /* PTE_NX counts */

#define MSR_STAR 0xc0000081u  /* segments: bits 47..32 for syscall, 63..48 for sysret */
#define MSR_LSTAR 0xc0000082u /* where the kernel is entered */
#define MSR_FMASK 0xc0000084u /* bits of RFLAGS that syscall clears */

#endif
