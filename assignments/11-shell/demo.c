/* SPDX-License-Identifier: MIT */
/* The demo: a shell, and whatever is started from it. */
#include <arch/cpu.h>
#include <console.h>
#include <course/11-shell.h>
#include <init.h>
#include <multiboot.h>
#include <panic.h>
#include <string.h>
#include <thread.h>

/* The names of all programs but the shell's, which lists them on demand. */
static const char *other_programs(void)
{
    static char words[MODULE_ARGS_BYTES];
    const struct module *module;
    size_t used = 0;

    for (size_t i = 0; (module = module_at(i)) != NULL; i++) {
        const size_t length = strlen(module->name);

        if (strcmp(module->name, "shell") != 0 && used + length + 2 <= sizeof(words)) {
            memcpy(words + used, module->name, length);
            used += length;
            words[used++] = ' ';
        }
    }
    return words;
}

static int shell;

/* Others may go on, and so this is not left to the idle thread. */
static void note_end(struct thread *thread, intptr_t status)
{
    (void)thread;
    if (shell > 0 && !process_find(shell)->thread) {
        kprintf("the shell ended with status %d\n", (int)status);
        shell = 0;
    }
}

EXIT_HOOK(990, note_end);

static void demo(void)
{
    shell = process_start("shell", other_programs());
    if (shell < 0) {
        panic("the module \"shell\" cannot be started: %d", shell);
    }
    while (shell > 0) {
        cpu_idle();
    }
    cpu_cli();
}

SCENARIO("demo", AFTER_ALL_INIT, demo);
