; SPDX-License-Identifier: MIT
; tss_load is in tss.c.
