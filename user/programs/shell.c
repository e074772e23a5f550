/* SPDX-License-Identifier: MIT */
/* Starts programs by their names, waits for them, and says how they ended. */
#include <abi/status.h>
#include <ctype.h>
#include <edit.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys.h>

#define PROMPT "$ "
#define LINE_BYTES 78 /* a line of the screen, behind the prompt */
#define PROCESSES_MOST 64
#define FRAME_KIB 4

/* The processes at some moment. */
static struct process_info list[PROCESSES_MOST];
static size_t listed;

static void look(void)
{
    const intptr_t count = processes(list, PROCESSES_MOST);

    listed = count < 0 ? 0 : (count < PROCESSES_MOST ? (size_t)count : PROCESSES_MOST);
}

static const char *name_of(int pid)
{
    for (size_t i = 0; i < listed; i++) {
        if (list[i].pid == pid) {
            return list[i].name;
        }
    }
    return "process";
}

/* The manual's name of an exception; empty if it has none. */
static const char *mnemonic(int vector)
{
    static const char *const names[] = {"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD",
                                        "#NM", "#DF", "",    "#TS", "#NP", "#SS", "#GP",
                                        "#PF", "",    "#MF", "#AC", "#MC", "#XM"};

    return vector < (int)(sizeof(names) / sizeof(names[0])) ? names[vector] : "";
}

static void tell(const char *name, intptr_t status)
{
    if (status == STATUS_KILLED) {
        printf("%s: killed\n", name);
    } else if (STATUS_IS_FAULT(status)) {
        const int vector = (int)STATUS_VECTOR(status);

        printf("%s: stopped by %s (exception %d)\n", name, mnemonic(vector), vector);
    } else {
        printf("%s: ended with status %ld\n", name, (long)status);
    }
}

/* Wait for the child with this pid, and say how it ended; false if there is none. */
static bool wait_for(int pid)
{
    intptr_t status = 0;

    look(); /* when it was waited for, it is forgotten, with its name */
    pid = wait(pid, &status);
    if (pid < 0) {
        return false;
    }
    printf("[%d] ", pid);
    tell(name_of(pid), status);
    return true;
}

/* Children that ended in the background meanwhile. */
static void tell_of_ended(void)
{
    look();
    for (size_t i = 0; i < listed; i++) {
        intptr_t status;

        if (list[i].state == PROCESS_ENDED && wait(list[i].pid, &status) >= 0) {
            printf("[%d] ", (int)list[i].pid);
            tell(list[i].name, status);
        }
    }
}

static void start(const char *name, const char *words, bool in_background)
{
    const int pid = spawn(name, words);
    intptr_t status;

    if (pid == E_NOENT) {
        printf("%s: there is no such program; help lists what there is\n", name);
    } else if (pid < 0) {
        printf("%s: %s\n", name, strerror(pid));
    } else if (in_background) {
        printf("[%d] %s\n", pid, name);
    } else if (wait(pid, &status) == pid) {
        tell(name, status);
    }
}

static char **programs; /* what help lists: the words that the shell was started with */

static void help(const char *words);

static void echo(const char *words)
{
    puts(words);
}

static void ps(const char *words)
{
    static const char *const states[] = {"ready", "waits", "ended"};

    (void)words;
    look();
    puts("  PID  PARENT  STATE  NAME");
    for (size_t i = 0; i < listed; i++) {
        const struct process_info *p = &list[i];

        printf("%5d  %6d  %-5s  %s\n", (int)p->pid, (int)p->parent,
               p->state >= 0 && p->state <= PROCESS_ENDED ? states[p->state] : "?",
               p->name);
    }
}

static void show_free(const char *words)
{
    const long free_frames = frames_free(), all = frames_all();

    (void)words;
    printf("%ld of %ld page frames are free: %ld KiB of %ld KiB\n", free_frames, all,
           free_frames * FRAME_KIB, all * FRAME_KIB);
}

/* The pid that a builtin is given; -1, and a word about it, if it is none. */
static int read_pid(const char *words)
{
    char *end;
    const long pid = strtol(words, &end, 10);

    if (*words == '\0') {
        puts("which process? ps lists them");
        return -1;
    }
    if (!isdigit(*words) || *end != '\0' || pid > INT_MAX) {
        printf("%s: this is no process number; ps lists them\n", words);
        return -1;
    }
    return (int)pid;
}

static void kill_process(const char *words)
{
    const int pid = read_pid(words);

    if (pid >= 0 && kill(pid) != E_OK) {
        printf("%d: there is no such process\n", pid);
    }
}

/* One after the other, by pid: so Ctrl-C ends the one whose turn it is. */
static void wait_for_all(void)
{
    bool found = true;

    while (found) {
        found = false;
        look();
        for (size_t i = 0; i < listed && !found; i++) {
            found = wait_for(list[i].pid);
        }
    }
}

static void wait_for_children(const char *words)
{
    if (*words == '\0') {
        wait_for_all();
    } else {
        const int pid = read_pid(words);

        if (pid >= 0 && (pid == 0 || !wait_for(pid))) {
            printf("%d: there is no such child of this shell\n", pid);
        }
    }
}

static void leave(const char *words)
{
    exit(atoi(words));
}

static const struct builtin {
    const char *name;
    const char *words;
    const char *what;
    void (*fn)(const char *words);
} builtins[] = {
    {"help", "", "says this", help},
    {"ps", "", "lists the processes", ps},
    {"free", "", "says how much memory is left", show_free},
    {"kill", "PID", "ends a process", kill_process},
    {"wait", "[PID]", "waits for a child, or for all", wait_for_children},
    {"echo", "WORDS", "says them", echo},
    {"exit", "[STATUS]", "ends the shell", leave},
};
#define BUILTINS (sizeof(builtins) / sizeof(builtins[0]))

static void help(const char *words)
{
    (void)words;
    for (const struct builtin *b = builtins; b < builtins + BUILTINS; b++) {
        printf("  %-5s %-9s %s\n", b->name, b->words, b->what);
    }
    puts("Any other word starts the program of that name, with the words behind it;\n"
         "with & at the end the shell does not wait for it. Ctrl-C ends the one that\n"
         "it waits for. Up and down recall lines.");
    if (*programs) {
        printf("Programs:");
        for (char **name = programs; *name; name++) {
            printf(" %s", *name);
        }
        puts("");
    }
}

/* Cut blanks off both ends. */
static char *trim(char *text)
{
    size_t length;

    text += strspn(text, " ");
    length = strlen(text);
    while (length > 0 && text[length - 1] == ' ') {
        text[--length] = '\0';
    }
    return text;
}

static void obey(char *line)
{
    char *name = trim(line);
    const size_t length = strlen(name);
    const bool in_background = length > 0 && name[length - 1] == '&';
    char *words;

    if (in_background) {
        name[length - 1] = '\0';
        name = trim(name);
    }
    if (*name == '\0') {
        return;
    }
    words = name + strcspn(name, " ");
    if (*words != '\0') {
        *words++ = '\0';
        words = trim(words);
    }
    for (const struct builtin *b = builtins; b < builtins + BUILTINS; b++) {
        if (strcmp(b->name, name) == 0) {
            b->fn(words);
            return;
        }
    }
    start(name, words, in_background);
}

/* argv: the names of the programs that there are, for help. */
int main(int argc, char *argv[])
{
    static struct history history;
    char line[LINE_BYTES];

    programs = argv + (argc > 0 ? 1 : 0);
    for (;;) {
        tell_of_ended();
        printf(PROMPT);
        if (edit_line(line, sizeof(line), &history) < 0) {
            puts("exit ends the shell");
            continue;
        }
        obey(line);
    }
}
