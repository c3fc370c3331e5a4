/* What a confined thread may do and what not; the others are as free as before. */
#include "test.h"

#include "clock.h"
#include "ingest.h"
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CALLS 16

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

struct trial {
    int event, other;
    int map;            /* errno of mapping memory for code */
    int entered;        /* what sandbox_enter() said */
    int refused[CALLS]; /* errno of what must fail, 0 when it did not */
    int granted[CALLS]; /* likewise of what must not */
};

static int error_of(long ret)
{
    return ret < 0 ? errno : 0;
}

static void *confined(void *arg)
{
    struct trial *t = arg;
    struct stat st;
    struct timespec ts;
    struct pollfd p = {.fd = t->event, .events = POLLIN};
    uint64_t one = 1;
    t->entered = sandbox_enter(&t->event, 1);
    if (t->entered < 0)
        return NULL;
    int *r = t->refused, *g = t->granted;
    *r++ = error_of(open("/dev/null", O_RDONLY | O_CLOEXEC));
    *r++ = error_of(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    *r++ = error_of(write(t->other, &one, sizeof one));
    *r++ = error_of(syscall(SYS_writev, t->event, NULL, 0));
    *r++ = error_of(syscall(SYS_execve, "/bin/true", NULL, NULL));
    *r++ = error_of(syscall(SYS_clone, 0, NULL, NULL, NULL, NULL));
    t->map =
        error_of((long)mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    *r++ = error_of(syscall(SYS_kill, getpid(), 0));
    *r++ = error_of(syscall(SYS_unlinkat, AT_FDCWD, "/nothing/here", 0));
    *g++ = error_of(write(t->event, &one, sizeof one));
    *g++ = error_of(poll(&p, 1, 0));
    *g++ = error_of(read(t->event, &one, sizeof one));
    *g++ = error_of(fstat(t->event, &st));
    *g++ = error_of(clock_gettime(CLOCK_MONOTONIC, &ts));
    *g++ = error_of(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts));
    return NULL;
}

static void a_confined_thread_can_only_read(void **state)
{
    (void)state;
    struct trial t = {.event = eventfd(0, EFD_CLOEXEC), .other = eventfd(0, EFD_CLOEXEC)};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, confined, &t), 0);
    pthread_join(thread, NULL); /* and it may end */
    if (t.entered == -ENOSYS) {
        print_message("skipped: no sandbox in this build or kernel\n");
        skip();
    }
    assert_int_equal(t.entered, 0);
    for (int i = 0; i < 8; i++)
        assert_int_equal(t.refused[i], EPERM);
    assert_int_equal(t.map, SANITIZED ? 0 : EPERM); /* they map memory of their own in any thread */
    for (int i = 0; i < CALLS; i++)
        assert_int_equal(t.granted[i], 0);
    const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC); /* this thread is not */
    assert_true(fd >= 0);
    close(fd);
    close(t.event);
    close(t.other);
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
        return poll(&p, 1, -1), 0;
    }
    const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    b->error = fd < 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    return -EIO;
}

static const struct receiver_driver burglar_driver = {.name = "burglar", .read = burglar_read};

static int error_of_burglar(bool sandbox)
{
    struct receiver_counters counters = {0};
    struct burglar b = {.base = {.driver = &burglar_driver, .counters = &counters}, .error = -1};
    struct stream stream;
    struct notifier notifier;
    struct ingest *ingest;
    assert_int_equal(stream_init(&stream, 0), 0);
    assert_int_equal(notifier_init(&notifier), 0);
    assert_int_equal(ingest_start(&ingest, &b.base, &stream, &notifier, sandbox, true), 0);
    struct pollfd p = {.fd = notifier.fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, 10000), 1); /* what it says of its end gets through */
    ingest_stop(ingest);
    notifier_finish(&notifier);
    stream_finish(&stream);
    return b.error;
}

static void *enter(void *arg)
{
    *(int *)arg = sandbox_enter(NULL, 0);
    return NULL;
}

/* False: there is no such thing here; valgrind knows no seccomp() either. */
static bool can_be_confined(void)
{
    pthread_t thread;
    int err = 0;
    assert_int_equal(pthread_create(&thread, NULL, enter, &err), 0);
    pthread_join(thread, NULL);
    return err != -ENOSYS;
}

static void the_receiver_thread_is_confined(void **state)
{
    (void)state;
    assert_int_equal(error_of_burglar(false), 0);
    if (!can_be_confined()) {
        print_message("skipped: no sandbox in this build or kernel\n");
        skip();
    }
    assert_int_equal(error_of_burglar(true), EPERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_confined_thread_can_only_read),
        cmocka_unit_test(the_receiver_thread_is_confined),
    };
    return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}
