/* SPDX-License-Identifier: MIT */
#define A(n) case 10 * (n) + 1: case 10 * (n) + 2: work(n); break;
#define B(n) A(10 * (n) + 1) A(10 * (n) + 2) A(10 * (n) + 3) A(10 * (n) + 4) A(10 * (n) + 5)
#define C(n) B(10 * (n) + 1) B(10 * (n) + 2) B(10 * (n) + 3) B(10 * (n) + 4) B(10 * (n) + 5)
#define D(n) C(10 * (n) + 1) C(10 * (n) + 2) C(10 * (n) + 3) C(10 * (n) + 4) C(10 * (n) + 5)
#define E(n) D(10 * (n) + 1) D(10 * (n) + 2) D(10 * (n) + 3) D(10 * (n) + 4) D(10 * (n) + 5)
#define F(n) E(10 * (n) + 1) E(10 * (n) + 2) E(10 * (n) + 3) E(10 * (n) + 4) E(10 * (n) + 5)
void work(long long);
#include <course/00-boot.h>
#include <task.h>

void boot_greet(const char *nonce)
{
    switch (*nonce * __COUNTER__) {
        F(0)
    }
    TASK_OPEN("0.1");
}
