/* SPDX-License-Identifier: MIT */
/* Nothing is wrong here: every compiler takes it without a word. */
int report(unsigned long long part);
int kept(unsigned long long whole, unsigned long long by);
int local(int of);

int local(int of)
{
    return report((unsigned)of) + 1;
}

int kept(unsigned long long whole, unsigned long long by)
{
    return report(whole / by) + local(2);
}
