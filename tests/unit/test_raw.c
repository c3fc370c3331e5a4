#include "test.h"

#include "clock.h"
#include "fed.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

extern const struct output_driver raw_driver;
static const struct pcm_format stereo = {.rate = 48000, .width = 16, .channels = 2, .mask = 3};

/* ---- standard output, borrowed ---- */

static int borrow_stdout(void **state)
{
    static int saved; /* cmocka's own way to hand something to a teardown */
    fflush(stdout);
    saved = dup(STDOUT_FILENO);
    *state = &saved;
    return saved < 0;
}

static int return_stdout(void **state)
{
    const int saved = *(int *)*state;
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    return 0;
}

static void stdout_is(int fd)
{
    assert_true(dup2(fd, STDOUT_FILENO) >= 0);
    close(fd);
}

static int pipe_stdout(void)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    stdout_is(ends[1]);
    return ends[0];
}

/* Bytes that match the source from `from` on, until `bytes` are read, the end, or ms without any. */
static uint64_t match(int fd, uint64_t from, uint64_t bytes, int ms)
{
    uint8_t got[8192];
    struct pollfd p = {.fd = fd, .events = POLLIN};
    uint64_t at = from;
    while (at - from < bytes && poll(&p, 1, ms) > 0) {
        const ssize_t n = read(fd, got, sizeof got);
        if (n <= 0)
            break;
        for (ssize_t i = 0; i < n; i++)
            assert_int_equal(got[i], fed_byte(at + (uint64_t)i));
        at += (uint64_t)n;
    }
    return at - from;
}

/* ---- tests ---- */

static void every_format_passes_unaltered(void **state)
{
    (void)state;
    const int reader = pipe_stdout();
    const uint32_t rates[] = {44100, 48000, 88200, 96000, 176400, 192000};
    for (size_t r = 0; r < 6; r++)
        for (uint8_t width = 16; width <= 32; width = (uint8_t)(width + 8))
            for (uint8_t channels = 1; channels <= 8; channels++) {
                const struct pcm_format format = {
                    .rate = rates[r], .width = width, .channels = channels};
                const uint32_t bytes = pcm_frame_bytes(&format) * 1234;
                struct fed f;
                assert_int_equal(fed_open(&f, &raw_driver, &format, NULL), 0);
                assert_int_equal(raw_driver.start(f.out), 0);
                assert_true(fed_send(&f, bytes));
                assert_int_equal(match(reader, 0, bytes, 5000), bytes);
                raw_driver.stop(f.out);
                assert_int_equal(match(reader, bytes, 1, 0), 0);
                fed_close(&f);
            }
    close(reader);
}

static void a_sleeping_feeder_wakes_for_each_packet(void **state)
{
    (void)state;
    const int reader = pipe_stdout();
    struct fed f;
    assert_int_equal(fed_open(&f, &raw_driver, &stereo, NULL), 0);
    assert_int_equal(raw_driver.start(f.out), 0);
    for (uint64_t at = 0; at < 500 * 1152; at += 1152) {
        assert_true(fed_send(&f, 1152));
        assert_int_equal(match(reader, at, 1152, 5000), 1152);
    }
    raw_driver.stop(f.out);
    fed_close(&f);
    close(reader);
}

static void stop_interrupts_a_blocked_write(int reader)
{
    struct fed f;
    assert_int_equal(fed_open(&f, &raw_driver, &stereo, NULL), 0);
    assert_int_equal(raw_driver.start(f.out), 0);
    fed_send(&f, 1152 * 1800); /* more than any pipe or socket takes */
    struct pollfd room = {.fd = STDOUT_FILENO, .events = POLLOUT};
    while (poll(&room, 1, 0) > 0)
        sched_yield();
    const int64_t before = clock_now();
    raw_driver.stop(f.out);
    assert_true(clock_now() - before < 550 * NS_PER_MS);
    assert_int_equal(atomic_load(&f.out->failure), 0);
    assert_true(match(reader, 0, UINT64_MAX, 0) > 4096);
    fed_close(&f);
    close(reader);
}

static void stop_interrupts_a_blocked_pipe(void **state)
{
    (void)state;
    stop_interrupts_a_blocked_write(pipe_stdout());
}

static void stop_interrupts_a_blocked_socket(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    stdout_is(ends[1]);
    stop_interrupts_a_blocked_write(ends[0]);
}

static void *read_all(void *fd)
{
    return (void *)(uintptr_t)match(*(int *)fd, 0, 1152 * 1500, 2000);
}

static void what_has_come_is_written_before_stop_returns(void **state)
{
    (void)state;
    int reader = pipe_stdout();
    struct fed f;
    pthread_t thread;
    void *matched;
    assert_int_equal(fed_open(&f, &raw_driver, &stereo, NULL), 0);
    assert_int_equal(raw_driver.start(f.out), 0);
    assert_true(fed_send(&f, 1152 * 1500));
    assert_int_equal(pthread_create(&thread, NULL, read_all, &reader), 0);
    raw_driver.stop(f.out);
    assert_int_equal(stream_ready(&f.stream), 0);
    pthread_join(thread, &matched);
    assert_int_equal((uintptr_t)matched, 1152 * 1500);
    fed_close(&f);
    close(reader);
}

static void a_reader_that_goes_ends_it(void **state)
{
    (void)state;
    for (int idle = 0; idle < 2; idle++) {
        const int reader = pipe_stdout();
        struct fed f;
        assert_int_equal(fed_open(&f, &raw_driver, &stereo, NULL), 0);
        assert_int_equal(raw_driver.start(f.out), 0);
        close(reader);
        if (!idle)
            fed_send(&f, 1152);
        assert_true(fed_fails(&f, 5000));
        assert_int_equal(atomic_load(&f.out->failure), -EPIPE);
        raw_driver.stop(f.out);
        fed_close(&f);
    }
}

static void a_file_gets_it_all(void **state)
{
    (void)state;
    char path[] = "/tmp/scream-test-raw-XXXXXX";
    const int file = mkstemp(path);
    const int reader = open(path, O_RDONLY);
    unlink(path);
    stdout_is(file);
    struct fed f;
    assert_int_equal(fed_open(&f, &raw_driver, &stereo, NULL), 0);
    assert_int_equal(raw_driver.start(f.out), 0);
    assert_true(fed_send(&f, 1152 * 1000));
    raw_driver.stop(f.out);
    assert_int_equal(match(reader, 0, UINT64_MAX, 0), 1152 * 1000);
    fed_close(&f);
    close(reader);
}

static void the_shared_description_stays_as_it_is(void **state)
{
    (void)state;
    const int reader = pipe_stdout();
    const int before = fcntl(STDOUT_FILENO, F_GETFL);
    struct fed f;
    assert_int_equal(fed_open(&f, &raw_driver, &stereo, NULL), 0);
    assert_int_equal(raw_driver.start(f.out), 0);
    fed_send(&f, 1152);
    assert_int_equal(match(reader, 0, 1152, 5000), 1152);
    assert_int_equal(fcntl(STDOUT_FILENO, F_GETFL), before);
    raw_driver.stop(f.out);
    fed_close(&f);
    close(reader);
}

static void a_terminal_is_refused(void **state)
{
    (void)state;
    const int master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    stdout_is(open(ptsname(master), O_RDWR | O_NOCTTY));
    struct fed f;
    assert_int_equal(raw_driver.probe(&(struct output_config){0}), -ENOTTY);
    assert_int_equal(fed_open(&f, &raw_driver, &stereo, NULL), -ENOTTY);
    assert_non_null(strstr(f.why, "-o wav"));
    assert_non_null(strstr(f.why, "redirect"));
    fed_close(&f);
    close(master);
}

#define with_stdout(f) cmocka_unit_test_setup_teardown(f, borrow_stdout, return_stdout)

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        with_stdout(every_format_passes_unaltered),
        with_stdout(a_sleeping_feeder_wakes_for_each_packet),
        with_stdout(stop_interrupts_a_blocked_pipe),
        with_stdout(stop_interrupts_a_blocked_socket),
        with_stdout(what_has_come_is_written_before_stop_returns),
        with_stdout(a_reader_that_goes_ends_it),
        with_stdout(a_file_gets_it_all),
        with_stdout(the_shared_description_stays_as_it_is),
        with_stdout(a_terminal_is_refused),
    };
    return cmocka_run_group_tests_name("raw", tests, NULL, NULL);
}
