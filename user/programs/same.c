/* SPDX-License-Identifier: MIT */
/* Shows what stands at one address, again and again: the same in every process. */
#include <stdio.h>
#include <sys.h>

static volatile unsigned value;

int main(int argc, char *argv[])
{
    (void)argc;
    value = 1111 * thread_id();
    for (int i = 0; i < 3; i++) {
        printf("%s, thread %u: at %p stands %u\n", argv[0], thread_id(), (void *)&value,
               value);
        sleep_ms(20);
        value++;
    }
    return 0;
}
