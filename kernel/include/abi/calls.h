/* SPDX-License-Identifier: MIT */
/*
 * The numbers of the system calls. Kernel and user programs are built apart from each
 * other; the headers in abi/ are all that they share.
 */
#ifndef ABI_CALLS_H
#define ABI_CALLS_H

#define SYS_WRITE 1     /* (address, bytes): bytes written to the console */
#define SYS_READ 2      /* (address, bytes): bytes read from the console, at least 1 */
#define SYS_YIELD 3     /* (): 0, after the other threads had their turn */
#define SYS_EXIT 4      /* (status): does not return */
#define SYS_THREAD_ID 5 /* (): the number of the calling thread */
#define SYS_TIME 6      /* (): milliseconds since the timer was started */
#define SYS_SLEEP 7     /* (milliseconds): 0, after at least that time */

#endif
