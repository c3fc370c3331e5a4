/* alsa-lib's own plugins, in a configuration of ours. */
#include "test.h"

#include "../../outputs/drivers.h"
#include "clock.h"
#include "fed.h"

#include <alsa/asoundlib.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const struct pcm_format stereo = {.rate = 48000, .width = 16, .channels = 2, .mask = 3};

static const char configuration[] =
    "pcm.nothing { type null }\n"
    "pcm.floats { type lfloat slave { pcm { type null } format S16_LE } }\n"
    "pcm.recorded { type file slave.pcm { type null } file \"recorded.raw\" format raw }\n"
    "pcm.converted { type plug slave { pcm recorded rate 48000 channels 2 format S32_LE } }\n";

static int configure(void **state)
{
    char *folder = strdup("/tmp/scream-test-alsa-XXXXXX");
    *state = folder;
    if (!mkdtemp(folder) || chdir(folder) < 0)
        return -1;
    FILE *file = fopen("asound.conf", "w");
    if (!file)
        return -1;
    fputs(configuration, file);
    fclose(file);
    return setenv("ALSA_CONFIG_PATH", "asound.conf", 1);
}

static int tidy(void **state)
{
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", (char *)*state);
    free(*state);
    snd_config_update_free_global();
    return chdir("/") < 0 || system(command) != 0;
}

static int64_t cpu_time(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void a_device_without_a_clock_is_paced(void **state)
{
    (void)state;
    struct fed f;
    assert_int_equal(fed_open(&f, &alsa_driver, &stereo, "nothing"), 0);
    const int64_t cpu = cpu_time(), begin = clock_now();
    assert_int_equal(alsa_driver.start(f.out), 0);
    fed_play(&f, 600, NULL, 0);
    const int64_t passed = clock_now() - begin;
    fed_stop_is_quick(&f);
    assert_int_equal(atomic_load(&f.out->failure), 0);
    const uint64_t frames = count_read(&f.stream.counters.frames);
    assert_true(frames > 48000 * 3 / 10);
    assert_true((int64_t)frames <= 48000 * passed / NS_PER_S + 2 * 960);
    assert_true(cpu_time() - cpu < passed * 6 / 10); /* a spinning feeder takes all of it */
    fed_close(&f);
}

static void no_such_device_fails_at_once(void **state)
{
    (void)state;
    struct fed f;
    const int64_t before = clock_now();
    assert_true(alsa_driver.probe(&(struct output_config){0}) < 0); /* no `default` here */
    assert_true(fed_open(&f, &alsa_driver, &stereo, "nonesuch") < 0);
    assert_true(clock_now() - before < NS_PER_S);
    assert_non_null(strstr(f.why, "'nonesuch'"));
    fed_close(&f);
    assert_int_equal(alsa_driver.probe(&(struct output_config){.device = "nothing"}), 0);
}

static void floats_are_taken_where_there_is_nothing_else(void **state)
{
    (void)state;
    struct fed f;
    char text[160];
    assert_int_equal(fed_open(&f, &alsa_driver, &stereo, "floats"), 0);
    alsa_driver.describe(f.out, text, sizeof text);
    assert_non_null(strstr(text, "F32"));
    fed_close(&f);
}

/* What the file plugin wrote: its first sound, from the end of the fade-in that need not be. */
static uint8_t *recording(size_t *size)
{
    struct stat st;
    const int fd = open("recorded.raw", O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    *size = (size_t)st.st_size;
    uint8_t *all = malloc(*size + 1);
    assert_int_equal(read(fd, all, *size), *size);
    close(fd);
    unlink("recorded.raw");
    return all;
}

/* Each recorded channel c is the source's channel order[c], bit by bit. */
static void recorded_is(const struct pcm_format *format, const uint8_t *order)
{
    struct fed f;
    assert_int_equal(fed_open(&f, &alsa_driver, format, "recorded"), 0);
    assert_int_equal(alsa_driver.start(f.out), 0);
    fed_play(&f, 500, NULL, 0);
    fed_stop_is_quick(&f);
    assert_int_equal(count_read(&f.stream.counters.underruns), 0);
    fed_close(&f);

    size_t size, at = 0;
    uint8_t *all = recording(&size);
    const uint32_t sample = format->width / 8, frame = pcm_frame_bytes(format);
    while (at < size && all[at] == 0)
        at++;
    at = at / frame * frame;
    assert_true(size - at > format->rate / 10 * frame);
    uint64_t first = 0; /* the player may begin a little into the stream */
    for (bool same = false; !same; first += same ? 0 : frame) {
        assert_true(first < format->rate * frame);
        same = true;
        for (uint32_t i = 0; i < 4 * frame && same; i++)
            same = all[at + i] == fed_byte(first + i / frame * frame +
                                           order[i % frame / sample] * sample + i % sample);
    }
    for (size_t i = 0; i < (size_t)format->rate / 10 * frame; i++)
        assert_int_equal(all[at + i], fed_byte(first + i / frame * frame +
                                               order[i % frame / sample] * sample + i % sample));
    free(all);
}

static void sound_arrives_bit_by_bit_on_its_speaker(void **state)
{
    (void)state;
    const struct pcm_format packed = {.rate = 44100, .width = 24, .channels = 2, .mask = 3};
    const struct pcm_format surround = {.rate = 48000, .width = 16, .channels = 6, .mask = 0x3f};
    const struct pcm_format wide = {.rate = 96000, .width = 24, .channels = 8, .mask = 0x63f};
    recorded_is(&stereo, (const uint8_t[]){0, 1});
    recorded_is(&packed, (const uint8_t[]){0, 1});
    recorded_is(&surround, (const uint8_t[]){0, 1, 4, 5, 2, 3});
    recorded_is(&wide, (const uint8_t[]){0, 1, 4, 5, 2, 3, 6, 7});
}

static void a_plug_plays_every_format(void **state)
{
    (void)state;
    const uint32_t rates[] = {44100, 48000, 192000};
    for (size_t r = 0; r < 3; r++)
        for (uint8_t width = 16; width <= 32; width = (uint8_t)(width + 8))
            for (uint8_t channels = 1; channels <= 8; channels++) {
                const struct pcm_format format = {
                    .rate = rates[r], .width = width, .channels = channels};
                struct fed f;
                assert_int_equal(fed_open(&f, &alsa_driver, &format, "converted"), 0);
                assert_int_equal(alsa_driver.start(f.out), 0);
                fed_stop_is_quick(&f);
                assert_int_equal(atomic_load(&f.out->failure), 0);
                fed_close(&f);
            }
    unlink("recorded.raw");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_without_a_clock_is_paced),
        cmocka_unit_test(no_such_device_fails_at_once),
        cmocka_unit_test(floats_are_taken_where_there_is_nothing_else),
        cmocka_unit_test(sound_arrives_bit_by_bit_on_its_speaker),
        cmocka_unit_test(a_plug_plays_every_format),
    };
    return cmocka_run_group_tests_name("alsa_plugins", tests, configure, tidy);
}
