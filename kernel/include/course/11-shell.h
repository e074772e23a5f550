/* SPDX-License-Identifier: MIT */
/*
 * Contract of stage 11-shell: processes that start, wait for, and end each other.
 * Source: abi/calls.h, abi/process.h and abi/status.h say what ring 3 sees.
 */
#ifndef COURSE_11_SHELL_H
#define COURSE_11_SHELL_H

#include <course/09-programs.h>
#include <syscall.h>

/* struct process's `parent`: a pid, or one of these. */
#define PARENT_KERNEL 0    /* the kernel asks for its status */
#define PARENT_NOBODY (-1) /* nobody does: it is forgotten as soon as it has ended */

/*
 * Task 11.1. The call SYS_SPAWN: arguments[0] is the address of the program's name,
 * arguments[1] that of its words, both C strings that end within SPAWN_BYTES, the NUL
 * included. The new process is a child of the one that calls. Returns its pid; E_FAULT
 * if a byte of a string, up to its NUL, is not ring 3's to read; E_INVAL if there is no
 * NUL in time; otherwise the error of process_start. Context: as every call.
 */
#define SPAWN_BYTES 256
intptr_t sys_spawn(const uintptr_t arguments[SYSCALL_ARGUMENTS]);

/*
 * Task 11.1. The call SYS_WAIT: arguments[0] is the pid of a child, or 0 for any.
 * Waits, while others run, until it has ended, stores its status where arguments[1]
 * says, if that is not 0, forgets the child and returns its pid. E_NOENT if the caller
 * has no such child; E_FAULT if the status cannot be stored there, and then nobody was
 * waited for and no child is forgotten; either, if both hold. Context: as every call.
 */
intptr_t sys_wait(const uintptr_t arguments[SYSCALL_ARGUMENTS]);

/*
 * Task 11.2. Called when a process has ended and its space is gone. Its children have
 * nobody any more who asks for them (PARENT_NOBODY); and whoever has ended and has
 * nobody who asks is forgotten. Context: interrupts off.
 */
void family_exit(void);

/*
 * Task 11.3. The call SYS_KILL: the process with the pid arguments[0] ends with
 * STATUS_KILLED (abi/status.h): at once if it is the caller, otherwise at the next
 * point that it comes to (kill_point). One that sleeps comes to none before that.
 * E_OK; E_NOENT if no process with this pid runs. Context: as every call.
 */
intptr_t sys_kill(const uintptr_t arguments[SYSCALL_ARGUMENTS]);

/*
 * Task 11.3, a point hook (thread.h): if the running thread is that of a process that
 * was killed, it ends here, by user_exit. Many threads are none of a process's, the
 * idle thread for one. Context: interrupts on or off.
 */
void kill_point(void);

/*
 * Task 11.4. The call SYS_PROCESSES: arguments[0] is the address of arguments[1]
 * elements of struct process_info. Fills in one for each process, by ascending pid, as
 * far as there is room, every byte of it; returns how many processes there are. E_FAULT
 * if the elements are not ring 3's to write, and then nothing was. A process that has
 * ended is PROCESS_ENDED, one whose thread is THREAD_BLOCKED is PROCESS_BLOCKED.
 * Context: as every call.
 */
intptr_t sys_processes(const uintptr_t arguments[SYSCALL_ARGUMENTS]);

#endif
