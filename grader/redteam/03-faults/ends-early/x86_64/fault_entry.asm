; SPDX-License-Identifier: MIT
; Every entry leads to the end.

bits 64
default rel
section .text

extern end_at

global fault_entry_de
global fault_entry_ud
global fault_entry_gp
global fault_entry_pf
fault_entry_de:
fault_entry_ud:
fault_entry_gp:
fault_entry_pf:
    jmp [end_at]
