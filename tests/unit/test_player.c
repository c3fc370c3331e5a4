/* What a player gives is what was sent. */
#include "test.h"

#include "clock.h"
#include "played.h"

static const struct pcm_format stereo = {.rate = 48000, .width = 16, .channels = 2, .mask = 3};

static void plays_what_was_sent(void **state)
{
    (void)state;
    static const uint32_t periods[] = {64, 240, 480, 1024, 2048};
    for (size_t i = 0; i < sizeof periods / sizeof periods[0]; i++) {
        struct played p;
        played_open(&p, &stereo, periods[i], 0);
        played_run(&p, 5 * NS_PER_S);
        const uint64_t start = played_first_sound(&p, 0);
        assert_true(start < p.heard_frames);
        assert_int_equal(played_matching(&p, start, 0),
                         p.heard_frames - start); /* from the first frame on */
        assert_int_equal(count_read(&p.stream.counters.underruns), 0);
        assert_int_equal(count_read(&p.stream.counters.skips), 0);
        assert_int_equal(count_read(&p.stream.counters.overrun_bytes), 0);
        played_close(&p);
    }
}

static void a_format_change_ends_it(void **state)
{
    (void)state;
    struct played p;
    played_open(&p, &stereo, 480, 0);
    played_run(&p, NS_PER_S);
    assert_false(player_finished(p.player));
    struct pcm_format other = stereo;
    other.rate = 44100;
    stream_begin(&p.stream, &other, (struct source_id){0});
    stream_commit(&p.stream);
    p.mute = true;
    played_run(&p, NS_PER_S / 2);
    assert_true(player_finished(p.player));
    const uint64_t start = played_first_sound(&p, 0);
    assert_int_equal(played_matching(&p, start, 0), p.sent / 4); /* all before it is heard */
    played_close(&p);
}

static void five_channels_straddle_packets(void **state)
{
    (void)state;
    const struct pcm_format five = {.rate = 48000, .width = 16, .channels = 5, .mask = 0x37};
    struct played p;
    played_open(&p, &five, 480, 0);
    played_run(&p, 2 * NS_PER_S);
    const uint64_t start = played_first_sound(&p, 0);
    assert_int_equal(played_matching(&p, start, 0), p.heard_frames - start);
    assert_int_equal(count_read(&p.stream.counters.underruns), 0);
    played_close(&p);
}

static void speakers_are_remapped(void **state)
{
    (void)state;
    const struct pcm_format wire = {.rate = 48000, .width = 16, .channels = 6, .mask = 0x3f};
    struct played p;
    played_open(&p, &wire, 480, 0);
    const struct player_sink alsa = {
        .type = SAMPLE_S16,
        .rate = 48000,
        .quantum = 480,
        .map = {6, {CHPOS_FL, CHPOS_FR, CHPOS_BL, CHPOS_BR, CHPOS_FC, CHPOS_LFE}}};
    assert_int_equal(player_set_sink(p.player, &alsa), 0);
    played_run(&p, NS_PER_S);
    static const unsigned comes_from[] = {0, 1, 4, 5, 2, 3};
    const uint64_t start = played_first_sound(&p, 0);
    for (uint64_t at = start; at < p.heard_frames; at++)
        for (unsigned c = 0; c < 6; c++)
            assert_int_equal(p.heard[at * 6 + c], played_sample(at - start, comes_from[c]));
    played_close(&p);
}

static void taking_gives_every_byte(void **state)
{
    (void)state;
    struct played p;
    played_open(&p, &stereo, 480, 0);
    p.next_fill = INT64_MAX;
    played_run(&p, NS_PER_S);
    uint64_t got = 0;
    int16_t buf[1000];
    for (uint32_t n; (n = player_take(p.player, buf, 1999)) > 0; got += n) {
        assert_int_equal(n % 4, 0);
        for (uint32_t i = 0; i < n / 2; i++)
            assert_int_equal(buf[i], played_sample((got / 2 + i) / 2, (unsigned)(i % 2)));
    }
    assert_int_equal(got, p.sent);
    assert_true(player_sleep(p.player));
    played_close(&p);
}

static void a_sink_it_cannot_serve_is_refused(void **state)
{
    (void)state;
    struct played p;
    played_open(&p, &stereo, 480, 0);
    struct player_sink sink = {
        .type = SAMPLE_S16, .rate = 44100, .quantum = 480, .map = {2, {0, 1}}};
    assert_true(player_set_sink(p.player, &sink) < 0);
    sink.rate = 48000;
    sink.map.channels = 9;
    assert_true(player_set_sink(p.player, &sink) < 0);
    played_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plays_what_was_sent),
        cmocka_unit_test(a_format_change_ends_it),
        cmocka_unit_test(five_channels_straddle_packets),
        cmocka_unit_test(speakers_are_remapped),
        cmocka_unit_test(taking_gives_every_byte),
        cmocka_unit_test(a_sink_it_cannot_serve_is_refused),
    };
    return cmocka_run_group_tests_name("player", tests, NULL, NULL);
}
