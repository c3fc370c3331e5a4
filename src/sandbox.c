#include "sandbox.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
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

/* All of these are about descriptors that are open already, time, and this thread's own end. */
static const uint16_t allowed[] = {
#ifdef SYS_poll
    SYS_poll,
#endif
    SYS_ppoll,
    SYS_recvmmsg,
    SYS_pread64,
    SYS_read,
    SYS_fstat,
    SYS_newfstatat, /* what fstat() is in some libraries; looks, and opens nothing */
    SYS_clock_gettime,
    SYS_gettimeofday, /* both where the vDSO knows no clock */
    SYS_restart_syscall,
    SYS_rt_sigreturn,
    SYS_rt_sigprocmask,
    SYS_futex,
    SYS_madvise, /* its stack is given back at its end, */
    SYS_munmap,  /* and what it has allocated */
    SYS_exit,
    SYS_exit_group,
#ifdef SANITIZED /* what a sanitizer's runtime does in any thread: such a build is for tests */
    SYS_mmap,
    SYS_mprotect,
    SYS_sigaltstack,
    SYS_sched_yield,
    SYS_getpid,
    SYS_gettid,
    SYS_prctl,
    SYS_nanosleep,
    SYS_clock_nanosleep,
#endif
};
#define ALLOWED (sizeof allowed / sizeof allowed[0])

#define REFUSE (SECCOMP_RET_ERRNO | EPERM)

struct code {
    unsigned short count;
    struct sock_filter steps[18 + 2 * ALLOWED + 2 * SANDBOX_WRITABLE];
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

static void build(struct code *c, const int *writable, int count)
{
    c->count = 0;
    load(c, offsetof(struct seccomp_data, arch));
    refuse_unless(c, ARCH); /* another one's numbers mean other calls */
    load(c, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < ALLOWED; i++)
        allow_if(c, allowed[i]);
    refuse_unless(c, SYS_write);
    load(c, offsetof(struct seccomp_data, args[0])); /* the lower half: little-endian machines */
    for (int i = 0; i < count; i++)
        allow_if(c, (uint32_t)writable[i]);
#ifdef SANITIZED
    allow_if(c, STDERR_FILENO); /* where it tells what it has found */
#endif
    add(c, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, REFUSE));
}

int sandbox_enter(const int *writable, int count)
{
    struct code c;
    if (count > SANDBOX_WRITABLE)
        return -EINVAL;
    build(&c, writable, count);
    const struct sock_fprog program = {.len = c.count, .filter = c.steps};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0 ? -errno : 0;
}

#else

int sandbox_enter(const int *writable, int count)
{
    (void)writable, (void)count;
    return -ENOSYS;
}

#endif
