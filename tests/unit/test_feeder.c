#include "test.h"

#include "clock.h"
#include "feeder.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* An output whose turns do as they are told and note what they see. */
struct fake {
    struct output output;
    struct notifier notifier;
    int fail_at; /* turn that fails; 0: none */
    int error;
    bool waits;
    int turns;
    int woken; /* turns that saw wake_fd readable */
    int policy;
    char name[16];
    bool blocks_signals;
};

static int fake_turn(struct output *o, int wake_fd)
{
    struct fake *f = (struct fake *)o;
    struct pollfd fd = {.fd = wake_fd, .events = POLLIN};
    struct sched_param param;
    sigset_t blocked;
    pthread_getname_np(pthread_self(), f->name, sizeof f->name);
    pthread_getschedparam(pthread_self(), &f->policy, &param);
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    f->blocks_signals = sigismember(&blocked, SIGINT) && sigismember(&blocked, SIGTERM);
    if (++f->turns == f->fail_at)
        return f->error;
    f->woken += poll(&fd, 1, f->waits ? -1 : 1) > 0;
    return 0;
}

static void begin(struct fake *f)
{
    memset(f, 0, sizeof *f);
    assert_int_equal(notifier_init(&f->notifier), 0);
    f->output.notifier = &f->notifier;
}

static bool raised(struct fake *f, int ms)
{
    struct pollfd fd = {.fd = f->notifier.fd, .events = POLLIN};
    return poll(&fd, 1, ms) > 0 && notifier_take(&f->notifier) == NOTIFY_OUTPUT;
}

static void stop_wakes_a_turn_that_waits(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++) {
        struct fake f;
        struct feeder *feeder;
        begin(&f);
        f.waits = true;
        assert_int_equal(feeder_start(&feeder, &f.output, fake_turn), 0);
        const int64_t before = clock_now();
        feeder_stop(feeder);
        assert_true(clock_now() - before < 500 * NS_PER_MS);
        assert_true(f.woken >= 1); /* the last turn can finish what it has begun */
        assert_int_equal(atomic_load(&f.output.failure), 0);
        assert_false(raised(&f, 0));
        notifier_finish(&f.notifier);
    }
}

static void a_failed_turn_ends_the_thread(void **state)
{
    (void)state;
    struct fake f;
    struct feeder *feeder;
    begin(&f);
    f.fail_at = 3;
    f.error = -ENODEV;
    assert_int_equal(feeder_start(&feeder, &f.output, fake_turn), 0);
    assert_true(raised(&f, 5000));
    assert_int_equal(atomic_load(&f.output.failure), -ENODEV);
    feeder_stop(feeder);
    assert_int_equal(f.turns, 3);
    notifier_finish(&f.notifier);
}

static void *try_real_time(void *ok)
{
    const struct sched_param param = {.sched_priority = 5};
    *(bool *)ok = pthread_setschedparam(pthread_self(), SCHED_RR, &param) == 0;
    return NULL;
}

static void the_thread_is_named_and_real_time_if_it_may(void **state)
{
    (void)state;
    bool may = false;
    pthread_t trial;
    assert_int_equal(pthread_create(&trial, NULL, try_real_time, &may), 0);
    pthread_join(trial, NULL);

    struct fake f;
    struct feeder *feeder;
    begin(&f);
    assert_int_equal(feeder_start(&feeder, &f.output, fake_turn), 0);
    feeder_stop(feeder);
    assert_string_equal(f.name, "scream-feeder");
    assert_true(f.blocks_signals);
    assert_int_equal(f.policy & 7, may ? SCHED_RR : SCHED_OTHER);
    notifier_finish(&f.notifier);
}

static void what_cannot_be_had_is_said(void **state)
{
    (void)state;
    struct fake f;
    struct feeder *feeder = NULL;
    struct rlimit files;
    begin(&f);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = files.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    const int no_file = feeder_start(&feeder, &f.output, fake_turn);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
    assert_int_equal(no_file, -EMFILE);

    pthread_attr_t usual, huge;
    assert_int_equal(pthread_getattr_default_np(&usual), 0);
    assert_int_equal(pthread_attr_init(&huge), 0);
    assert_int_equal(pthread_attr_setstacksize(&huge, (size_t)1 << 47), 0);
    assert_int_equal(pthread_setattr_default_np(&huge), 0);
    const int no_thread = feeder_start(&feeder, &f.output, fake_turn);
    pthread_t trial;
    const int said =
        pthread_create(&trial, NULL, try_real_time, NULL); /* EAGAIN; valgrind's: EINVAL */
    assert_int_equal(pthread_setattr_default_np(&usual), 0);
    assert_int_not_equal(said, 0);
    assert_int_equal(no_thread, -said);
    assert_int_equal(f.turns, 0);
    pthread_attr_destroy(&huge);
    pthread_attr_destroy(&usual);
    feeder_stop(NULL);
    notifier_finish(&f.notifier);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stop_wakes_a_turn_that_waits),
        cmocka_unit_test(a_failed_turn_ends_the_thread),
        cmocka_unit_test(the_thread_is_named_and_real_time_if_it_may),
        cmocka_unit_test(what_cannot_be_had_is_said),
    };
    setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent", 1); /* no RealtimeKit */
    return cmocka_run_group_tests_name("feeder", tests, NULL, NULL);
}
