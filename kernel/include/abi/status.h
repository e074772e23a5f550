/* SPDX-License-Identifier: MIT */
/* How a program ended: what it gave to exit, or one of these numbers. */
#ifndef ABI_STATUS_H
#define ABI_STATUS_H

#define STATUS_FAULT(vector) (-256 - (int)(vector)) /* by an exception of the CPU */
#define STATUS_KILLED (-1000)                       /* by another process */

#define STATUS_IS_FAULT(status) ((status) <= -256 && (status) > -256 - 32)
#define STATUS_VECTOR(status) (-256 - (status))

#endif
