; SPDX-License-Identifier: MIT
; Names that are not ours.

bits 32
section .text

extern scenario_done
extern scenario_marked_call
extern scenario_marked_back

global thread_switch
thread_switch:
    call scenario_marked_call
    call scenario_marked_back

global timer_entry
timer_entry:
    jmp scenario_done
