/* SPDX-License-Identifier: MIT */
/* A warning and an error, each at a known line. */
int kept(int of)
{
    missing = of;
    return of;
}
