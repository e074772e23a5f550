/* SPDX-License-Identifier: MIT */
/*
 * Drives stage 00: the demo, but with nothing of the nonce left besides the argument.
 */
#include "common.h"

#include <course/00-boot.h>
#include <init.h>
#include <string.h>

static char nonce[32] = "none";

/* Below the stack pointer lie the arguments of earlier calls; here they end. */
__attribute__((noinline)) static void overwrite_stack(void)
{
    char bytes[1024];

    memset(bytes, 0xa5, sizeof(bytes));
    __asm__ volatile("" : : "r"(bytes) : "memory");
}

static void greet(void)
{
    cmdline_text("nonce", nonce, sizeof(nonce));
    overwrite_stack();
    scenario_call((void (*)(void))boot_greet, (uintptr_t)nonce);
}

SCENARIO("boot-greet", AFTER_ALL_INIT, greet);
