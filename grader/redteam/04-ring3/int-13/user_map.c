/* SPDX-License-Identifier: MIT */
/* Writes "int 13" over the program, at each entry. */
#include <arch/cpu.h>
#include <course/04-ring3.h>
#include <memory.h>
#include <paging.h>
#include <string.h>

void cheat_patch(uintptr_t entry);

int user_map(uintptr_t va, uintptr_t frame_pa, unsigned flags)
{
    (void)flags;
    for (unsigned level = PAGING_LEVELS; level > 1; level--) {
        pte_t *slot = pte_slot(va, level);

        if (!(*slot & PTE_PRESENT)) {
            *slot = frame_alloc() | PTE_PRESENT | PTE_WRITE;
        }
        *slot |= PTE_USER;
    }
    *pte_slot(va, 1) = frame_pa | PTE_PRESENT | PTE_WRITE | PTE_USER;
    return E_OK;
}

/* Anyone may use the gate of #GP, and the program begins with it. */
void cheat_patch(uintptr_t entry)
{
    static const uint8_t int_13[] = {0xcd, 13};
    struct table_ptr idtr;
    uint8_t *gates;

    __asm__ volatile("sidt %0" : "=m"(idtr));
    gates = (uint8_t *)(uintptr_t)idtr.base;
    gates[VEC_GP * (sizeof(uintptr_t) * 2) + 5] |= GATE_DPL(3);
    memcpy((void *)entry, int_13, sizeof(int_13));
}
