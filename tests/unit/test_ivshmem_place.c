/* A guest's shared memory that comes late, is made larger, replaced, emptied and removed. */
#include "test.h"

#include "clock.h"
#include "shm_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* What tend() says at the next news of the path, at the time that it asks for, or at `end`. */
static int tend_next(struct shm_rig *s, int64_t end)
{
    struct pollfd fd = {.fd = s->r->watch_fd, .events = POLLIN};
    const int64_t until = s->r->tend_at < end ? s->r->tend_at : end;
    const int64_t wait = until - clock_now();
    poll(&fd, 1, wait > 0 ? (int)(wait / NS_PER_MS) + 1 : 0);
    return s->r->driver->tend(s->r, clock_now());
}

/* Awaits news of the path, and has the receiver see to them: what tend() says. */
static int news(struct shm_rig *s)
{
    const int64_t end = clock_now() + 5 * NS_PER_S;
    int ret = 0;
    do { /* until it rests, which is after any */
        assert_true(clock_now() < end);
        ret = tend_next(s, end);
    } while (ret == 0 && s->r->watch_fd >= 0);
    return ret;
}

/* Sees to it at the times that it asks for, until it is to be opened anew. */
static void await_stale(struct shm_rig *s, int64_t within)
{
    const int64_t end = clock_now() + within;
    int ret = 0;
    while (ret == 0 && clock_now() < end)
        ret = tend_next(s, end);
    assert_int_equal(ret, -ESTALE);
}

static void reopen(struct shm_rig *s)
{
    s->r->driver->close(s->r);
    shm_rig_open(s);
}

/* What it waits for. */
static void expect_named(const struct receiver *r, const char *path, const char *name)
{
    if (!strstr(r->waiting, path) || !strstr(r->waiting, name))
        fail_msg("'%s' does not name %s and %s", r->waiting, path, name);
}

static void expect_waiting(struct shm_rig *s, const char *name)
{
    expect_named(s->r, s->path, name);
    /* nothing is looked at, and a wake-up is heard */
    struct rusage before, after;
    getrusage(RUSAGE_THREAD, &before);
    assert_int_equal(shm_rig_listen(s, NS_PER_S / 5), 0);
    getrusage(RUSAGE_THREAD, &after);
    assert_in_range(after.ru_nvcsw - before.ru_nvcsw, 0, 1);
}

static void waits_for_an_empty_file_to_grow(void **state)
{
    (void)state;
    struct shm_rig s;
    shm_rig_make(&s, 0);
    shm_rig_open(&s);
    expect_waiting(&s, "empty");
    assert_int_equal(ftruncate(s.fd, 24), 0); /* no more than a header */
    assert_int_equal(news(&s), 0);
    expect_waiting(&s, "24 bytes");
    assert_int_equal(ftruncate(s.fd, MIB), 0);
    assert_int_equal(news(&s), -ESTALE);
    reopen(&s);
    assert_string_equal(s.r->waiting, "");
    shm_rig_settle(&s);
    assert_true(shm_guest_map(&s.guest, s.path, MIB));
    s.guest.format = shm_guest_widest;
    shm_guest_start(&s.guest);
    assert_int_equal(s.guest.max_chunks, 8);
    shm_guest_write(&s.guest, 1);
    shm_rig_expect_chunk(&s, 1, true);
    /* Cut into the ring: what lies behind the cut is not there, and nothing faults. */
    shm_guest_copy(&s.guest, 2);
    assert_int_equal(ftruncate(s.fd, 4096), 0);
    assert_int_equal(pwrite(s.fd, &s.guest.index, 2, 4), 2);
    shm_rig_settle(&s);
    assert_true(count_read(&s.counters.bad_size) > 0);
    assert_int_equal(ftruncate(s.fd, MIB), 0); /* grown back */
    shm_rig_settle(&s);
    shm_guest_write(&s.guest, 3);
    shm_rig_expect_chunk(&s, 3, true);
    shm_rig_finish(&s);
}

/* The file's folder is not there either, and neither is the folder's own. */
static void waits_for_a_folder(void **state)
{
    (void)state;
    struct shm_rig s;
    shm_rig_make(&s, 0);
    unlink(s.path);
    char folder[sizeof s.path], file[sizeof s.path + 8];
    strcpy(folder, s.path);
    snprintf(file, sizeof file, "%s/a/b", folder);
    strcpy(s.path, file);
    shm_rig_open(&s);
    expect_waiting(&s, "yet");
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(news(&s), 0);
    snprintf(file, sizeof file, "%s/a", folder);
    assert_int_equal(mkdir(file, 0700), 0);
    assert_int_equal(news(&s), 0);
    const int fd = open(s.path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(news(&s), 0);
    expect_waiting(&s, "empty");
    assert_int_equal(ftruncate(fd, MIB), 0);
    assert_int_equal(news(&s), -ESTALE);
    close(fd);
    unlink(s.path);
    shm_rig_finish(&s);
    rmdir(file);
    rmdir(folder);
}

/* However the path is spelt; and somebody else makes files beside it as fast as he can. */
static void waits_among_busy_neighbours(void **state)
{
    (void)state;
    struct shm_rig s;
    unsigned wakings = 0;
    int64_t now = clock_now();
    shm_rig_make(&s, MIB);
    char other[sizeof s.path + 8], path[sizeof s.path], *slash = strrchr(s.path, '/');
    strcpy(path, s.path);
    snprintf(other, sizeof other, "%s-other", path);
    const int n = (int)(slash - s.path);
    snprintf(s.path, sizeof s.path, "/.%.*s/./%s", n, path, path + n);
    assert_int_equal(rename(path, other), 0);
    shm_rig_open(&s);
    expect_waiting(&s, "yet");
    for (int i = 0; i < 1000; i++, now += NS_PER_MS) {
        const int fd = open(path, O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        close(fd);
        assert_int_equal(unlink(path), 0);
        struct pollfd p = {.fd = s.r->watch_fd, .events = POLLIN};
        if (poll(&p, 1, 0) > 0 || now >= s.r->tend_at) {
            wakings++;
            assert_int_equal(s.r->driver->tend(s.r, now), 0);
        }
    }
    assert_in_range(wakings, 20, 26); /* the first is for what was before */
    assert_int_equal(rename(other, path), 0);
    await_stale(&s, 2 * NS_PER_S);
    reopen(&s);
    assert_string_equal(s.r->waiting, "");
    unlink(path);
    shm_rig_finish(&s);
}

static void notices_another_file(void **state)
{
    (void)state;
    struct shm_rig s;
    shm_rig_make(&s, 2 * MIB);
    shm_guest_start(&s.guest);
    shm_rig_open(&s);
    shm_rig_settle(&s);
    assert_int_equal(unlink(s.path), 0);
    /* Whoever has it mapped may still be writing. */
    assert_int_equal(news(&s), 0);
    shm_guest_write(&s.guest, 1);
    shm_rig_expect_chunk(&s, 1, true);
    const int fd = open(s.path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(news(&s), 0);
    assert_true(s.r->tend_at != RECEIVER_UNTENDED);
    await_stale(&s, 2 * NS_PER_S);
    close(fd);
    shm_rig_finish(&s);

    shm_rig_make(&s, 2 * MIB);
    shm_guest_start(&s.guest);
    shm_rig_open(&s);
    shm_rig_settle(&s);
    assert_int_equal(ftruncate(s.fd, 0), 0);
    assert_int_equal(news(&s), -ESTALE);
    assert_int_equal(shm_rig_listen(&s, 2 * NS_PER_S), -ESTALE); /* as the reader sees for itself */
    shm_rig_finish(&s);
}

/* It is read while somebody else has it open for writing, who may play into it again. */
static void lets_a_file_without_a_name_go(void **state)
{
    (void)state;
    struct shm_rig s;
    shm_rig_make(&s, 2 * MIB);
    shm_guest_start(&s.guest);
    shm_rig_open(&s);
    shm_rig_settle(&s);
    assert_int_equal(unlink(s.path), 0);
    const int64_t end = clock_now() + NS_PER_S;
    while (clock_now() < end) {
        struct pollfd none = {.fd = -1};
        poll(&none, 1, 50); /* is the time in which it is kept */
        assert_int_equal(s.r->driver->tend(s.r, clock_now()), 0);
    }
    shm_guest_unmap(&s.guest);
    s.guest.map = NULL;
    close(s.fd);
    s.fd = -1;
    await_stale(&s, 2 * NS_PER_S);
    reopen(&s);
    expect_waiting(&s, "yet");
    shm_rig_finish(&s);
}

/* For want of a descriptor just now, of which no news will come: it is looked for again. */
static void what_passes_by_itself_is_tried_again(void **state)
{
    (void)state;
    struct shm_rig s;
    struct rlimit files;
    shm_rig_make(&s, MIB);
    const int next = dup(s.fd);
    close(next);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    /* of the next two, which is one for the news and one for the file */
    const struct rlimit one = {.rlim_cur = (rlim_t)next + 1, .rlim_max = files.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &one), 0);
    shm_rig_open(&s);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
    assert_true(s.r->watch_fd >= 0);
    expect_waiting(&s, "Too many open files");
    await_stale(&s, 2 * NS_PER_S);
    reopen(&s);
    assert_string_equal(s.r->waiting, "");
    shm_rig_finish(&s);
}

static void waits_for(const char *path, const char *name)
{
    struct receiver_counters counters = {0};
    struct receiver *r = NULL;
    char why[256] = "";
    const struct receiver_config config = {.file = path};
    assert_int_equal(receiver_find("ivshmem")->open(&r, &config, &counters, why, sizeof why), 0);
    expect_named(r, path, name);
    r->driver->close(r);
}

static void explains_what_is_wrong(void **state)
{
    (void)state;
    waits_for("/dev/shm/there-is-no-such-file", "yet");
    waits_for("/dev/shm", "directory");
    waits_for("/dev/zero", "device");
    char path[] = "/tmp/scream-test-XXXXXX";
    assert_non_null(mkdtemp(path));
    char fifo[64];
    snprintf(fifo, sizeof fifo, "%s/fifo", path);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    waits_for(fifo, "pipe"); /* without waiting for a writer */
    unlink(fifo);
    rmdir(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_for_an_empty_file_to_grow),
        cmocka_unit_test(waits_for_a_folder),
        cmocka_unit_test(waits_among_busy_neighbours),
        cmocka_unit_test(notices_another_file),
        cmocka_unit_test(lets_a_file_without_a_name_go),
        cmocka_unit_test(what_passes_by_itself_is_tried_again),
        cmocka_unit_test(explains_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
