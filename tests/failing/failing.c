/*
 * scream, of whose own calls the n-th fails: linked by --wrap, so that those of libraries are left
 * alone. What it did is told on a descriptor, as are the descriptors, threads and blocks of memory that
 * are left at the end.
 *
 *   FAILING_AT=N        the first that fails, from 1; 0: none does
 *   FAILING_COUNT=N     how many do, one after the other (1)
 *   FAILING_WHAT=opens  what is counted: calls that set something up; or "runs": those that go on for ever
 *   FAILING_LOG=FD      where to tell
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum kind { OPENS, RUNS };

/* Wraps have no context that could be handed to them. */
static struct {
    unsigned at, count;
    enum kind what;
    int log;
    int files; /* open at the beginning */
    atomic_uint calls;
    atomic_int blocks; /* allocated and not freed */
    _Atomic(const char *) failed;
} failing;

/* Entries of a folder of /proc; its own descriptor is among those of fd. */
static int entries(const char *folder)
{
    int n = 0;
    DIR *d = opendir(folder);
    while (d && readdir(d))
        n++;
    if (d)
        closedir(d);
    return n - 2; /* "." and ".." */
}

static unsigned number(const char *name, unsigned otherwise)
{
    const char *value = getenv(name);
    return value ? (unsigned)strtoul(value, NULL, 10) : otherwise;
}

/* Not by dprintf(), which allocates. */
__attribute__((format(printf, 1, 2))) static void tell(const char *fmt, ...)
{
    char line[160];
    va_list args;
    va_start(args, fmt);
    const int n = vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    if (n < 0 || write(failing.log, line, (size_t)n) < 0)
        return;
}

__attribute__((constructor)) static void begin(void)
{
    const char *what = getenv("FAILING_WHAT");
    failing.at = number("FAILING_AT", 0);
    failing.count = number("FAILING_COUNT", 1);
    failing.what = what && strcmp(what, "runs") == 0 ? RUNS : OPENS;
    failing.log = (int)number("FAILING_LOG", STDERR_FILENO);
    failing.files = entries("/proc/self/fd");
}

/* Besides this one. The kernel lists one that has been joined for a moment longer. */
static int other_threads(void)
{
    int others = entries("/proc/self/task") - 1;
    for (int i = 0; others > 0 && i < 1000; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        others = entries("/proc/self/task") - 1;
    }
    return others;
}

__attribute__((destructor)) static void end(void)
{
    const char *failed = atomic_load(&failing.failed);
    tell("end calls=%u failed=%s files=%d threads=%d blocks=%d\n", atomic_load(&failing.calls),
         failed ? failed : "none", entries("/proc/self/fd") - failing.files, other_threads(),
         atomic_load(&failing.blocks));
}

static bool fails(enum kind kind, const char *name)
{
    if (kind != failing.what)
        return false;
    const unsigned n = atomic_fetch_add(&failing.calls, 1) + 1;
    if (failing.at == 0 || n < failing.at || n - failing.at >= failing.count)
        return false;
    const int err = errno;
    atomic_store(&failing.failed, name);
    tell("fails %s\n", name); /* a confined thread's is refused; end() tells it */
    errno = err;
    return true;
}

/* A call: name, result, parameters, arguments, kind, errno, what it returns then. */
#define WRAP(name, result, parameters, arguments, kind, error, value)                              \
    result __real_##name parameters;                                                               \
    result __wrap_##name parameters;                                                               \
    result __wrap_##name parameters                                                                \
    {                                                                                              \
        if (fails(kind, #name)) {                                                                  \
            errno = error;                                                                         \
            return value;                                                                          \
        }                                                                                          \
        return __real_##name arguments;                                                            \
    }

/* One that hands out memory, or takes it back. */
#define WRAP_TAKE(name, parameters, arguments, nothing)                                            \
    void *__real_##name parameters;                                                                \
    void *__wrap_##name parameters;                                                                \
    void *__wrap_##name parameters                                                                 \
    {                                                                                              \
        if (fails(OPENS, #name)) {                                                                 \
            errno = ENOMEM;                                                                        \
            return nothing;                                                                        \
        }                                                                                          \
        void *memory = __real_##name arguments;                                                    \
        atomic_fetch_add(&failing.blocks, memory != (nothing));                                    \
        return memory;                                                                             \
    }

/* ---- memory and threads ---- */

WRAP_TAKE(malloc, (size_t size), (size), NULL)
WRAP_TAKE(calloc, (size_t n, size_t size), (n, size), NULL)
WRAP_TAKE(aligned_alloc, (size_t alignment, size_t size), (alignment, size), NULL)
WRAP_TAKE(mmap, (void *at, size_t size, int prot, int flags, int fd, off_t from),
          (at, size, prot, flags, fd, from), MAP_FAILED)

void __real_free(void *memory);
void __wrap_free(void *memory);
void __wrap_free(void *memory)
{
    atomic_fetch_sub(&failing.blocks, memory != NULL);
    __real_free(memory);
}

int __real_munmap(void *memory, size_t size);
int __wrap_munmap(void *memory, size_t size);
int __wrap_munmap(void *memory, size_t size)
{
    atomic_fetch_sub(&failing.blocks, 1);
    return __real_munmap(memory, size);
}

WRAP(pthread_create, int,
     (pthread_t * thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg),
     (thread, attr, run, arg), OPENS, EAGAIN, EAGAIN)
WRAP(mlock, int, (const void *memory, size_t size), (memory, size), OPENS, ENOMEM, -1)
WRAP(mlock2, int, (const void *memory, size_t size, unsigned flags), (memory, size, flags), OPENS,
     ENOMEM, -1)
WRAP(madvise, int, (void *memory, size_t size, int advice), (memory, size, advice), OPENS, EINVAL,
     -1)
WRAP(pthread_setschedparam, int, (pthread_t t, int policy, const struct sched_param *p),
     (t, policy, p), OPENS, EPERM, EPERM)

/* ---- descriptors ---- */

int __real_open(const char *path, int flags, mode_t mode);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    const mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    if (fails(OPENS, "open")) {
        errno = EMFILE;
        return -1;
    }
    return __real_open(path, flags, mode);
}

WRAP(socket, int, (int domain, int type, int protocol), (domain, type, protocol), OPENS, EMFILE, -1)
WRAP(eventfd, int, (unsigned value, int flags), (value, flags), OPENS, EMFILE, -1)
WRAP(signalfd, int, (int fd, const sigset_t *set, int flags), (fd, set, flags), OPENS, EMFILE, -1)
WRAP(inotify_init1, int, (int flags), (flags), OPENS, EMFILE, -1)
WRAP(inotify_add_watch, int, (int fd, const char *path, uint32_t mask), (fd, path, mask), OPENS,
     ENOSPC, -1)
WRAP(getifaddrs, int, (struct ifaddrs * *list), (list), OPENS, ENOMEM, -1)

/* ---- what is set and asked of them ---- */

WRAP(bind, int, (int fd, const struct sockaddr *to, socklen_t size), (fd, to, size), OPENS, ENOBUFS,
     -1)
WRAP(setsockopt, int, (int fd, int level, int name, const void *value, socklen_t size),
     (fd, level, name, value, size), OPENS, ENOMEM, -1)
WRAP(getsockopt, int, (int fd, int level, int name, void *value, socklen_t *size),
     (fd, level, name, value, size), OPENS, ENOMEM, -1)
WRAP(fstat, int, (int fd, struct stat *st), (fd, st), OPENS, ENOMEM, -1)
WRAP(stat, int, (const char *path, struct stat *st), (path, st), OPENS, ENOMEM, -1)
WRAP(lstat, int, (const char *path, struct stat *st), (path, st), OPENS, ENOMEM, -1)
WRAP(ftruncate, int, (int fd, off_t size), (fd, size), OPENS, ENOSPC, -1)
WRAP(sigaction, int, (int n, const struct sigaction *set, struct sigaction *old), (n, set, old),
     OPENS, EINVAL, -1)
WRAP(sigprocmask, int, (int how, const sigset_t *set, sigset_t *old), (how, set, old), OPENS,
     EINVAL, -1)

/* As those with a variable number of arguments are called: none of ours has more of them. */
#define WRAP_MORE(name, result, fixed, number)                                                     \
    result __real_##name(fixed what, ...);                                                         \
    result __wrap_##name(fixed what, long a, long b, long c, long d);                              \
    result __wrap_##name(fixed what, long a, long b, long c, long d)                               \
    {                                                                                              \
        if (fails(OPENS, #name)) {                                                                 \
            errno = number;                                                                        \
            return -1;                                                                             \
        }                                                                                          \
        return __real_##name(what, a, b, c, d);                                                    \
    }
WRAP_MORE(prctl, int, int, EINVAL)
WRAP_MORE(syscall, long, long, ENOSYS)
WRAP_MORE(fcntl, int, int, ENOLCK)

/* ---- what goes on for ever ---- */

WRAP(poll, int, (struct pollfd * fds, nfds_t n, int ms), (fds, n, ms), RUNS, ENOMEM, -1)
WRAP(ppoll, int,
     (struct pollfd * fds, nfds_t n, const struct timespec *most, const sigset_t *signals),
     (fds, n, most, signals), RUNS, ENOMEM, -1)
WRAP(pread, ssize_t, (int fd, void *to, size_t n, off_t from), (fd, to, n, from), RUNS, EIO, -1)
WRAP(lseek, off_t, (int fd, off_t to, int whence), (fd, to, whence), RUNS, EIO, -1)
WRAP(pwrite, ssize_t, (int fd, const void *of, size_t n, off_t from), (fd, of, n, from), RUNS,
     ENOSPC, -1)
WRAP(recvmmsg, int, (int fd, struct mmsghdr *m, unsigned n, int flags, const struct timespec *most),
     (fd, m, n, flags, most), RUNS, ENOMEM, -1)
