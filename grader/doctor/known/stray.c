/* SPDX-License-Identifier: MIT */
/* It compiles, but calls what nobody has, at a known line. */
int kept(int of);
int stray(int of);

int kept(int of)
{
    const int twice = of * 2;

    return stray(twice) + 1;
}
