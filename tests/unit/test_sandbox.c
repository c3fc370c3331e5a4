/* What a confined thread may do and what not; the others are as free as before. */
#include "test.h"

#include "clock.h"
#include "ingest.h"
#include "sandbox.h"
#include "sandbox_paths.h"
#include "shm_guest.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
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

static int error_of(long ret)
{
    return ret < 0 ? errno : 0;
}

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

static void *enter(void *arg)
{
    const struct sandbox none = {.input = -1, .wake = -1, .tell = {-1, -1}};
    *(int *)arg = sandbox_enter(&none);
    return NULL;
}

/* There is no such thing here; valgrind knows no seccomp() either. */
static void need_sandbox(void)
{
    pthread_t thread;
    int err = 0;
    assert_int_equal(pthread_create(&thread, NULL, enter, &err), 0);
    pthread_join(thread, NULL);
    if (err == -ENOSYS) {
        print_message("skipped: no sandbox in this build or kernel\n");
        skip();
    }
    assert_int_equal(err, 0);
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

/* ---- the second lock, alone ---- */

#define REFUSED_BY_PORT 4 /* the version of Landlock that knows of them */

struct paths {
    char folder[64], file[80];
    int fd; /* of the file */
    int entered;
    int open, write, make, remove, connect; /* errno of each */
    ssize_t read;
};

static void *without_paths(void *arg)
{
    struct paths *p = arg;
    char byte, path[80];
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(1), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(path, sizeof path, "%s/made", p->folder);
    p->entered = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : sandbox_lose_paths();
    p->open = error_of(open(p->file, O_RDONLY | O_CLOEXEC));
    p->write = error_of(open(p->file, O_WRONLY | O_CLOEXEC));
    p->make = error_of(mkdir(path, 0700));
    p->remove = error_of(unlink(p->file));
    p->connect = error_of(connect(tcp, (const struct sockaddr *)&to, sizeof to));
    p->read = pread(p->fd, &byte, 1, 0);
    close(tcp);
    return NULL;
}

static void no_path_leads_anywhere(void **state)
{
    (void)state;
    struct paths p = {.folder = "/tmp/scream-test-XXXXXX"};
    pthread_t thread;
    assert_non_null(mkdtemp(p.folder));
    snprintf(p.file, sizeof p.file, "%s/file", p.folder);
    p.fd = open(p.file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(p.fd, "x", 1), 1);
    assert_int_equal(pthread_create(&thread, NULL, without_paths, &p), 0);
    pthread_join(thread, NULL);
    close(p.fd);
    const int fd = open(p.file, O_RDONLY | O_CLOEXEC); /* this thread is as free as before */
    close(fd);
    unlink(p.file);
    rmdir(p.folder);
    if (p.entered == -ENOSYS || p.entered == -EOPNOTSUPP) {
        print_message("skipped: this kernel has no Landlock\n");
        skip();
    }
    assert_true(fd >= 0);
    assert_int_equal(p.entered, 0);
    assert_int_equal(p.open, EACCES);
    assert_int_equal(p.write, EACCES);
    assert_int_equal(p.make, EACCES);
    assert_int_equal(p.remove, EACCES);
    assert_int_equal(p.read, 1);
    if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) >= REFUSED_BY_PORT)
        assert_int_equal(p.connect, EACCES);
}

/* ---- the receiver thread ---- */

/* Its first read() tries to open a file; then it waits. */
struct burglar {
    struct receiver base;
    int error; /* -1: not yet */
};

static int burglar_read(struct receiver *r, int wake_fd, struct packet *packets, int max)
{
    struct burglar *b = (struct burglar *)r;
    (void)packets, (void)max;
    if (b->error >= 0) {
        struct pollfd p = {.fd = wake_fd, .events = POLLIN};
        return ppoll(&p, 1, NULL, NULL), 0;
    }
    const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    b->error = fd < 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    return -EIO;
}

static const struct receiver_driver burglar_driver = {.name = "burglar", .read = burglar_read};

/* packets: that came before it was opened */
static int error_of_burglar(bool sandbox, uint64_t packets)
{
    struct receiver_counters counters = {0};
    struct burglar b = {.base = {.driver = &burglar_driver, .counters = &counters, .input_fd = -1},
                        .error = -1};
    count_add(&counters.packets, packets);
    struct stream stream;
    struct notifier notifier;
    struct ingest *ingest;
    assert_int_equal(stream_init(&stream, 0), 0);
    assert_int_equal(notifier_init(&notifier), 0);
    assert_int_equal(ingest_start(&ingest, &b.base, &stream, &notifier, sandbox, packets == 0), 0);
    struct pollfd p = {.fd = notifier.fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, 10000), 1); /* what it says of its end gets through */
    ingest_stop(ingest);
    notifier_finish(&notifier);
    stream_finish(&stream);
    return b.error;
}

static void the_receiver_thread_is_confined(void **state)
{
    (void)state;
    assert_int_equal(error_of_burglar(false, 0), 0);
    need_sandbox();
    assert_int_equal(error_of_burglar(true, 0), EPERM);
    assert_int_equal(error_of_burglar(true, 1000), EPERM); /* opened again */
}

/* ---- real ones, opened again and again ---- */

struct ears {
    struct receiver_counters counters;
    struct receiver *receiver;
    struct stream stream;
    struct notifier notifier;
    struct ingest *ingest;
    int held[16]; /* so that each opening has other descriptors */
    int count;
};

static void ears_open(struct ears *e, const char *name, const struct receiver_config *config)
{
    char why[256] = "";
    const struct receiver_driver *driver = receiver_find(name);
    if (!driver)
        skip();
    e->held[e->count++] = eventfd(0, EFD_CLOEXEC);
    if (driver->open(&e->receiver, config, &e->counters, why, sizeof why) < 0)
        fail_msg("%s", why);
    assert_true(e->receiver->input_fd > e->held[e->count - 1]);
    assert_int_equal(stream_init(&e->stream, 0), 0);
    assert_int_equal(notifier_init(&e->notifier), 0);
    assert_int_equal(
        ingest_start(&e->ingest, e->receiver, &e->stream, &e->notifier, true, e->count == 1), 0);
}

static void ears_close(struct ears *e)
{
    ingest_stop(e->ingest);
    e->receiver->driver->close(e->receiver);
    notifier_finish(&e->notifier);
    stream_finish(&e->stream);
}

static void ears_end(struct ears *e)
{
    while (e->count > 0)
        close(e->held[--e->count]);
}

/* How the kernel confines the receiving thread: 2 is by a filter. */
static int mode_of_thread(void)
{
    char path[300], line[256];
    int mode = -1;
    DIR *d = opendir("/proc/self/task");
    for (const struct dirent *entry; d && (entry = readdir(d));) {
        bool ours = false;
        snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
        FILE *f = fopen(path, "r");
        while (f && fgets(line, sizeof line, f)) {
            ours |= strcmp(line, "Name:\tscream-receiver\n") == 0;
            if (ours && strncmp(line, "Seccomp:", 8) == 0)
                mode = atoi(line + 8);
        }
        if (f)
            fclose(f);
    }
    closedir(d);
    return mode;
}

/* Within that time it says that a format begins, which is when the first packet has come. */
static bool hears(struct ears *e, int ms)
{
    struct pollfd p = {.fd = e->notifier.fd, .events = POLLIN};
    if (poll(&p, 1, ms) == 0)
        return false;
    assert_int_equal(notifier_take(&e->notifier), NOTIFY_FORMAT);
    assert_int_equal(ingest_failure(e->ingest), 0);
    return true;
}

static void the_network_is_heard_after_each_opening(void **state)
{
    (void)state;
    need_sandbox();
    static struct ears e;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof to;
    uint8_t packet[PCM_WIRE_BYTES + SCREAM_PAYLOAD] = {0x01, 16, 2, 3, 0};
    const int from = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(from, (struct sockaddr *)&to, size), 0); /* a port that is free */
    assert_int_equal(getsockname(from, (struct sockaddr *)&to, &size), 0);
    close(from);
    const struct receiver_config config = {.unicast = true, .port = ntohs(to.sin_port)};
    for (unsigned i = 1; i <= 3; i++) {
        ears_open(&e, "udp", &config);
        const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        assert_true(sendto(fd, packet, sizeof packet, 0, (struct sockaddr *)&to, size) > 0);
        assert_true(hears(&e, 10000));
        assert_int_equal(mode_of_thread(), 2);
        close(fd);
        ears_close(&e);
    }
    ears_end(&e);
}

/* Its end is noticed by the thread itself. */
static void shared_memory_is_read_after_each_opening(void **state)
{
    (void)state;
    need_sandbox();
    static struct ears e;
    static struct shm_guest guest = {.offset = 24, .format = {48000, 3, 16, 2}};
    char path[] = "/tmp/scream-test-XXXXXX";
    const int fd = mkostemp(path, O_CLOEXEC);
    const struct receiver_config config = {.file = path};
    assert_true(fd >= 0);
    for (unsigned i = 1; i <= 3; i++) {
        assert_int_equal(ftruncate(fd, 1 << 20), 0);
        assert_true(shm_guest_map(&guest, path, 1 << 20));
        ears_open(&e, "ivshmem", &config);
        shm_guest_start(&guest);
        shm_guest_write(&guest, 1);
        shm_guest_write(&guest, 2);
        for (uint32_t n = 3; !hears(&e, 20); n++) /* the guest's pace */
            shm_guest_write(&guest, n);
        assert_int_equal(mode_of_thread(), 2);
        shm_guest_unmap(&guest);
        guest.map = NULL;
        assert_int_equal(ftruncate(fd, 0), 0);
        for (unsigned events = 0; !(events & NOTIFY_RECEIVER);
             events = notifier_take(&e.notifier)) {
            struct pollfd p = {.fd = e.notifier.fd, .events = POLLIN};
            assert_int_equal(poll(&p, 1, 10000), 1);
        }
        assert_int_equal(ingest_failure(e.ingest), -ESTALE);
        ears_close(&e);
    }
    ears_end(&e);
    close(fd);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_call_but_those),
        cmocka_unit_test(no_descriptor_but_its_own),
        cmocka_unit_test(no_handler_runs),
        cmocka_unit_test(no_path_leads_anywhere),
        cmocka_unit_test(the_receiver_thread_is_confined),
        cmocka_unit_test(the_network_is_heard_after_each_opening),
        cmocka_unit_test(shared_memory_is_read_after_each_opening),
    };
    return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}
