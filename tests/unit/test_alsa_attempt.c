/* A device that hangs while it is opened. */
#include "test.h"

#include "../../outputs/drivers.h"
#include "alsa_device.h"
#include "clock.h"
#include "fed.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

static const struct pcm_format stereo = {.rate = 48000, .width = 16, .channels = 2, .mask = 3};

static bool becomes(const atomic_int *count, int n)
{
    for (int i = 0; i < 2000 && atomic_load(count) != n; i++)
        poll(NULL, 0, 1);
    return atomic_load(count) == n;
}

static int opens_again(struct fed *f, int64_t most)
{
    const int64_t before = clock_now();
    const int err =
        alsa_driver.open(&f->out, &f->config, &f->format, f->player, f->why, sizeof f->why);
    assert_true(clock_now() - before < most);
    return err;
}

/* One attempt at a time, and its late success is not lost. */
static void a_device_that_hangs_is_waited_for_elsewhere(void **state)
{
    (void)state;
    struct output_pending pending = {0};
    struct sim s = {.hangs = true};
    struct fed f;
    sim_use(&s);
    assert_int_equal(fed_open(&f, &alsa_driver, &stereo, SIM_NAME), -ETIMEDOUT); /* a lost one */
    assert_non_null(strstr(f.why, "hangs"));
    f.config.pending = &pending;
    assert_int_equal(opens_again(&f, 950 * NS_PER_MS), -ETIMEDOUT);
    assert_int_equal(opens_again(&f, 50 * NS_PER_MS), -ETIMEDOUT);
    assert_int_equal(alsa_driver.probe(&f.config), -ETIMEDOUT); /* another errand waits, too */
    assert_int_equal(atomic_load(&s.opens), 2);
    atomic_store(&s.hangs, false);
    assert_true(becomes(&s.closed, 1)); /* the lost one is let go of */
    assert_true(becomes(&s.opened, 2));
    assert_int_equal(opens_again(&f, 500 * NS_PER_MS), 0);
    assert_null(pending.attempt);
    assert_int_equal(atomic_load(&s.opens), 2);
    f.out->driver = &alsa_driver;
    assert_int_equal(alsa_driver.start(f.out), 0);
    assert_true(fed_play(&f, 5000, &s.heard, 4800));
    fed_stop_is_quick(&f);
    fed_close(&f);
    assert_int_equal(atomic_load(&s.closed), 2);
}

/* Whether it comes to something before or after it is given up. */
static void what_nobody_waits_for_is_closed(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        struct output_pending pending = {0};
        struct sim s = {.hangs = true};
        struct output_config config = {.device = SIM_NAME, .pending = &pending};
        sim_use(&s);
        assert_int_equal(alsa_driver.probe(&config), -ETIMEDOUT);
        assert_non_null(pending.attempt);
        if (late)
            pending.abandon(pending.attempt);
        atomic_store(&s.hangs, false);
        assert_true(becomes(&s.opened, 1));
        if (!late)
            pending.abandon(pending.attempt);
        assert_true(becomes(&s.closed, 1));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_that_hangs_is_waited_for_elsewhere),
        cmocka_unit_test(what_nobody_waits_for_is_closed),
    };
    return cmocka_run_group_tests_name("alsa_attempt", tests, NULL, NULL);
}
