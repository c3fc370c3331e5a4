#include "sandbox.h"

#include "sandbox_paths.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCH AUDIT_ARCH_RISCV64
#endif

#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED
#endif

#if defined(ARCH)

/* These are about descriptors that are open already, time, and this thread's own end. */
static const uint16_t allowed[] = {
    SYS_ppoll,
    SYS_clock_gettime, /* where the vDSO knows no clock */
    SYS_restart_syscall,
    SYS_futex,
    SYS_madvise, /* its stack is given back at its end, */
    SYS_munmap,  /* and what it has allocated */
    SYS_rt_sigprocmask,
    SYS_exit,
#ifdef SANITIZED /* what a sanitizer's runtime does in any thread: such a build is for tests */
    SYS_mmap,
    SYS_mprotect,
    SYS_sigaltstack,
    SYS_rt_sigreturn,
    SYS_sched_yield,
    SYS_getpid,
    SYS_gettid,
    SYS_prctl,
    SYS_nanosleep,
    SYS_clock_nanosleep,
    SYS_exit_group,
#endif
};
#define ALLOWED (sizeof allowed / sizeof allowed[0])

#define REFUSE (SECCOMP_RET_ERRNO | EPERM)

struct code {
    unsigned short count;
    struct sock_filter steps[48 + 2 * ALLOWED];
};

static void add(struct code *c, struct sock_filter step)
{
    c->steps[c->count++] = step;
}

static void load(struct code *c, size_t offset)
{
    add(c, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void allow_if(struct code *c, uint32_t value)
{
    add(c, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1));
    add(c, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
}

static void refuse_unless(struct code *c, uint32_t value)
{
    add(c, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0));
    add(c, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, REFUSE));
}

/* That call, with one of these descriptors as its first argument. */
static void pin(struct code *c, uint32_t number, const int *fds, int count)
{
    const unsigned short at = c->count;
    add(c, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 0));
    load(c, offsetof(struct seccomp_data, args[0])); /* the lower half: little-endian machines */
    for (int i = 0; i < count; i++)
        if (fds[i] >= 0)
            allow_if(c, (uint32_t)fds[i]);
    add(c, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, REFUSE));
    c->steps[at].jf = (uint8_t)(c->count - at - 1);
}

static void build(struct code *c, const struct sandbox *s)
{
    const int tell[] = {
        s->tell[0], s->tell[1],
#ifdef SANITIZED
        STDERR_FILENO, /* where it tells what it has found */
#endif
    };
    c->count = 0;
    load(c, offsetof(struct seccomp_data, arch));
    refuse_unless(c, ARCH); /* another one's numbers mean other calls */
    load(c, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < ALLOWED; i++)
        allow_if(c, allowed[i]);
    pin(c, SYS_recvmmsg, &s->input, 1);
    pin(c, SYS_pread64, &s->input, 1);
    pin(c, SYS_lseek, &s->input, 1);
    pin(c, SYS_read, &s->wake, 1);
    pin(c, SYS_write, tell, sizeof tell / sizeof tell[0]);
    add(c, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, REFUSE));
}

/* What returns from a handler is not on the list. A fault ends the program as ever. */
static void block_signals(void)
{
#ifndef SANITIZED
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
#endif
}

int sandbox_enter(const struct sandbox *s)
{
    struct code c;
    build(&c, s);
    const struct sock_fprog program = {.len = c.count, .filter = c.steps};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    (void)sandbox_lose_paths(); /* a kernel may not have it */
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
        return -errno;
    block_signals();
    return 0;
}

#else

int sandbox_enter(const struct sandbox *s)
{
    (void)s;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
        (void)sandbox_lose_paths();
    return -ENOSYS;
}

#endif
