/* What is in the files that are written: all of the sound, or as much as fits. */
#include "test.h"

#include "../../outputs/wav_file.h"
#include "fed.h"
#include "parsed.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static uint8_t *source_bytes(uint64_t from, uint32_t bytes)
{
    uint8_t *pcm = malloc(bytes);
    for (uint32_t i = 0; i < bytes; i++)
        pcm[i] = fed_byte(from + i);
    return pcm;
}

static int append(struct wav_file *f, uint64_t from, uint32_t bytes)
{
    uint8_t *pcm = source_bytes(from, bytes);
    const int err = wav_file_write(f, pcm, bytes);
    free(pcm);
    return err;
}

static void the_header_says_what_it_is(void **state)
{
    (void)state;
    const struct {
        struct pcm_format format;
        uint32_t tag, mask;
    } cases[] = {
        {{.rate = 48000, .width = 16, .channels = 2, .mask = 3}, 0x0001, 0},
        {{.rate = 44100, .width = 16, .channels = 1, .mask = 0}, 0x0001, 0},
        {{.rate = 96000, .width = 24, .channels = 2, .mask = 3}, 0xfffe, 0x3},
        {{.rate = 48000, .width = 32, .channels = 1, .mask = 3}, 0xfffe, 0x4},
        {{.rate = 192000, .width = 32, .channels = 8, .mask = 0x63f}, 0xfffe, 0x63f},
        {{.rate = 48000, .width = 16, .channels = 6, .mask = 0x60f}, 0xfffe, 0x60f},
        {{.rate = 48000, .width = 16, .channels = 6, .mask = 0}, 0xfffe, 0x3f},
        /* FC LFE FL FR: what the mask lacks comes behind, so it is in no order of bits */
        {{.rate = 48000, .width = 16, .channels = 4, .mask = 0xc}, 0xfffe, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct wav_file f;
        struct parsed p;
        char why[256];
        const uint32_t bytes = pcm_frame_bytes(&cases[i].format) * 7;
        assert_int_equal(wav_file_open(&f, "h.wav", &cases[i].format, WAV_LIMIT, why, sizeof why),
                         0);
        assert_int_equal(append(&f, 0, bytes), 0);
        assert_true(parse_wav(&p, f.path));
        assert_int_equal(p.format_tag, cases[i].tag);
        assert_int_equal(p.mask, cases[i].mask);
        assert_int_equal(p.channels, cases[i].format.channels);
        assert_int_equal(p.rate, cases[i].format.rate);
        assert_int_equal(p.bits, cases[i].format.width);
        assert_int_equal(p.data, bytes);
        free(p.all);
        wav_file_close(&f);
    }
}

static void odd_lengths_are_padded(void **state)
{
    (void)state;
    const struct pcm_format format = {.rate = 48000, .width = 24, .channels = 1};
    struct wav_file f;
    char why[256];
    uint32_t at = 0, bytes = 0;
    assert_int_equal(wav_file_open(&f, "odd.wav", &format, WAV_LIMIT, why, sizeof why), 0);
    for (uint32_t frames = 1; frames < 20; frames++) {
        assert_int_equal(append(&f, at, frames * 3), 0);
        at += frames * 3;
        assert_sound("odd.wav", 3, 0, &bytes);
        assert_int_equal(bytes, at);
    }
    wav_file_close(&f);
    assert_sound("odd.wav", 3, 0, &bytes);
    assert_int_equal(bytes, at);
}

static void a_full_file_is_followed_by_another(void **state)
{
    (void)state;
    const struct pcm_format format = {.rate = 48000, .width = 24, .channels = 5};
    struct wav_file f;
    char why[256], path[32] = "full.wav";
    assert_int_equal(wav_file_open(&f, path, &format, 10000, why, sizeof why), 0);
    assert_int_equal(append(&f, 0, 15 * 100), 0);
    assert_int_equal(append(&f, 15 * 100, 15 * 1500), 0);
    wav_file_close(&f);
    uint64_t at = 0;
    for (int i = 1; at < 15 * 1600; i++) {
        struct stat st;
        uint32_t bytes = 0;
        if (i > 1)
            snprintf(path, sizeof path, "full-%d.wav", i);
        assert_sound(path, 15, at, &bytes);
        at += bytes;
        assert_int_equal(stat(path, &st), 0);
        assert_true(st.st_size <= 10000 && (st.st_size > 9980 || at == 15 * 1600));
    }
    assert_int_equal(at, 15 * 1600);
    assert_int_equal(access("full-4.wav", F_OK), -1);
}

static void every_format_is_recorded_whole(void **state)
{
    (void)state;
    int number = 0;
    for (uint8_t width = 16; width <= 32; width = (uint8_t)(width + 8))
        for (uint8_t channels = 1; channels <= 8; channels++) {
            const struct pcm_format format = {.rate = 96000, .width = width, .channels = channels};
            const uint32_t frame = pcm_frame_bytes(&format);
            struct fed f;
            char path[32];
            uint32_t bytes = 0;
            snprintf(path, sizeof path, "f%d.wav", number++);
            assert_int_equal(fed_open(&f, &wav_driver, &format, path), 0);
            assert_int_equal(wav_driver.start(f.out), 0);
            assert_true(fed_send(&f, frame * 4321 + frame / 2)); /* half a frame straddles */
            wav_driver.stop(f.out);
            assert_sound(path, frame, 0, &bytes);
            assert_int_equal(bytes, frame * 4321);
            fed_close(&f);
        }
}

static void what_fits_stays_when_the_rest_does_not(void **state)
{
    (void)state;
    const struct pcm_format format = {.rate = 48000, .width = 24, .channels = 1};
    struct rlimit before;
    struct wav_file f;
    char why[256];
    uint32_t bytes = 0;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(wav_file_open(&f, "fit.wav", &format, WAV_LIMIT, why, sizeof why), 0);
    for (rlim_t size = 1000; size < 1007; size++) { /* every phase of frame and padding */
        const struct rlimit small = {.rlim_cur = size, .rlim_max = before.rlim_max};
        setrlimit(RLIMIT_FSIZE, &small);
        const int err = append(&f, f.data, 3000);
        setrlimit(RLIMIT_FSIZE, &before);
        assert_int_equal(err, -EFBIG);
        assert_sound("fit.wav", 3, 0, &bytes);
        assert_true(bytes + 68 <= size && bytes + 68 + 6 > size);
    }
    wav_file_close(&f);
    assert_sound("fit.wav", 3, 0, &bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_folder(the_header_says_what_it_is),
        in_folder(odd_lengths_are_padded),
        in_folder(a_full_file_is_followed_by_another),
        in_folder(every_format_is_recorded_whole),
        in_folder(what_fits_stays_when_the_rest_does_not),
    };
    return cmocka_run_group_tests_name("wav", tests, NULL, NULL);
}
