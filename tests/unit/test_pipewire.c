#ifdef HAVE_PIPEWIRE
#include "../../outputs/pipewire_spec.h"
#include "../../src/clock.h"
#endif
#include "test.h"

#ifdef HAVE_PIPEWIRE
static void speakers_have_their_own_positions(void **state)
{
    (void)state;
    static const uint32_t surround[] = {
        SPA_AUDIO_CHANNEL_FL, SPA_AUDIO_CHANNEL_FR, SPA_AUDIO_CHANNEL_FC, SPA_AUDIO_CHANNEL_LFE,
        SPA_AUDIO_CHANNEL_RL, SPA_AUDIO_CHANNEL_RR, SPA_AUDIO_CHANNEL_SL, SPA_AUDIO_CHANNEL_SR};
    struct pcm_format f = {.rate = 96000, .width = 24, .channels = 8, .mask = 0x63f};
    struct spa_audio_info_raw info;
    pipewire_audio_info(&info, &f, sample_type_of(f.width));
    assert_int_equal(info.rate, 96000);
    assert_int_equal(info.channels, 8);
    assert_int_equal(info.format, SPA_AUDIO_FORMAT_S24_LE);
    for (int i = 0; i < 8; i++)
        assert_int_equal(info.position[i], surround[i]);
}

static void no_position_is_named_twice(void **state)
{
    (void)state;
    for (uint8_t channels = 1; channels <= PCM_MAX_CHANNELS; channels++)
        for (uint32_t mask = 0; mask <= 0xffff; mask++) {
            const struct pcm_format f = {
                .rate = 48000, .width = 16, .channels = channels, .mask = (uint16_t)mask};
            struct spa_audio_info_raw info;
            uint64_t seen = 0;
            pipewire_audio_info(&info, &f, sample_type_of(f.width));
            for (uint8_t i = 0; i < channels; i++) {
                assert_true(info.position[i] > SPA_AUDIO_CHANNEL_NA && info.position[i] < 64);
                assert_true((seen >> info.position[i] & 1) == 0);
                seen |= 1ULL << info.position[i];
            }
        }
}

static void quantum_is_at_most_half_the_target(void **state)
{
    (void)state;
    assert_int_equal(pipewire_quantum(20 * NS_PER_MS), 256);
    assert_int_equal(pipewire_quantum(40 * NS_PER_MS), 512);
    assert_int_equal(pipewire_quantum(50 * NS_PER_MS), 1024);
    assert_int_equal(pipewire_quantum(1), 64);
    assert_int_equal(pipewire_quantum(10 * NS_PER_S), 2048);
    assert_int_equal(pipewire_quantum(0), 1024);
}

/* A cycle that this thread saw 3 ms late; a device of 1024 frames; 44 frames in the resampler. */
static void a_moment_is_the_graphs_not_ours(void **state)
{
    (void)state;
    const struct pw_time t = {
        .now = 5 * NS_PER_S, .rate = {1, 48000}, .delay = 1024, .buffered = 44, .queued = 397};
    const struct pipewire_moment m = pipewire_moment(&t, 44100, t.now + 3 * NS_PER_MS);
    assert_int_equal(m.now, 5 * NS_PER_S);
    assert_int_equal(m.delay, 10 * NS_PER_MS + 1024 * NS_PER_S / 48000);
}

static void without_a_driver_the_clock_counts(void **state)
{
    (void)state;
    const struct pw_time none = {0};
    struct pipewire_moment m = pipewire_moment(&none, 48000, 7 * NS_PER_S);
    assert_int_equal(m.now, 7 * NS_PER_S);
    assert_int_equal(m.delay, 0);
    const struct pw_time other_clock = {.now = 70 * NS_PER_S, .rate = {1, 48000}, .delay = 480};
    m = pipewire_moment(&other_clock, 48000, 7 * NS_PER_S);
    assert_int_equal(m.now, 7 * NS_PER_S);
    assert_int_equal(m.delay, 10 * NS_PER_MS);
}
#endif

int main(void)
{
#ifdef HAVE_PIPEWIRE
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(speakers_have_their_own_positions),
        cmocka_unit_test(no_position_is_named_twice),
        cmocka_unit_test(quantum_is_at_most_half_the_target),
        cmocka_unit_test(a_moment_is_the_graphs_not_ours),
        cmocka_unit_test(without_a_driver_the_clock_counts),
    };
    return cmocka_run_group_tests_name("pipewire", tests, NULL, NULL);
#else
    return 0;
#endif
}
