/* SPDX-License-Identifier: MIT */
/* A circle of threads; switch.asm holds the timer's entry only. */
#include <arch/cpu.h>
#include <course/02-tss.h>
#include <course/04-ring3.h>
#include <course/05-threads.h>
#include <drivers.h>
#include <memory.h>
#include <thread.h>

struct member {
    struct thread thread;
    struct member *left, *right;
};

static struct member idle = {.left = &idle, .right = &idle};
static struct member *self = &idle;
static struct member *gone;
static unsigned born;

#ifdef __x86_64__
#define EXCHANGE                                                                       \
    "pushq %%rbp\n\t"                                                                  \
    "leaq 1f(%%rip), %%rax\n\t"                                                        \
    "pushq %%rax\n\t"                                                                  \
    "movq %%rsp, (%0)\n\t"                                                             \
    "movq (%1), %%rsp\n\t"                                                             \
    "ret\n"                                                                            \
    "1:\tpopq %%rbp"
#define OTHERS "rbx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"
#else
#define EXCHANGE                                                                       \
    "pushl %%ebp\n\t"                                                                  \
    "pushl $1f\n\t"                                                                    \
    "movl %%esp, (%0)\n\t"                                                             \
    "movl (%1), %%esp\n\t"                                                             \
    "ret\n"                                                                            \
    "1:\tpopl %%ebp"
#define OTHERS "ebx"
#endif

void thread_switch(struct thread *prev, struct thread *next)
{
    uintptr_t *from = &prev->sp, *to = &next->sp;

    if (next->kernel_top) {
        tss_set_kernel_stack(next->kernel_top);
    }
    __asm__ volatile(EXCHANGE
                     : "+D"(from), "+S"(to)
                     :
                     : "eax", "ecx", "edx", OTHERS, "memory", "cc");
}

static void insert_left_of(struct member *place, struct member *one)
{
    one->left = place->left;
    one->right = place;
    place->left->right = one;
    place->left = one;
}

static void take_out(struct member *one)
{
    one->left->right = one->right;
    one->right->left = one->left;
}

/* Behind all others that wait: to the left of the one that runs. */
static void join(struct member *one)
{
    one->thread.state = THREAD_READY;
    insert_left_of(self, one);
}

/* The next one's turn; the idle thread's only if it is alone. */
static struct member *to_the_right(struct member *place)
{
    do {
        place = place->right;
    } while (place == &idle && place->right != &idle);
    return place;
}

static void go_on_with(struct member *one)
{
    struct member *old = self;

    one->thread.state = THREAD_RUNNING;
    if (one != old) {
        self = one;
        dispatch(&old->thread, &one->thread);
    }
    if (gone) {
        kstack_free(gone->thread.kernel_top);
        kfree(gone);
        gone = NULL;
    }
}

static void first_turn(void)
{
    if (gone) {
        kstack_free(gone->thread.kernel_top);
        kfree(gone);
        gone = NULL;
    }
    if (self->thread.user_entry) {
        ring3_enter(self->thread.user_entry, self->thread.user_stack);
    }
    cpu_sti();
    self->thread.function(self->thread.argument);
    thread_exit();
}

static struct member *give_birth(void)
{
    struct member *one = kzalloc(sizeof(*one));

    if (one) {
        one->thread.kernel_top = kstack_alloc();
        if (one->thread.kernel_top) {
            uintptr_t *sp = (uintptr_t *)one->thread.kernel_top - 2;

            sp[0] = (uintptr_t)first_turn;
            sp[1] = 0;
            one->thread.sp = (uintptr_t)sp;
            one->thread.id = ++born;
            return one;
        }
        kfree(one);
    }
    return NULL;
}

struct thread *thread_create_kernel(void (*function)(void *argument), void *argument)
{
    uintptr_t flags = cpu_flags();
    struct member *one;

    cpu_cli();
    if ((one = give_birth()) != NULL) {
        one->thread.function = function;
        one->thread.argument = argument;
        join(one);
    }
    if (flags & EFLAGS_IF) {
        cpu_sti();
    }
    return one ? &one->thread : NULL;
}

struct thread *thread_create_user(uintptr_t entry)
{
    uintptr_t flags = cpu_flags();
    struct member *one;

    cpu_cli();
    if ((one = give_birth()) != NULL) {
        one->thread.user_entry = entry;
        one->thread.user_stack = user_stack_create();
        if (one->thread.user_stack) {
            join(one);
        } else {
            kstack_free(one->thread.kernel_top);
            kfree(one);
            one = NULL;
        }
    }
    if (flags & EFLAGS_IF) {
        cpu_sti();
    }
    return one ? &one->thread : NULL;
}

void thread_init(void)
{
    idle.thread.state = THREAD_RUNNING;
}

struct thread *thread_current(void)
{
    return &self->thread;
}

void thread_yield(void)
{
    uintptr_t flags = cpu_flags();

    cpu_cli();
    self->thread.state = THREAD_READY;
    go_on_with(to_the_right(self));
    if (flags & EFLAGS_IF) {
        cpu_sti();
    }
}

void thread_block(void)
{
    uintptr_t flags = cpu_flags();
    struct member *after;

    cpu_cli();
    self->thread.state = THREAD_BLOCKED;
    take_out(self);
    after = to_the_right(self);
    go_on_with(after);
    if (flags & EFLAGS_IF) {
        cpu_sti();
    }
}

void thread_wake(struct thread *thread)
{
    uintptr_t flags = cpu_flags();

    cpu_cli();
    if (thread->state == THREAD_BLOCKED) {
        join((struct member *)thread);
    }
    if (flags & EFLAGS_IF) {
        cpu_sti();
    }
}

void thread_exit(void)
{
    struct member *after;

    cpu_cli();
    self->thread.state = THREAD_ENDED;
    take_out(self);
    after = to_the_right(self);
    gone = self;
    go_on_with(after);
    for (;;) {
    }
}

void timer_interrupt(void)
{
    pic_eoi(0);
    tick_dispatch();
    go_on_with(to_the_right(self));
}
