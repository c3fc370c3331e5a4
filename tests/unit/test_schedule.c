/* Which priority a thread gets by which way, what it costs the thread, and what is said. */
#include "test.h"

#include "clock.h"
#include "log.h"
#include "rtkit.h"
#include "rtkit_fake.h"
#include "schedule.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- the kernel's answers, whoever runs this ---- */

static atomic_bool may_real_time, may_nice;
static atomic_int niced; /* the thread */

int pthread_setschedparam(pthread_t thread, int policy, const struct sched_param *param)
{
    (void)thread;
    if ((policy & 7) != SCHED_RR)
        return sched_setscheduler(0, policy, param) == 0 ? 0 : errno;
    return may_real_time ? 0 : EPERM;
}

int setpriority(__priority_which_t which, id_t who, int nice)
{
    assert_int_equal(which, PRIO_PROCESS);
    assert_true(nice < 0);
    errno = EPERM;
    if (may_nice)
        niced = (int)who;
    return may_nice ? 0 : -1;
}

/* ---- what is said ---- */

static int said_fd = -1, stderr_fd;

static void listen_to_log(void)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    stderr_fd = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    said_fd = ends[0];
}

/* The next line, which may take its time; "" if none comes in so long. */
static const char *next_line(int ms)
{
    static char line[1024];
    struct pollfd fd = {.fd = said_fd, .events = POLLIN};
    size_t n = 0;
    while (n < sizeof line - 1 && poll(&fd, 1, ms) > 0 && read(said_fd, line + n, 1) == 1)
        if (line[n++] == '\n')
            break;
    line[n] = '\0';
    return line;
}

static void listen_no_more(void)
{
    dup2(stderr_fd, STDERR_FILENO);
    close(stderr_fd);
    close(said_fd);
}

/* ---- the thread that it is about ---- */

struct worker {
    struct schedule schedule;
    bool tell;
    int stop_fd;
    int64_t took; /* ns, by schedule_begin() */
    atomic_int thread;
    pthread_t id;
};

static void *work(void *arg)
{
    struct worker *w = arg;
    uint64_t stop;
    const int64_t before = clock_now();
    w->thread = gettid();
    schedule_begin(&w->schedule, "worker", w->tell);
    w->took = clock_now() - before;
    assert_int_equal(read(w->stop_fd, &stop, sizeof stop), sizeof stop);
    return NULL;
}

static void begin(struct worker *w, bool real_time, bool nice, bool tell)
{
    memset(w, 0, sizeof *w);
    may_real_time = real_time;
    may_nice = nice;
    niced = 0;
    w->tell = tell;
    w->stop_fd = eventfd(0, EFD_CLOEXEC);
    listen_to_log();
    assert_int_equal(pthread_create(&w->id, NULL, work, w), 0);
}

static void end(struct worker *w)
{
    eventfd_write(w->stop_fd, 1);
    pthread_join(w->id, NULL);
    const int64_t before = clock_now();
    schedule_end(&w->schedule);
    assert_true(clock_now() - before < 500 * NS_PER_MS);
    close(w->stop_fd);
    listen_no_more();
}

/* A private RealtimeKit, or the test is skipped; in CI that must not go unnoticed. */
static void need_fake(enum rtkit_mood mood)
{
    if (rtkit_fake_begin(mood))
        return;
#ifdef HAVE_SYSTEMD
    const char *ci = getenv("CI");
    if (ci && strcmp(ci, "true") == 0)
        fail_msg("dbus-daemon is not installed");
#endif
    skip();
}

static void assert_said(const char *line, const char *what)
{
    if (!strstr(line, what))
        fail_msg("said \"%s\", not \"%s\"", line, what);
}

/* ---- the tests ---- */

static void a_limit_that_allows_it_is_enough(void **state)
{
    (void)state;
    struct rtkit_asked asked;
    struct worker w;
    need_fake(RTKIT_GRANTS);
    begin(&w, true, true, true);
    assert_said(next_line(5000), "worker: real-time priority 5\n");
    assert_string_equal(next_line(0), "");
    end(&w);
    rtkit_fake_end(&asked);
    assert_int_equal(asked.calls, 0);
    assert_int_equal(niced, 0);
}

static void realtimekit_is_asked_in_its_own_way(void **state)
{
    (void)state;
    struct rtkit_asked asked;
    struct worker w;
    need_fake(RTKIT_GRANTS);
    begin(&w, false, true, true);
    assert_said(next_line(10000), "worker: real-time priority 3, by RealtimeKit\n");
    const int policy = sched_getscheduler(w.thread);
    end(&w);
    rtkit_fake_end(&asked);
    assert_int_equal(asked.times, 1);
    assert_int_equal(asked.process, getpid());
    assert_int_equal(asked.thread, w.thread);
    assert_int_equal(asked.priority, RTKIT_FAKE_MOST_PRIORITY);
    assert_true(asked.limit_us <= RTKIT_FAKE_MOST_US);
    assert_true(asked.reset_on_fork);
    assert_true((policy & 7) == SCHED_RR || geteuid() != 0);
    assert_int_equal(niced, 0);
}

static void refused_it_goes_on_nicer(void **state)
{
    (void)state;
    struct rtkit_asked asked;
    struct worker w;
    need_fake(RTKIT_REFUSES);
    begin(&w, false, true, true);
    assert_said(next_line(10000), "a nice value of -11: RealtimeKit refuses");
    end(&w);
    rtkit_fake_end(&asked);
    assert_int_equal(asked.times, 1);
    assert_int_equal(niced, w.thread);
}

static void without_any_the_remedy_is_said(void **state)
{
    (void)state;
    struct rtkit_asked asked;
    struct worker w;
    need_fake(RTKIT_REFUSES);
    log_set_level(LOG_LEVEL_INFO);
    begin(&w, false, false, true);
    const char *line = next_line(10000);
    assert_said(line, "worker: no real-time priority");
    assert_said(line, "RealtimeKit refuses");
    assert_said(line, "/etc/security/limits.d/");
    assert_string_equal(next_line(0), "");
    end(&w);
    rtkit_fake_end(&asked);
    log_set_level(LOG_LEVEL_DEBUG);
}

/* A second thread has nothing to add. */
static void the_remedy_is_said_once(void **state)
{
    (void)state;
    struct worker w;
    log_set_level(LOG_LEVEL_INFO);
    begin(&w, false, false, false);
    assert_string_equal(next_line(200), "");
    end(&w);
    log_set_level(LOG_LEVEL_DEBUG);
}

static void a_bus_without_it(void **state)
{
    (void)state;
    struct rtkit_asked asked;
    struct worker w;
    need_fake(RTKIT_ABSENT);
    begin(&w, false, true, true);
    assert_said(next_line(10000), "nice value of -11: RealtimeKit (rtkit) is not there");
    end(&w);
    rtkit_fake_end(&asked);
    assert_int_equal(asked.calls, 0);
    assert_int_equal(niced, w.thread);
}

static void no_bus_at_all(void **state)
{
    (void)state;
    struct worker w;
    begin(&w, false, true, true);
    assert_said(next_line(10000), "nice value of -11");
    end(&w);
    assert_int_equal(niced, w.thread);
}

/* Neither the thread nor whoever ends it waits for an answer that does not come. */
static void nobody_waits_for_one_that_hangs(void **state)
{
    (void)state;
    struct rtkit_asked asked;
    struct worker w;
    need_fake(RTKIT_HANGS);
    begin(&w, false, true, true);
    assert_string_equal(next_line(300), "");
    end(&w);
    rtkit_fake_end(&asked);
    assert_true(w.took < 200 * NS_PER_MS);
    assert_true(asked.calls > 0);
    assert_int_equal(niced, 0);
}

static void one_that_hangs_is_given_up(void **state)
{
    (void)state;
    struct rtkit_asked asked;
    char why[128];
    int priority = SCHEDULE_PRIORITY;
    need_fake(RTKIT_HANGS);
    const int64_t before = clock_now();
    const int err = rtkit_make_real_time(gettid(), &priority, 200 * NS_PER_MS, -1, why, sizeof why);
    const int64_t took = clock_now() - before;
    rtkit_fake_end(&asked);
    assert_int_equal(err, -ETIMEDOUT);
    assert_true(took >= 200 * NS_PER_MS && took < NS_PER_S);
    assert_said(why, "does not answer");
}

static void one_that_never_began_can_be_ended(void **state)
{
    (void)state;
    struct schedule s = {0};
    schedule_end(&s);
    schedule_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_limit_that_allows_it_is_enough),
        cmocka_unit_test(realtimekit_is_asked_in_its_own_way),
        cmocka_unit_test(refused_it_goes_on_nicer),
        cmocka_unit_test(without_any_the_remedy_is_said),
        cmocka_unit_test(the_remedy_is_said_once),
        cmocka_unit_test(a_bus_without_it),
        cmocka_unit_test(no_bus_at_all),
        cmocka_unit_test(nobody_waits_for_one_that_hangs),
        cmocka_unit_test(one_that_hangs_is_given_up),
        cmocka_unit_test(one_that_never_began_can_be_ended),
    };
    log_set_level(LOG_LEVEL_DEBUG);
    setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent", 1);
    return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
