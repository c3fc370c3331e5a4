#ifdef HAVE_PULSE
#include "../../outputs/pulse_queue.h"
#include "../../outputs/pulse_spec.h"
#include "../../src/clock.h"

#include <pulse/timeval.h>
#include <string.h>
#endif
#include "test.h"

#ifdef HAVE_PULSE
static void speakers_have_their_own_positions(void **state)
{
    (void)state;
    for (uint8_t a = 0; a < CHPOS_COUNT; a++)
        for (uint8_t b = 0; b < CHPOS_COUNT; b++) {
            const struct chmap map = {.channels = 2, .pos = {a, b}};
            pa_channel_map out;
            pulse_channel_map(&out, &map);
            assert_int_equal(out.map[0] == out.map[1], a == b);
            assert_true(a == CHPOS_MONO || out.map[0] != PA_CHANNEL_POSITION_MONO);
        }
}

/* By the server's own names, so that a slip in our table shows. */
static void a_7_1_map_reads_as_the_servers_own(void **state)
{
    (void)state;
    struct chmap map;
    chmap_from_mask(&map, 0x63f, 8);
    pa_channel_map out;
    pulse_channel_map(&out, &map);
    char text[PA_CHANNEL_MAP_SNPRINT_MAX];
    pa_channel_map_snprint(text, sizeof text, &out);
    assert_string_equal(text, "front-left,front-right,front-center,lfe,rear-left,rear-right,"
                              "side-left,side-right");
}

static void every_mask_makes_a_valid_map(void **state)
{
    (void)state;
    for (uint8_t channels = 1; channels <= PCM_MAX_CHANNELS; channels++)
        for (uint32_t mask = 0; mask <= 0xffff; mask++) {
            const struct pcm_format f = {
                .rate = 48000, .width = 16, .channels = channels, .mask = (uint16_t)mask};
            struct chmap map;
            pa_channel_map out;
            pa_sample_spec spec;
            chmap_from_mask(&map, f.mask, channels);
            pulse_channel_map(&out, &map);
            pulse_sample_spec(&spec, &f, sample_type_of(f.width));
            assert_true(pa_channel_map_valid(&out));
            assert_true(pa_channel_map_compatible(&out, &spec));
        }
}

static void a_source_travels_unaltered(void **state)
{
    (void)state;
    for (uint8_t width = 16; width <= 32; width = (uint8_t)(width + 8)) {
        const struct pcm_format f = {.rate = 176400, .width = width, .channels = 5};
        pa_sample_spec spec;
        pulse_sample_spec(&spec, &f, sample_type_of(f.width));
        assert_true(pa_sample_spec_valid(&spec));
        assert_int_equal(pa_frame_size(&spec), pcm_frame_bytes(&f));
        assert_int_equal(spec.rate, f.rate);
    }
}

static pa_usec_t us(uint32_t bytes, const pa_sample_spec *spec)
{
    return pa_bytes_to_usec(bytes, spec);
}

/* Buffers are times: the same at every format. */
static void buffers_follow_the_target_in_time(void **state)
{
    (void)state;
    static const uint32_t rates[] = {44100, 48000, 88200, 96000, 176400, 192000};
    for (size_t r = 0; r < sizeof rates / sizeof rates[0]; r++)
        for (uint8_t channels = 1; channels <= PCM_MAX_CHANNELS; channels++)
            for (int64_t ms = 0; ms <= 400; ms += 4) {
                const struct pcm_format f = {.rate = rates[r], .width = 24, .channels = channels};
                pa_sample_spec spec;
                pa_buffer_attr a;
                pulse_sample_spec(&spec, &f, sample_type_of(f.width));
                pulse_buffer_attr(&a, &spec, ms * NS_PER_MS);
                const pa_usec_t want = (pa_usec_t)(ms + 100) * PA_USEC_PER_MSEC;
                const pa_usec_t often = ms < 12 ? 1 : ms < 30 ? (pa_usec_t)ms / 6 : 5;
                assert_in_range(us(a.tlength, &spec), want - 25, want);
                assert_in_range(us(a.minreq, &spec), often * PA_USEC_PER_MSEC - 25,
                                often * PA_USEC_PER_MSEC);
                assert_true(a.maxlength > a.tlength);
                assert_int_equal(a.prebuf, 0);
                assert_int_equal(a.tlength % pa_frame_size(&spec), 0);
                assert_int_equal(a.minreq % pa_frame_size(&spec), 0);
            }
}

/* ---- a stream that takes all it is given, instead of libpulse's ---- */

static uint8_t block[4096];
static size_t taken;

int pa_stream_begin_write(pa_stream *stream, void **data, size_t *bytes)
{
    (void)stream;
    *data = block;
    *bytes = *bytes < sizeof block ? *bytes : sizeof block;
    return 0;
}

int pa_stream_write(pa_stream *stream, const void *data, size_t bytes, pa_free_cb_t free_block,
                    int64_t offset, pa_seek_mode_t seek)
{
    (void)stream, (void)offset, (void)seek;
    assert_ptr_equal(data, block);
    assert_null(free_block);
    taken += bytes;
    assert_true(taken < 1 << 20); /* else it never ends */
    return 0;
}

/* After a stall the requests have been larger than the queue is: it holds what it can. */
static void silence_fills_the_queue_at_most(void **state)
{
    (void)state;
    const pa_sample_spec spec = {PA_SAMPLE_S16LE, 48000, 2};
    struct pulse_queue q = {
        .spec = &spec, .attr = {.tlength = 20000, .minreq = 1000}, .period = 20000};
    for (size_t room = 0; room <= 20000; room += 2000) {
        q.room = room;
        taken = 0;
        pulse_queue_fill(&q, true);
        assert_int_equal(taken, room);
        assert_int_equal(q.room, 0);
    }
    q.period = 1000; /* and no more than lasts until the next one */
    q.room = 20000;
    taken = 0;
    pulse_queue_fill(&q, true);
    assert_in_range(taken, 4000, 5000);
}

static void quantum_is_what_was_granted(void **state)
{
    (void)state;
    const struct pcm_format f = {.rate = 48000, .width = 16, .channels = 2};
    const pa_buffer_attr granted = {.tlength = 4800, .minreq = 1920};
    pa_sample_spec spec;
    pulse_sample_spec(&spec, &f, sample_type_of(f.width));
    assert_int_equal(pulse_quantum(&granted, &spec), 480);
}
#endif

int main(void)
{
#ifdef HAVE_PULSE
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(speakers_have_their_own_positions),
        cmocka_unit_test(a_7_1_map_reads_as_the_servers_own),
        cmocka_unit_test(every_mask_makes_a_valid_map),
        cmocka_unit_test(a_source_travels_unaltered),
        cmocka_unit_test(buffers_follow_the_target_in_time),
        cmocka_unit_test(quantum_is_what_was_granted),
        cmocka_unit_test(silence_fills_the_queue_at_most),
    };
    return cmocka_run_group_tests_name("pulse", tests, NULL, NULL);
#else
    return 0;
#endif
}
