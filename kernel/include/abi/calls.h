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
#define SYS_HEAP 8      /* (bytes): the heap's old end, grown by so many, or an error */

/* (name, words), both C strings: the pid of a new child; blanks separate the words */
#define SYS_SPAWN 9

/* (pid or 0: any, address of an intptr_t status or 0): the pid of a child that ended */
#define SYS_WAIT 10

#define SYS_KILL 11      /* (pid): E_OK, or E_NOENT */
#define SYS_PROCESSES 12 /* (array of struct process_info, count): how many there are */
#define SYS_FRAMES 13    /* (FRAMES_FREE or FRAMES_ALL): so many page frames */
#define FRAMES_FREE 0
#define FRAMES_ALL 1
#define SYS_POLL 14   /* (): the next typed character, 0 to 255, or E_AGAIN */
#define SYS_SCREEN 15 /* (column << 16 | row, character | attribute << 8): E_OK */

#endif
