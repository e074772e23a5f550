/* SPDX-License-Identifier: MIT */
/* What stands in a gap that is not filled yet. */
#ifndef TASK_H
#define TASK_H

#include <types.h>

/* Say on the console that the task with this id is still open, and halt for good. */
NORETURN void task_open(const char *id);

#define TASK_OPEN(id) task_open(id)

#endif
