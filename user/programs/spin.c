/* SPDX-License-Identifier: MIT */
/* Never ends by itself: only the timer takes the CPU from it. */
int main(void)
{
    for (;;) {
    }
}
