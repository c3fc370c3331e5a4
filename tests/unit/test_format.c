#include "test.h"

#include "format.h"

#include <string.h>

static const uint8_t rate_codes[] = {0x81, 0x01, 0x82, 0x02, 0x84, 0x04};
static const uint32_t rates[] = {44100, 48000, 88200, 96000, 176400, 192000};

static void every_wire_value(void **state)
{
    (void)state;
    unsigned good = 0;
    for (unsigned v = 0; v < 1u << 24; v++) {
        const uint8_t wire[PCM_WIRE_BYTES] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16),
                                              0x3f, 0x06};
        struct pcm_format f;
        memset(&f, 0xee, sizeof f);
        const struct pcm_format before = f;
        if (pcm_format_parse(wire, &f) != PCM_OK) {
            assert_memory_equal(&f, &before, sizeof f);
            continue;
        }
        uint8_t back[PCM_WIRE_BYTES];
        pcm_format_wire(&f, back);
        assert_memory_equal(back, wire, sizeof wire);
        good++;
    }
    assert_int_equal(good, 6 * 3 * 8);
}

static void the_six_rates(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        const uint8_t wire[PCM_WIRE_BYTES] = {rate_codes[i], 24, 6, 0x0f, 0x06};
        struct pcm_format f;
        assert_int_equal(pcm_format_parse(wire, &f), PCM_OK);
        assert_int_equal(f.rate, rates[i]);
        assert_int_equal(f.mask, 0x60f);
        assert_int_equal(pcm_frame_bytes(&f), 18);
    }
}

static void faults_name_what_is_wrong(void **state)
{
    (void)state;
    struct pcm_format f;
    assert_int_equal(pcm_format_parse((const uint8_t[]){0, 16, 2, 3, 0}, &f), PCM_BAD_RATE);
    assert_int_equal(pcm_format_parse((const uint8_t[]){1, 8, 2, 3, 0}, &f), PCM_BAD_WIDTH);
    assert_int_equal(pcm_format_parse((const uint8_t[]){1, 16, 0, 3, 0}, &f), PCM_BAD_CHANNELS);
    assert_int_equal(pcm_format_parse((const uint8_t[]){1, 16, 9, 3, 0}, &f), PCM_BAD_CHANNELS);
    for (enum pcm_fault fault = PCM_OK; fault < PCM_FAULTS; fault++)
        assert_non_null(pcm_fault_text(fault));
}

static void durations(void **state)
{
    (void)state;
    const struct pcm_format f = {.rate = 44100, .width = 16, .channels = 2};
    assert_int_equal(pcm_bytes_of(&f, 1000000000), 44100 * 4);
    assert_int_equal(pcm_bytes_of(&f, 20000000), 882 * 4);
    assert_int_equal(pcm_bytes_of(&f, 1000), 0); /* not a whole frame */
    assert_int_equal(pcm_frames_ns(44100, 44100), 1000000000);
    /* a year at 192 kHz does not overflow */
    assert_int_equal(pcm_frames_ns(192000ull * 86400 * 365, 192000), 1000000000ll * 86400 * 365);
}

static void texts(void **state)
{
    (void)state;
    char text[64];
    pcm_format_text(&(struct pcm_format){.rate = 44100, .width = 16, .channels = 2}, text, 64);
    assert_string_equal(text, "44.1 kHz 16 bit stereo");
    pcm_format_text(&(struct pcm_format){.rate = 192000, .width = 32, .channels = 7}, text, 64);
    assert_string_equal(text, "192 kHz 32 bit 7 channels");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_wire_value),
        cmocka_unit_test(the_six_rates),
        cmocka_unit_test(faults_name_what_is_wrong),
        cmocka_unit_test(durations),
        cmocka_unit_test(texts),
    };
    return cmocka_run_group_tests_name("format", tests, NULL, NULL);
}
