; SPDX-License-Identifier: MIT
; The entries stand in double_fault.c.
