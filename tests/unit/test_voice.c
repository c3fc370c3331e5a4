/* What a guest sends, and the formats that it begins: all of it is heard, or counted. */
#include "test.h"

#include "voiced.h"

static void one_format_after_the_other(void **state)
{
    (void)state;
    struct voiced v;
    voiced_open(&v);
    for (int i = 0; i < 10; i++) {
        voiced_begin(&v, i % 2 ? &slow : &fast);
        voiced_run(&v, 1000, true, true);
        assert_heard(&v, 40000);
        assert_int_equal(told.opened, i + 1);
        assert_true(pcm_format_equal(&told.format, i % 2 ? &slow : &fast));
    }
    voiced_close(&v);
}

/* No sink, a suspended one, -c: the ring fills, and then there is another format. */
static void an_output_that_does_not_pull(void **state)
{
    (void)state;
    struct voiced v;
    voiced_open(&v);
    voiced_begin(&v, &fast);
    voiced_run(&v, 1000, true, true);
    voiced_run(&v, 20000, true, false);
    assert_true(count_read(&v.voice.stream.counters.overrun_bytes) > 0);
    v.heard = 0;
    voiced_begin(&v, &slow);
    voiced_run(&v, 5000, true, true);
    assert_heard(&v, 2 * 44100);
    voiced_begin(&v, &fast);
    voiced_run(&v, 5000, true, true);
    assert_heard(&v, 3 * 48000);
    voiced_close(&v);
}

static void a_format_that_went_and_came_back_without_room(void **state)
{
    (void)state;
    struct voiced v;
    voiced_open(&v);
    voiced_begin(&v, &fast);
    voiced_run(&v, 1000, true, true);
    voiced_run(&v, 20000, true, false);
    voiced_begin(&v, &slow);
    voiced_run(&v, 20, true, false);
    voiced_begin(&v, &fast);
    v.heard = 0;
    voiced_run(&v, 10000, true, true);
    assert_heard(&v, 6 * 48000);
    voiced_close(&v);
}

/* The same format begins anew behind a sound too short to have begun. */
static void a_restart_behind_a_short_sound(void **state)
{
    (void)state;
    for (int ms = 10; ms <= 100; ms += 10) {
        struct voiced v;
        voiced_open(&v);
        voiced_begin(&v, &fast);
        voiced_run(&v, ms, true, false); /* the output is still on its way */
        voiced_begin(&v, &fast);
        voiced_run(&v, 3000, true, true);
        assert_heard(&v, 2 * 48000);
        assert_int_equal(told.opened, 1);
        voiced_close(&v);
    }
}

/* What was sent has been read, is still there, or has a counter; takes what is still there. */
static void assert_nothing_is_unaccounted_for(struct voiced *v, uint64_t sent)
{
    struct stream *s = &v->voice.stream;
    const uint64_t read = count_read(&s->counters.frames) * pcm_frame_bytes(&fast);
    const uint64_t dropped =
        count_read(&s->counters.overrun_bytes) + count_read(&s->counters.passed_bytes);
    uint64_t left = stream_ready(s);
    while (stream_edge(s) != STREAM_OPEN) {
        stream_read(s, NULL, stream_ready(s));
        stream_pass(s);
        left += stream_ready(s);
    }
    assert_int_equal(read + dropped + left, sent);
}

static void every_byte_is_read_or_counted(void **state)
{
    (void)state;
    for (int seed = 0; seed < 40; seed++) {
        struct voiced v;
        uint64_t sent = 0;
        uint32_t dice = (uint32_t)seed;
        voiced_open(&v);
        if (seed % 2) { /* which reads all of a format before it takes the next */
            v.voice.named = &told_exact;
            v.voice.exact = true;
        }
        for (int i = 0; i < 400; i++) {
            static uint8_t bytes[4 * SCREAM_PAYLOAD];
            int64_t next;
            dice = dice * 1664525 + 1013904223;
            if (i == 0 || dice >> 28 == 0)
                voiced_begin(&v, dice >> 27 & 1 ? &slow : &fast);
            for (unsigned n = dice >> 24 & 3; n > 0; n--, sent += SCREAM_PAYLOAD)
                stream_write(&v.voice.stream, bytes, SCREAM_PAYLOAD, v.now);
            stream_commit(&v.voice.stream);
            told.now = v.now += 10 * NS_PER_MS;
            assert_int_equal(voice_turn(&v.voice, v.now, &next), 0);
            if (told.player && dice >> 22 & 3)
                player_take(told.player, bytes, sizeof bytes);
        }
        assert_nothing_is_unaccounted_for(&v, sent);
        voiced_close(&v);
    }
}

static void a_guest_of_many_formats_gets_few_openings(void **state)
{
    (void)state;
    struct voiced v;
    voiced_open(&v);
    for (int i = 0; i < 250; i++) { /* 10 s of formats of 40 ms */
        voiced_begin(&v, i % 2 ? &slow : &fast);
        voiced_run(&v, 40, true, true);
    }
    assert_in_range(told.opened, 20, 40);
    voiced_begin(&v, &fast);
    voiced_run(&v, 2000, true, true);
    assert_heard(&v, 40000);
    voiced_close(&v);
}

static uint64_t dropped(const struct voiced *v)
{
    const struct stream_counters *c = &v->voice.stream.counters;
    return count_read(&c->overrun_bytes) + count_read(&c->passed_bytes);
}

/* Where every byte counts, as many formats as a guest may have in a hurry are opened one after the other, */
static void an_exact_output_gets_every_format(void **state)
{
    (void)state;
    struct voiced v;
    voiced_open_exact(&v);
    for (int i = 0; i < 150; i++)
        voiced_take_all(&v, 100, i % 2 ? &slow : &fast, true);
    assert_int_equal(told.opened, 150);
    assert_int_equal(dropped(&v), 0);
    voiced_close(&v);
}

/* and of those of one that means harm few, and what comes after it is heard at once. */
static void nor_does_it_get_thousands(void **state)
{
    (void)state;
    struct voiced v;
    voiced_open_exact(&v);
    for (int i = 0; i < 10000; i++)
        voiced_take_all(&v, 10, i % 2 ? &slow : &fast, true);
    assert_in_range(told.opened, 300, 256 + 100 * 10 / 3 + 2);
    assert_true(dropped(&v) > 0);
    voiced_take_all(&v, 400, &fast, true);
    const uint64_t lost = dropped(&v), frames = count_read(&v.voice.stream.counters.frames);
    assert_true(pcm_format_equal(&told.format, &fast));
    voiced_take_all(&v, 1000, NULL, true);
    assert_int_equal(dropped(&v), lost);
    assert_in_range(count_read(&v.voice.stream.counters.frames) - frames, 100 * 288 - 288,
                    100 * 288 + 288);
    voiced_close(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_format_after_the_other),
        cmocka_unit_test(an_output_that_does_not_pull),
        cmocka_unit_test(a_format_that_went_and_came_back_without_room),
        cmocka_unit_test(a_restart_behind_a_short_sound),
        cmocka_unit_test(every_byte_is_read_or_counted),
        cmocka_unit_test(a_guest_of_many_formats_gets_few_openings),
        cmocka_unit_test(an_exact_output_gets_every_format),
        cmocka_unit_test(nor_does_it_get_thousands),
    };
    return cmocka_run_group_tests_name("voice", tests, NULL, NULL);
}
