/* SPDX-License-Identifier: MIT */
/* Threads that bring a TSS each. */
#include <arch/cpu.h>
#include <course/01-gdt.h>
#include <course/02-tss.h>
#include <course/04-ring3.h>
#include <course/05-threads.h>
#include <drivers.h>
#include <memory.h>
#include <string.h>
#include <thread.h>

struct task {
    struct thread thread; /* first: a task is known by its thread */
    struct tss tss;
};

void use_tss_of(struct thread *thread);
void set_stack0(struct tss *tss, uintptr_t top);

static struct task idle;
static struct thread *current;
static struct thread *tail; /* its next one is the first of the queue */
static struct thread *corpse;
static unsigned last_id;

/* Called by thread_switch on the stack of the thread. */
void use_tss_of(struct thread *thread)
{
    struct task *task = (struct task *)thread;
    uint64_t slot[TSS_DESC_SLOTS];

    tss_encode((uintptr_t)&task->tss, sizeof(task->tss) - 1, slot);
    for (unsigned i = 0; i < TSS_DESC_SLOTS; i++) {
        gdt_set(GDT_INDEX_TSS + i, slot[i]);
    }
    tss_load(SEL_TSS);
}

static void append(struct thread *thread)
{
    thread->state = THREAD_READY;
    if (tail == NULL) {
        thread->next = thread;
    } else {
        thread->next = tail->next;
        tail->next = thread;
    }
    tail = thread;
}

static struct thread *take_first(void)
{
    struct thread *head;

    if (tail == NULL) {
        return &idle.thread;
    }
    head = tail->next;
    if (head == tail) {
        tail = NULL;
    } else {
        tail->next = head->next;
    }
    return head;
}

static void after_switch(void)
{
    if (corpse != NULL) {
        kstack_free(corpse->kernel_top);
        kfree((struct task *)corpse);
        corpse = NULL;
    }
}

static void reschedule(void)
{
    struct thread *old = current, *new = take_first();

    new->state = THREAD_RUNNING;
    if (old != new) {
        current = new;
        dispatch(old, new);
        after_switch();
    }
}

static void start(void)
{
    after_switch();
    if (current->user_entry) {
        ring3_enter(current->user_entry, current->user_stack);
    } else {
        cpu_sti();
        current->function(current->argument);
    }
    thread_exit();
}

static struct task *new_task(void)
{
    struct task *task = kzalloc(sizeof(*task));
    uintptr_t *word;

    if (task == NULL) {
        return NULL;
    }
    task->thread.kernel_top = kstack_alloc();
    if (task->thread.kernel_top == 0) {
        kfree(task);
        return NULL;
    }
    set_stack0(&task->tss, task->thread.kernel_top);
    task->tss.iomap_base = sizeof(task->tss);
    word = (uintptr_t *)task->thread.kernel_top - PRESERVED_REGISTERS - 2;
    memset(word, 0, (PRESERVED_REGISTERS + 2) * sizeof(*word));
    word[PRESERVED_REGISTERS] = (uintptr_t)start;
    task->thread.sp = (uintptr_t)word;
    return task;
}

static uintptr_t lock(void)
{
    const uintptr_t flags = cpu_flags();

    cpu_cli();
    return flags & EFLAGS_IF;
}

static void unlock(uintptr_t were_on)
{
    if (were_on) {
        cpu_sti();
    }
}

struct thread *thread_create_kernel(void (*function)(void *argument), void *argument)
{
    const uintptr_t were_on = lock();
    struct task *task = new_task();

    if (task != NULL) {
        task->thread.id = ++last_id;
        task->thread.function = function;
        task->thread.argument = argument;
        append(&task->thread);
    }
    unlock(were_on);
    return &task->thread;
}

struct thread *thread_create_user(uintptr_t entry)
{
    const uintptr_t were_on = lock();
    struct task *task = new_task();

    if (task != NULL) {
        task->thread.user_entry = entry;
        task->thread.user_stack = user_stack_create();
        if (task->thread.user_stack == 0) {
            kstack_free(task->thread.kernel_top);
            kfree(task);
            task = NULL;
        } else {
            task->thread.id = ++last_id;
            append(&task->thread);
        }
    }
    unlock(were_on);
    return &task->thread;
}

void thread_init(void)
{
    current = &idle.thread;
    current->state = THREAD_RUNNING;
}

struct thread *thread_current(void)
{
    return current;
}

void thread_yield(void)
{
    const uintptr_t were_on = lock();

    if (current == &idle.thread) {
        current->state = THREAD_READY;
    } else {
        append(current);
    }
    reschedule();
    unlock(were_on);
}

void thread_block(void)
{
    const uintptr_t were_on = lock();

    current->state = THREAD_BLOCKED;
    reschedule();
    unlock(were_on);
}

void thread_wake(struct thread *thread)
{
    const uintptr_t were_on = lock();

    if (thread->state == THREAD_BLOCKED) {
        append(thread);
    }
    unlock(were_on);
}

void thread_exit(void)
{
    lock();
    current->state = THREAD_ENDED;
    corpse = current;
    reschedule();
    __builtin_unreachable();
}

void timer_interrupt(void)
{
    pic_eoi(0);
    tick_dispatch();
    thread_yield();
}
