/* SPDX-License-Identifier: MIT */
/* Comes before each gap file on the host: no function may opt out of the sanitizers. */
#pragma GCC poison no_sanitize __no_sanitize__ no_sanitize_address
#pragma GCC poison __no_sanitize_address__ no_sanitize_undefined
#pragma GCC poison __no_sanitize_undefined__ no_address_safety_analysis
#pragma GCC poison __no_address_safety_analysis__
