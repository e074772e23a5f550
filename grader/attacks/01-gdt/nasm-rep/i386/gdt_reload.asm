; SPDX-License-Identifier: MIT
%include "offsets.inc"
%include "task.inc"

bits 32
section .text

global gdt_reload
gdt_reload:
    TASK_OPEN "1.4"
%rep 60000
%rep 60000
%assign number 1
%endrep
%endrep
