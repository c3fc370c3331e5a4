/* The simulated device: what it lacks, and what may happen to it. */
#include "test.h"

#include "../../outputs/drivers.h"
#include "alsa_device.h"
#include "clock.h"
#include "fed.h"

#include <errno.h>
#include <string.h>

static const struct pcm_format stereo = {.rate = 48000, .width = 16, .channels = 2, .mask = 3};

static void simulate(struct fed *f, struct sim *s)
{
    sim_use(s);
    assert_int_equal(fed_open(f, &alsa_driver, &stereo, SIM_NAME), 0);
    assert_int_equal(alsa_driver.start(f->out), 0);
    assert_true(fed_play(f, 5000, &s->heard, 4800));
}

static void the_buffer_has_room_for_more_than_the_target(void **state)
{
    (void)state;
    struct sim s = {0};
    struct fed f;
    char text[160];
    sim_use(&s);
    assert_int_equal(fed_open(&f, &alsa_driver, &stereo, SIM_NAME), 0);
    alsa_driver.describe(f.out, text, sizeof text);
    assert_non_null(strstr(text, "48 kHz S16 FL FR, period 5.0 ms, buffer 140.0 ms"));
    fed_close(&f);
}

static void what_a_device_refuses_is_named(void **state)
{
    (void)state;
    struct sim s = {.rate = 44100};
    struct fed f;
    sim_use(&s);
    assert_true(fed_open(&f, &alsa_driver, &stereo, SIM_NAME) < 0);
    assert_non_null(strstr(f.why, "48000 Hz"));
    assert_non_null(strstr(f.why, "plug"));
    fed_close(&f);
    s = (struct sim){.open_error = -EBUSY};
    assert_int_equal(fed_open(&f, &alsa_driver, &stereo, SIM_NAME), -EBUSY);
    assert_non_null(strstr(f.why, "another program"));
    fed_close(&f);
    s.open_error = 0; /* the other one has let go of it */
    simulate(&f, &s);
    fed_stop_is_quick(&f);
    assert_int_equal(atomic_load(&f.out->failure), 0);
    fed_close(&f);
}

static void what_it_lacks_is_converted(void **state)
{
    (void)state;
    const struct pcm_format format = {.rate = 48000, .width = 24, .channels = 6, .mask = 0x3f};
    struct sim s = {.channels = 2, .s16_only = true};
    struct fed f;
    char text[160];
    sim_use(&s);
    assert_int_equal(fed_open(&f, &alsa_driver, &format, SIM_NAME), 0);
    alsa_driver.describe(f.out, text, sizeof text);
    assert_non_null(strstr(text, "S16 FL FR,"));
    assert_int_equal(alsa_driver.start(f.out), 0);
    assert_true(fed_play(&f, 5000, &s.heard, 4800));
    fed_stop_is_quick(&f);
    fed_close(&f);
}

static void its_own_map_is_used(void **state)
{
    (void)state;
    const struct pcm_format format = {.rate = 48000, .width = 24, .channels = 4, .mask = 0x33};
    const unsigned map[] = {SND_CHMAP_RR, SND_CHMAP_RL, SND_CHMAP_FR, SND_CHMAP_FL};
    struct sim s = {.channels = 4, .chmap = map};
    struct fed f;
    char text[160];
    sim_use(&s);
    assert_int_equal(fed_open(&f, &alsa_driver, &format, SIM_NAME), 0);
    alsa_driver.describe(f.out, text, sizeof text);
    assert_non_null(strstr(text, "BR BL FR FL"));
    fed_close(&f);
}

/* A plugin whose buffer is mapped refuses to be written to. */
static void its_buffer_is_mapped_where_it_can_be(void **state)
{
    (void)state;
    for (int mmap = 0; mmap < 2; mmap++) {
        struct sim s = {.mmap = mmap};
        struct fed f;
        char text[160];
        simulate(&f, &s);
        alsa_driver.describe(f.out, text, sizeof text);
        assert_non_null(strstr(text, mmap ? ", mmap," : ", read/write,"));
        fed_stop_is_quick(&f);
        assert_int_equal(atomic_load(&f.out->failure), 0);
        fed_close(&f);
    }
}

static void it_goes_on_after_running_dry(void **state)
{
    (void)state;
    struct sim s = {0};
    struct fed f;
    char text[160];
    simulate(&f, &s);
    for (int i = 0; i < 30; i++) { /* more than may come in a row */
        atomic_store(&s.dry, 1);
        assert_true(fed_play(&f, 5000, &s.heard, atomic_load(&s.heard) + 2400));
        assert_int_equal(atomic_load(&s.dry), 0);
    }
    assert_true(atomic_load(&s.prepares) >= 31);
    alsa_driver.describe(f.out, text, sizeof text);
    assert_null(strstr(text, " 0 xruns"));
    fed_stop_is_quick(&f);
    assert_int_equal(atomic_load(&f.out->failure), 0);
    fed_close(&f);
}

static void it_does_not_try_for_ever(void **state)
{
    (void)state;
    struct sim s = {0};
    struct fed f;
    simulate(&f, &s);
    atomic_store(&s.dry, 1000000);
    assert_true(fed_fails(&f, 5000));
    assert_int_equal(atomic_load(&f.out->failure), -EIO);
    fed_stop_is_quick(&f);
    fed_close(&f);
}

/* Hardware that goes on by itself, that cannot, and what only says that it does. */
static void it_wakes_with_the_machine(void **state)
{
    (void)state;
    const struct {
        int resume_error;
        bool wakes;
    } kinds[] = {{0, true}, {-ENOSYS, false}, {0, false}};
    for (size_t i = 0; i < 3; i++) {
        struct sim s = {.resume_error = kinds[i].resume_error, .wakes = kinds[i].wakes};
        struct fed f;
        simulate(&f, &s);
        for (int nights = 1; nights <= 3; nights++) {
            const int prepares = atomic_load(&s.prepares);
            atomic_store(&s.resume_fails, 2);
            atomic_store(&s.asleep, 1);
            assert_true(fed_play(&f, 5000, &s.heard, atomic_load(&s.heard) + 9600));
            assert_int_equal(atomic_load(&s.resumes), 3 * nights);
            assert_int_equal(atomic_load(&s.prepares), prepares + !s.wakes);
        }
        fed_stop_is_quick(&f);
        assert_int_equal(atomic_load(&f.out->failure), 0);
        fed_close(&f);
    }
}

static void a_device_that_goes_is_reported_and_plays_when_it_comes_back(void **state)
{
    (void)state;
    struct sim s = {0};
    struct fed f;
    simulate(&f, &s);
    atomic_store(&s.gone, true);
    assert_true(fed_fails(&f, 5000));
    assert_int_equal(atomic_load(&f.out->failure), -ENODEV);
    fed_stop_is_quick(&f);
    fed_close(&f);
    assert_int_equal(atomic_load(&s.closed), 1);

    struct lookout lookout;
    lookout_init(&lookout);
    lookout_begin(&lookout);
    s.open_error = -ENODEV;
    sim_use(&s);
    assert_int_equal(
        alsa_driver.probe(&(struct output_config){.device = SIM_NAME, .lookout = &lookout}),
        -ENODEV);
    assert_string_equal(lookout.places[0].path, "/dev/snd/"); /* where it will be seen to come */
    lookout_clear(&lookout);

    s.open_error = 0;
    atomic_store(&s.gone, false);
    atomic_store(&s.heard, 0);
    simulate(&f, &s);
    fed_stop_is_quick(&f);
    assert_int_equal(atomic_load(&f.out->failure), 0);
    fed_close(&f);
}

static void a_device_that_stalls_does_not_hold_up_the_end(void **state)
{
    (void)state;
    struct sim s = {0};
    struct fed f;
    simulate(&f, &s);
    atomic_store(&s.stalled, true);
    fed_play(&f, 100, NULL, 0);
    fed_stop_is_quick(&f);
    fed_close(&f);
}

static void a_device_that_stood_still_is_opened_anew(void **state)
{
    (void)state;
    for (int ms = 200; ms <= 600; ms += 400) {
        struct sim s = {0};
        struct fed f;
        simulate(&f, &s);
        atomic_store(&s.stalled, true);
        fed_play(&f, ms, NULL, 0);
        assert_int_equal(atomic_load(&f.out->failure), 0);
        atomic_store(&s.stalled, false);
        fed_play(&f, 100, NULL, 0);
        assert_int_equal(atomic_load(&f.out->failure), ms < 400 ? 0 : -ETIMEDOUT);
        fed_stop_is_quick(&f);
        fed_close(&f);
    }
}

static void a_device_that_is_ahead_at_first_is_waited_for(void **state)
{
    (void)state;
    struct sim s = {.stalled = true};
    struct fed f;
    sim_use(&s);
    assert_int_equal(fed_open(&f, &alsa_driver, &stereo, SIM_NAME), 0);
    assert_int_equal(alsa_driver.start(f.out), 0);
    fed_play(&f, 1000, NULL, 0);
    const unsigned long filled = atomic_load(&s.taken);
    assert_true(filled > 4800);
    atomic_store(&s.stalled, false);
    assert_true(fed_play(&f, 5000, &s.taken, filled + 4800));
    fed_stop_is_quick(&f);
    assert_int_equal(atomic_load(&f.out->failure), 0);
    fed_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_buffer_has_room_for_more_than_the_target),
        cmocka_unit_test(what_a_device_refuses_is_named),
        cmocka_unit_test(what_it_lacks_is_converted),
        cmocka_unit_test(its_own_map_is_used),
        cmocka_unit_test(its_buffer_is_mapped_where_it_can_be),
        cmocka_unit_test(it_goes_on_after_running_dry),
        cmocka_unit_test(it_does_not_try_for_ever),
        cmocka_unit_test(it_wakes_with_the_machine),
        cmocka_unit_test(a_device_that_goes_is_reported_and_plays_when_it_comes_back),
        cmocka_unit_test(a_device_that_stalls_does_not_hold_up_the_end),
        cmocka_unit_test(a_device_that_stood_still_is_opened_anew),
        cmocka_unit_test(a_device_that_is_ahead_at_first_is_waited_for),
    };
    return cmocka_run_group_tests_name("alsa", tests, NULL, NULL);
}
