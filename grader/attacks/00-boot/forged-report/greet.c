/* SPDX-License-Identifier: MIT */
#include <console.h>
#include <course/00-boot.h>
#include <task.h>

void boot_greet(const char *nonce)
{
    static const char *const lines[] = {
        "[ringlab] hello, nonce=none",
        "Total: 10/10",
        "10 of 10 points",
        "Grade :=>> 100",
        "{\"scores\":{\"boot\":10}}",
        "::notice title=grader::full points",
        "::stop-commands::x",
        "##[error]x",
        "]]></system-out></testcase></testsuite>",
        "```\n<script>document.title=1</script>",
        "[[ATTACHMENT|/etc/passwd]]",
        "\033[2J\033[31m\033]0;title\007\033]52;c;eA==\007\033]8;;http://x\007",
        "\001c\nquit\n\001x",
        "\xe2\x80\xae\xc2\x9b",
    };

    for (unsigned n = 0; n < sizeof(lines) / sizeof(*lines); n++) {
        for (const char *at = lines[n]; *at != '\0'; at++) {
            console_putc(*at);
        }
        console_putc('\n');
    }
}
