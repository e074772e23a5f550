; SPDX-License-Identifier: MIT
; gdt_reload is in user_segments.c.
