/* SPDX-License-Identifier: MIT */
/*
 * Contract of stage 06-syscalls: ring 3 asks the kernel for something.
 * Source: SDM 3A "Exception- or Interrupt-Handler Procedures" (6.12.1), "Protection of
 * Exception- and Interrupt-Handler Procedures" (6.12.1.2), "Performing Fast Calls to
 * System Procedures with the SYSENTER and SYSEXIT Instructions" (5.8.7), "Fast System
 * Calls in 64-Bit Mode" (5.8.8).
 *
 *                 number and result   arguments 1 to 5         lost besides the result
 *   i386          eax                 ebx ecx edx esi edi      -    (sysenter: ecx edx)
 *   x86_64        rax                 rdi rsi rdx r10 r8       -    (syscall: rcx r11)
 */
#ifndef COURSE_06_SYSCALLS_H
#define COURSE_06_SYSCALLS_H

#include <syscall.h>

#define VEC_SYSCALL 0x80 /* the vector of the gate: hexadecimal */

/*
 * Task 6.1, in NASM. The entry of the gate: never called, but named in it. Keeps every
 * register of ring 3 but the one of the result, loads the kernel's data segments,
 * clears DF, and calls syscall_dispatch with the number and the address of the five
 * arguments. Its result is that of the call. Comes and goes by the gate, on the stack
 * from the TSS.
 */
void syscall_entry(void);

/*
 * Task 6.1. Write the gate VEC_SYSCALL, so that ring 3 may use it and lands in
 * syscall_entry. Changes no other gate. Context: interrupts off.
 */
void syscall_init(void);

/*
 * Task 6.2. Serve the call: the function with this number out of syscall_table gets the
 * arguments, with interrupts on, and its result is the result. number: a whole machine
 * word from ring 3; E_NOSYS unless it is below syscall_count. Context: interrupts off,
 * and off again when it returns; of the flags only IF counts.
 */
intptr_t syscall_dispatch(uintptr_t number,
                          const uintptr_t arguments[SYSCALL_ARGUMENTS]);

/*
 * Task 6.3. May ring 3 read, or with write, write all of these bytes? E_OK if va to
 * va + bytes - 1 lies from USER_BASE to below USER_END and ring 3 may do it on every
 * page (user_page_query); also if bytes is 0. Otherwise E_FAULT. va, bytes: any words.
 * Changes nothing. Context: any.
 */
int user_check(uintptr_t va, size_t bytes, bool write);

/*
 * Task 6.4. The calls of abi/calls.h. A buffer that user_check refuses gives E_FAULT,
 * and then nothing was printed, read or changed, and nobody has waited. Context:
 * interrupts on, on the kernel stack of the thread that calls; they may block and
 * yield.
 *
 * write: every byte to the console; returns bytes. read: waits until something was
 * typed, while other threads run, and stores what is there, 1 to bytes characters;
 * returns how many, and 0 at once if bytes is 0. yield: thread_yield. exit:
 * user_exit(status). thread_id: of the thread that calls. time: tick_count in
 * milliseconds. sleep: blocks until tick_count has grown by the given milliseconds in
 * ticks, rounded up, or by one more, and returns 0; with 0 milliseconds at once. More
 * than 2^31 - 1 of them are not asked for.
 */
intptr_t sys_write(const uintptr_t arguments[SYSCALL_ARGUMENTS]);
intptr_t sys_read(const uintptr_t arguments[SYSCALL_ARGUMENTS]);
intptr_t sys_yield(const uintptr_t arguments[SYSCALL_ARGUMENTS]);
intptr_t sys_exit(const uintptr_t arguments[SYSCALL_ARGUMENTS]);
intptr_t sys_thread_id(const uintptr_t arguments[SYSCALL_ARGUMENTS]);
intptr_t sys_time(const uintptr_t arguments[SYSCALL_ARGUMENTS]);
intptr_t sys_sleep(const uintptr_t arguments[SYSCALL_ARGUMENTS]);

/*
 * Task 6.4. Wake the threads whose sleep is over. Called at each tick, with the number
 * of ticks so far. Context: interrupts off, in the timer's interrupt.
 */
void sleep_tick(uint64_t ticks);

/*
 * Task 6.5 is not part of the kernel: <arch>/stubs.h is compiled into user programs. It
 * holds, as static inline functions, the user's side of int 0x80:
 *
 *   intptr_t syscall0(uintptr_t number);                  to
 *   intptr_t syscall5(uintptr_t number, uintptr_t a, uintptr_t b, uintptr_t c,
 *                     uintptr_t d, uintptr_t e);
 *
 * Every call is made, in order, whatever happens to its result; the kernel may read and
 * write any memory of the program.
 *
 * Task 6.6, a bonus: the same calls without a gate. fast_init maps a page at
 * FAST_CALL_VA, readable for ring 3, that a program calls with its registers as for
 * int 0x80; the code there enters the kernel. Lost are besides the result only the two
 * registers above. Called if the kernel's command line says fast=1, after syscall_init.
 * Context: interrupts off.
 *
 * i386: sysenter keeps neither esp nor eip, so the page leaves esp in ebp, and
 * fast_entry returns to one fixed place in the page. An ebp from which ring 3 could not
 * pop two words makes it return there with E_FAULT, and the call is not made. x86_64:
 * syscall leaves rsp as it is, so fast_entry comes with ring 3's, and may not use it.
 */
void fast_init(void);

/*
 * Task 6.6, in NASM. Where a fast call enters the kernel, with interrupts off. Goes on
 * like syscall_entry, on the stack that the TSS names for the running thread.
 */
void fast_entry(void);

#endif
