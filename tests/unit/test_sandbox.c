/* Which calls a confined thread may make and which not; the others are as free as before. */
#include "test.h"

#include "confined.h"
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NUMBERS 1024       /* of calls, more than there are */
#define X32     0x40000000 /* in the number: with pointers of 32 bits */

#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED true
#endif
#endif
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define SANITIZED true
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

enum { INPUT, WAKE, TELL, TELL_TOO, OTHER, NONE, FDS };
enum { RECVMMSG, PREAD, LSEEK, READ, WRITE, PINNED };
enum entry { USUAL, OF_X32, OF_I386, ENTRIES };

static const long pinned[PINNED] = {SYS_recvmmsg, SYS_pread64, SYS_lseek, SYS_read, SYS_write};

/* Who may do what with what. */
static const bool may[PINNED][FDS] = {
    [RECVMMSG] = {[INPUT] = true},
    [PREAD] = {[INPUT] = true},
    [LSEEK] = {[INPUT] = true},
    [READ] = {[WAKE] = true},
    [WRITE] = {[TELL] = true, [TELL_TOO] = true},
};

/* The others, which take no descriptor, or any. */
static const long free_calls[] = {
    SYS_ppoll,   SYS_clock_gettime, SYS_restart_syscall, SYS_futex,
    SYS_madvise, SYS_munmap,        SYS_rt_sigprocmask,  SYS_exit,
};
#define FREE (sizeof free_calls / sizeof free_calls[0])

/* And what a sanitizer's runtime may call in any thread. */
static const long runtime_calls[] = {
    SYS_mmap,   SYS_mprotect, SYS_sigaltstack, SYS_rt_sigreturn,    SYS_sched_yield, SYS_getpid,
    SYS_gettid, SYS_prctl,    SYS_nanosleep,   SYS_clock_nanosleep, SYS_exit_group,
};

struct trial {
    int fds[FDS];
    bool none;       /* is entered without any descriptor */
    bool signals;    /* some are still handled */
    int entered;     /* what sandbox_enter() said */
    int map, open;   /* errno of mapping memory for code, of opening a file */
    int free_[FREE]; /* likewise of each of those */
    bool passed[PINNED][FDS];
    bool entry_passed[ENTRIES][NUMBERS];
};

static bool is_free(long number)
{
    bool found = false;
    for (size_t i = 0; i < FREE; i++)
        found |= free_calls[i] == number;
    for (size_t i = 0; SANITIZED && i < sizeof runtime_calls / sizeof runtime_calls[0]; i++)
        found |= runtime_calls[i] == number;
    return found;
}

/* uretprobe() and uprobe(): a kernel lets them through any filter, and ends who is not at a probe of its own. */
static bool is_probe(enum entry entry, long number)
{
#ifdef __x86_64__
    return entry == USUAL && (number == 335 || number == 336);
#else
    return (void)entry, (void)number, false;
#endif
}

static long call_free(long number)
{
    static int word;
    const struct timespec zero = {0};
    struct timespec ts;
    switch (number) {
    case SYS_ppoll:
        return syscall(number, NULL, 0, &zero, NULL, 8);
    case SYS_clock_gettime:
        return syscall(number, CLOCK_MONOTONIC, &ts);
    case SYS_futex:
        return syscall(number, &word, 1, 0, NULL, NULL, 0); /* wakes nobody */
    case SYS_exit:                                          /* which it does at its end */
        return 0;
    case SYS_rt_sigprocmask:
        return syscall(number, SIG_BLOCK, NULL, NULL, 8);
    default:
        return syscall(number, NULL, 0, 0);
    }
}

/* A call with arguments that none makes anything of: it returns that it was refused, or passes. */
static bool passes(enum entry entry, long number)
{
    long ret = -EPERM;
    if (entry == OF_I386) {
#ifdef __x86_64__
        __asm__ volatile("int $0x80"
                         : "=a"(ret)
                         : "a"(number), "b"(-1), "c"(-1), "d"(-1), "S"(-1), "D"(-1)
                         : "r8", "r9", "r10", "r11", "memory", "cc");
        ret = (int)ret;
#endif
    } else {
        ret = syscall(number | (entry == OF_X32 ? X32 : 0), -1, -1, -1, -1, -1, -1);
        ret = ret < 0 ? -errno : 0;
    }
    return ret != -EPERM;
}

/* This kernel has that entry. Else it ends who tries it. */
static bool has_entry(enum entry entry)
{
    int status = 0;
    if (entry == USUAL)
        return true;
#ifndef __x86_64__
    return false;
#endif
    const pid_t child = fork();
    if (child == 0)
        _exit(passes(entry, 20) ? 0 : 1); /* getpid() of the one, writev() of the other */
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status);
}

static void try_entries(struct trial *t, const bool *entries)
{
    for (int e = 0; e < ENTRIES; e++)
        for (long n = 0; entries[e] && n < NUMBERS; n++)
            if (!is_probe((enum entry)e, n) && (e != USUAL || !is_free(n)))
                t->entry_passed[e][n] = passes((enum entry)e, n);
}

static void try_pinned(struct trial *t)
{
    static uint64_t bytes = 1;
    for (int i = 0; i < PINNED; i++)
        for (int k = 0; k < FDS; k++)
            t->passed[i][k] =
                error_of(syscall(pinned[i], t->fds[k], &bytes, i == LSEEK ? SEEK_SET : 8,
                                 i == RECVMMSG ? MSG_DONTWAIT : 0, NULL)) != EPERM;
}

static bool entries[ENTRIES]; /* that there are */

static void *confined(void *arg)
{
    struct trial *t = arg;
    sigset_t blocked;
    const int *f = t->fds;
    const struct sandbox none = {.input = -1, .wake = -1, .tell = {-1, -1}};
    const struct sandbox uses = {
        .input = f[INPUT], .wake = f[WAKE], .tell = {f[TELL], f[TELL_TOO]}};
    t->entered = sandbox_enter(t->none ? &none : &uses);
    if (t->entered < 0)
        return NULL;
    t->map =
        error_of((long)mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    t->open = error_of(open("/dev/null", O_RDONLY | O_CLOEXEC));
    for (size_t i = 0; i < FREE; i++)
        t->free_[i] = error_of(call_free(free_calls[i]));
    pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    t->signals = !sigismember(&blocked, SIGUSR1) || !sigismember(&blocked, SIGSEGV);
    try_pinned(t);
    try_entries(t, entries);
    return NULL;
}

/* A thread that has entered it, and has ended as it may. */
static void try_all(struct trial *t, bool none)
{
    pthread_t thread;
    memset(t, 0, sizeof *t);
    t->none = none;
    for (int i = 0; i < FDS; i++)
        t->fds[i] = i == NONE ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    for (int i = 0; i < ENTRIES; i++)
        entries[i] = has_entry((enum entry)i);
    assert_int_equal(pthread_create(&thread, NULL, confined, t), 0);
    pthread_join(thread, NULL);
    for (int i = 0; i < NONE; i++)
        close(t->fds[i]);
    assert_int_equal(t->entered, 0);
}

static void no_call_but_those(void **state)
{
    (void)state;
    static struct trial t;
    need_sandbox();
    try_all(&t, false);
    assert_int_equal(t.open, EPERM);
    assert_int_equal(t.map, SANITIZED ? 0 : EPERM); /* they map memory of their own in any thread */
    for (size_t i = 0; i < FREE; i++)
        if (t.free_[i] == EPERM)
            fail_msg("call %ld is refused", free_calls[i]);
    for (int e = 0; e < ENTRIES; e++)
        for (int n = 0; n < NUMBERS; n++)
            if (t.entry_passed[e][n])
                fail_msg("call %d of entry %d passes", n, e);
    print_message("tried: usual%s%s\n", entries[OF_X32] ? ", x32" : "",
                  entries[OF_I386] ? ", i386" : "");
    const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC); /* this thread is not */
    assert_true(fd >= 0);
    close(fd);
}

static void no_descriptor_but_its_own(void **state)
{
    (void)state;
    static struct trial t;
    need_sandbox();
    for (int none = 0; none < 2; none++) {
        try_all(&t, none);
        for (int i = 0; i < PINNED; i++)
            for (int k = 0; k < FDS; k++)
                if (t.passed[i][k] != (may[i][k] && !none))
                    fail_msg("call %ld with descriptor %d %s", pinned[i], k,
                             t.passed[i][k] ? "passes" : "is refused");
    }
}

static void no_handler_runs(void **state)
{
    (void)state;
    static struct trial t;
    need_sandbox();
    try_all(&t, false);
    assert_int_equal(t.signals, SANITIZED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_call_but_those),
        cmocka_unit_test(no_descriptor_but_its_own),
        cmocka_unit_test(no_handler_runs),
    };
    return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}
