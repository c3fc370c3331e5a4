#include "test.h"

#include "chmap.h"

#include <string.h>

static void assert_map(uint16_t mask, uint8_t channels, const char *expected)
{
    struct chmap map;
    char text[64];
    chmap_from_mask(&map, mask, channels);
    chmap_text(&map, text, sizeof text);
    assert_string_equal(text, expected);
}

static void every_mask_with_every_count(void **state)
{
    (void)state;
    for (unsigned mask = 0; mask <= 0xffff; mask++)
        for (uint8_t channels = 1; channels <= PCM_MAX_CHANNELS; channels++) {
            struct chmap map;
            unsigned seen = 0;
            chmap_from_mask(&map, (uint16_t)mask, channels);
            assert_int_equal(map.channels, channels);
            for (uint8_t i = 0; i < channels; i++) {
                assert_true(map.pos[i] < CHPOS_COUNT);
                assert_int_equal(seen >> map.pos[i] & 1, 0);
                seen |= 1u << map.pos[i];
            }
            /* a mask that says as much as there are channels is taken at its word */
            if (__builtin_popcount(mask) == channels && mask != 0xffff && channels > 1)
                assert_int_equal(seen, mask);
        }
}

static void what_the_driver_sends(void **state)
{
    (void)state;
    assert_map(0x003, 2, "FL FR");
    assert_map(0x03f, 6, "FL FR FC LFE BL BR");
    assert_map(0x60f, 6, "FL FR FC LFE SL SR");
    assert_map(0x63f, 8, "FL FR FC LFE BL BR SL SR");
    assert_map(0x0ff, 8, "FL FR FC LFE BL BR FLC FRC");
    assert_map(0x033, 4, "FL FR BL BR");
    assert_map(0x004, 1, "MONO");
    assert_map(0x001, 1, "FL");
}

static void masks_that_say_nothing(void **state)
{
    (void)state;
    assert_map(0x003, 1, "MONO"); /* a plain format is always marked so */
    assert_map(0x003, 6, "FL FR FC LFE BL BR");
    assert_map(0x000, 8, "FL FR FC LFE BL BR SL SR");
    assert_map(0xffff, 2, "FL FR"); /* the Linux transmitter's */
    assert_map(0xffff, 4, "FL FR BL BR");
    assert_map(0x63f, 6, "FL FR FC LFE BL BR"); /* too many bits: the lowest */
    assert_map(0x030, 4, "BL BR FL FR");        /* too few: those first */
}

static void mix_of(struct chmix *mix, uint16_t from_mask, uint8_t from, uint16_t to_mask,
                   uint8_t to)
{
    struct chmap a, b;
    chmap_from_mask(&a, from_mask, from);
    chmap_from_mask(&b, to_mask, to);
    chmix_build(mix, &a, &b);
}

static void same_speakers_other_order(void **state)
{
    (void)state;
    struct chmap wire,
        alsa = {8,
                {CHPOS_FL, CHPOS_FR, CHPOS_BL, CHPOS_BR, CHPOS_FC, CHPOS_LFE, CHPOS_SL, CHPOS_SR}};
    static const uint8_t comes_from[] = {0, 1, 4, 5, 2, 3, 6, 7};
    struct chmix mix;
    chmap_from_mask(&wire, 0x63f, 8);
    chmix_build(&mix, &wire, &alsa);
    assert_false(mix.identity);
    for (uint8_t out = 0; out < 8; out++)
        for (uint8_t in = 0; in < 8; in++)
            assert_true(mix.gain[out][in] == (in == comes_from[out] ? 1.0f : 0.0f));
    mix_of(&mix, 0x3f, 6, 0x3f, 6);
    assert_true(mix.identity);
}

/* No mask, on no output, loses a channel or exceeds full scale. */
static void every_fold_keeps_every_channel(void **state)
{
    (void)state;
    static const uint16_t outputs[][2] = {{0, 1}, {3, 2}, {7, 3}, {0x33, 4}, {0x3f, 6}, {0x63f, 8}};
    for (unsigned mask = 0; mask <= 0xffff; mask += 3)
        for (uint8_t in = 1; in <= PCM_MAX_CHANNELS; in++)
            for (size_t o = 0; o < 6; o++) {
                struct chmix mix;
                mix_of(&mix, (uint16_t)mask, in, outputs[o][0], (uint8_t)outputs[o][1]);
                float column[PCM_MAX_CHANNELS] = {0};
                for (uint8_t y = 0; y < mix.out; y++) {
                    float row = 0;
                    for (uint8_t x = 0; x < mix.in; x++) {
                        assert_true(mix.gain[y][x] >= 0);
                        row += mix.gain[y][x];
                        column[x] += mix.gain[y][x];
                    }
                    assert_true(row <= 1.0001f);
                }
                for (uint8_t x = 0; x < mix.in; x++)
                    assert_true(column[x] > 0.05f);
            }
}

static void centre_to_stereo_is_balanced(void **state)
{
    (void)state;
    struct chmix mix;
    mix_of(&mix, 0x3f, 6, 3, 2);
    assert_true(mix.gain[0][2] == mix.gain[1][2]);
    assert_true(mix.gain[0][0] > mix.gain[0][2]); /* front louder than what is folded in */
    assert_true(mix.gain[1][0] == 0);             /* left stays left */
    mix_of(&mix, 0, 1, 3, 2);
    assert_true(mix.gain[0][0] == 1 && mix.gain[1][0] == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mask_with_every_count),
        cmocka_unit_test(what_the_driver_sends),
        cmocka_unit_test(masks_that_say_nothing),
        cmocka_unit_test(same_speakers_other_order),
        cmocka_unit_test(every_fold_keeps_every_channel),
        cmocka_unit_test(centre_to_stereo_is_balanced),
    };
    return cmocka_run_group_tests_name("chmap", tests, NULL, NULL);
}
