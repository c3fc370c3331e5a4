/* Channel maps. */
#include "test.h"

#include "../../outputs/alsa_chmap.h"

#include <stdlib.h>
#include <string.h>

static snd_pcm_chmap_t *told(unsigned channels, const unsigned *pos)
{
    snd_pcm_chmap_t *map = calloc(1, sizeof *map + channels * sizeof *pos);
    map->channels = channels;
    memcpy(map->pos, pos, channels * sizeof *pos);
    return map;
}

static void read_is(unsigned channels, const unsigned *pos, uint16_t mask, const char *expected)
{
    snd_pcm_chmap_t *theirs = pos ? told(channels, pos) : NULL;
    struct chmap source, map;
    char text[64];
    chmap_from_mask(&source, mask, (uint8_t)channels);
    alsa_chmap_read(&map, theirs, (uint8_t)channels, &source);
    chmap_text(&map, text, sizeof text);
    assert_string_equal(text, expected);
    free(theirs);
}

static void what_a_device_tells_is_read(void **state)
{
    (void)state;
    const unsigned windows[] = {SND_CHMAP_FL,  SND_CHMAP_FR, SND_CHMAP_FC,
                                SND_CHMAP_LFE, SND_CHMAP_SL, SND_CHMAP_SR};
    const unsigned unknown[] = {SND_CHMAP_UNKNOWN, SND_CHMAP_NA, SND_CHMAP_UNKNOWN, SND_CHMAP_NA};
    const unsigned doubled[] = {SND_CHMAP_FL, SND_CHMAP_FR, SND_CHMAP_FL, SND_CHMAP_FR};
    const unsigned wide[] = {SND_CHMAP_FLW, SND_CHMAP_FRW, SND_CHMAP_FL,
                             SND_CHMAP_FR | SND_CHMAP_PHASE_INVERSE};
    read_is(1, NULL, 0, "MONO");
    read_is(2, NULL, 0, "FL FR");
    read_is(4, NULL, 0, "FL FR BL BR");
    read_is(6, NULL, 0, "FL FR BL BR FC LFE");
    read_is(8, NULL, 0, "FL FR BL BR FC LFE SL SR");
    read_is(6, windows, 0, "FL FR FC LFE SL SR");
    read_is(4, unknown, 0, "FL FR BL BR");
    read_is(4, doubled, 0x33, "FL FR TBL TFR");
    read_is(4, wide, 0x33, "TBL TFR FL FR");
    read_is(4, wide, 0x8003, "TFR TFC FL FR"); /* TBL is sound here, and stays off them */
}

static unsigned chosen(uint16_t mask, uint8_t channels, uint32_t accepts)
{
    struct chmap source;
    struct alsa_layout layout;
    chmap_from_mask(&source, mask, channels);
    alsa_chmap_choose(&layout, accepts, NULL, &source);
    return layout.channels;
}

static void each_channel_gets_a_speaker_where_it_can(void **state)
{
    (void)state;
    const uint32_t any = 0x1fe, pair = 1 << 2;
    assert_int_equal(chosen(0x003, 2, any), 2);
    assert_int_equal(chosen(0x004, 1, any), 1);
    assert_int_equal(chosen(0x004, 1, pair), 2);
    assert_int_equal(chosen(0x03f, 6, any), 6);
    assert_int_equal(chosen(0x60f, 6, any), 6); /* side speakers on rear ones */
    assert_int_equal(chosen(0x033, 4, any), 4);
    assert_int_equal(chosen(0x00f, 4, any), 6); /* FL FR FC LFE */
    assert_int_equal(chosen(0x007, 3, any), 5); /* 3 has no convention */
    assert_int_equal(chosen(0x63f, 8, any), 8);
    assert_int_equal(chosen(0x63f, 8, pair), 2);
    assert_int_equal(chosen(0x63f, 8, pair | 1 << 6), 6);
    assert_int_equal(chosen(0x003, 2, 1 << 8), 8);
    assert_int_equal(chosen(0x007, 3, 1 << 3), 3); /* there is nothing else */
    assert_int_equal(chosen(0x003, 2, 0), 0);
}

static void an_offered_map_is_preferred(void **state)
{
    (void)state;
    const unsigned rear[] = {SND_CHMAP_FL, SND_CHMAP_FR, SND_CHMAP_FLC, SND_CHMAP_FRC};
    const unsigned quad[] = {SND_CHMAP_FL, SND_CHMAP_FR, SND_CHMAP_RL, SND_CHMAP_RR};
    snd_pcm_chmap_query_t *offers[3] = {0};
    for (int i = 0; i < 2; i++) {
        offers[i] = calloc(1, sizeof **offers + 4 * sizeof(unsigned));
        offers[i]->map.channels = 4;
        memcpy(offers[i]->map.pos, i ? quad : rear, sizeof quad);
    }
    struct chmap source;
    struct alsa_layout layout;
    chmap_from_mask(&source, 0x33, 4);
    alsa_chmap_choose(&layout, 0x1fe, offers, &source);
    assert_int_equal(layout.channels, 4);
    assert_ptr_equal(layout.ask, &offers[1]->map);
    chmap_from_mask(&source, 3, 2); /* a plug that would take two, before a device that has four */
    alsa_chmap_choose(&layout, 0x1fe, offers, &source);
    assert_int_equal(layout.channels, 4);
    free(offers[0]);
    free(offers[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_device_tells_is_read),
        cmocka_unit_test(each_channel_gets_a_speaker_where_it_can),
        cmocka_unit_test(an_offered_map_is_preferred),
    };
    return cmocka_run_group_tests_name("alsa_chmap", tests, NULL, NULL);
}
