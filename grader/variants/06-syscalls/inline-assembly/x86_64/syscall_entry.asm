; SPDX-License-Identifier: MIT
; Nothing: the entry is in fast.c.
