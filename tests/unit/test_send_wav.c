#include "../../tools/send_wav.h"
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct image {
    uint8_t bytes[512];
    size_t size;
};

static void put(struct image *image, const void *bytes, size_t size)
{
    assert_true(image->size + size <= sizeof image->bytes);
    memcpy(image->bytes + image->size, bytes, size);
    image->size += size;
}

static void put_le(struct image *image, uint32_t value, size_t size)
{
    const uint8_t le[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                           (uint8_t)(value >> 24)};
    put(image, le, size);
}

static void put_chunk(struct image *image, const char *id, uint32_t size)
{
    put(image, id, 4);
    put_le(image, size, 4);
}

static void put_fmt(struct image *image, uint16_t tag, uint32_t rate, uint16_t width,
                    uint16_t channels)
{
    const uint16_t align = (uint16_t)(width / 8 * channels);
    put_le(image, tag, 2);
    put_le(image, channels, 2);
    put_le(image, rate, 4);
    put_le(image, rate * align, 4);
    put_le(image, align, 2);
    put_le(image, width, 2);
}

static void put_riff(struct image *image)
{
    *image = (struct image){0};
    put_chunk(image, "RIFF", 1000);
    put(image, "WAVE", 4);
}

/* `there` bytes of sound that count up, under a data chunk that claims `claimed`. */
static void put_data(struct image *image, uint32_t claimed, size_t there)
{
    put_chunk(image, "data", claimed);
    for (size_t i = 0; i < there; i++)
        put_le(image, (uint32_t)i, 1);
}

static void make_plain(struct image *image, uint32_t claimed, size_t there)
{
    put_riff(image);
    put_chunk(image, "fmt ", 16);
    put_fmt(image, 1, 44100, 24, 2);
    put_data(image, claimed, there);
}

static void put_guid(struct image *image, uint16_t tag)
{
    put_le(image, tag, 2);
    put(image, "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71", 14);
}

static void put_extensible(struct image *image, uint16_t subtype, uint16_t mask)
{
    put_chunk(image, "fmt ", 40);
    put_fmt(image, 0xfffe, 96000, 32, 6);
    put_le(image, 22, 2);
    put_le(image, 24, 2);
    put_le(image, mask, 4);
    put_guid(image, subtype);
}

static int open_image(const struct image *image, struct send_wav *wav, const char **why)
{
    char path[] = "/tmp/test_send_wav.XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, image->bytes, image->size), image->size);
    close(fd);
    *why = NULL;
    const int err = send_wav_open(wav, path, why);
    unlink(path);
    assert_true((err == 0) == (wav->fd >= 0));
    assert_true(err == 0 || (*why && **why));
    return err;
}

static void refuse(const struct image *image, const char *reason)
{
    struct send_wav wav;
    const char *why;
    assert_int_equal(open_image(image, &wav, &why), -EINVAL);
    if (!strstr(why, reason))
        fail_msg("'%s' is not about '%s'", why, reason);
}

static void plain_pcm_is_read(void **state)
{
    (void)state;
    struct image image;
    struct send_wav wav;
    const char *why;
    uint8_t buf[64];
    make_plain(&image, 30, 30);
    put_chunk(&image, "LIST", 4); /* what follows the data is no sound */
    put(&image, "info", 4);
    assert_int_equal(open_image(&image, &wav, &why), 0);
    assert_int_equal(wav.format.rate, 44100);
    assert_int_equal(wav.format.width, 24);
    assert_int_equal(wav.format.channels, 2);
    assert_int_equal(wav.format.mask, 3);
    assert_int_equal(wav.bytes, 30);
    assert_int_equal(send_wav_read(&wav, 0, buf, sizeof buf), 30);
    assert_int_equal(buf[29], 29);
    assert_int_equal(send_wav_read(&wav, 7, buf, 5), 5);
    assert_int_equal(buf[0], 7);
    assert_int_equal(send_wav_read(&wav, 28, buf, 5), 2);
    assert_int_equal(send_wav_read(&wav, 30, buf, 5), 0);
    assert_int_equal(send_wav_read(&wav, UINT64_MAX, buf, 5), 0);
    send_wav_close(&wav);
    send_wav_close(&wav);
}

static void extensible_brings_its_mask(void **state)
{
    (void)state;
    struct image image;
    struct send_wav wav;
    const char *why;
    put_riff(&image);
    put_chunk(&image, "odd ", 3); /* chunks are padded to even sizes */
    put(&image, "abc\0", 4);
    put_extensible(&image, 1, 0x60f);
    put_data(&image, 48, 48);
    assert_int_equal(open_image(&image, &wav, &why), 0);
    assert_int_equal(wav.format.mask, 0x60f);
    assert_int_equal(wav.format.rate, 96000);
    assert_int_equal(wav.format.width, 32);
    assert_int_equal(wav.format.channels, 6);
    assert_int_equal(wav.bytes, 48);
    send_wav_close(&wav);
}

static void data_beyond_the_end_is_cut_to_whole_frames(void **state)
{
    (void)state;
    static const uint32_t claims[] = {32, 0x7fffffff, 0xffffffff};
    for (size_t i = 0; i < 3; i++) {
        struct image image;
        struct send_wav wav;
        const char *why;
        uint8_t buf[64];
        make_plain(&image, claims[i], 31);
        assert_int_equal(open_image(&image, &wav, &why), 0);
        assert_int_equal(wav.bytes, 30);
        assert_int_equal(send_wav_read(&wav, 0, buf, sizeof buf), 30);
        send_wav_close(&wav);
    }
}

/* Every prefix of a good file is a clean error or a good file with less in it. */
static void any_truncation_is_survived(void **state)
{
    (void)state;
    struct image image;
    put_riff(&image);
    put_extensible(&image, 1, 0x3f);
    put_data(&image, 48, 48);
    const size_t whole = image.size, header = whole - 48;
    for (; image.size > 0; image.size--) {
        struct send_wav wav;
        const char *why;
        const int err = open_image(&image, &wav, &why);
        assert_int_equal(err, image.size >= header + 24 ? 0 : -EINVAL);
        if (err == 0)
            assert_int_equal(wav.bytes, image.size == whole ? 48 : 24);
        send_wav_close(&wav);
    }
    refuse(&image, "no WAV"); /* the empty file */
}

static void what_a_guest_cannot_have_is_refused(void **state)
{
    (void)state;
    static const struct {
        uint16_t tag;
        uint32_t rate;
        uint16_t width, channels;
        const char *reason;
    } bad[] = {
        {3, 48000, 32, 2, "integer PCM"},   {2, 48000, 16, 2, "integer PCM"},
        {1, 22050, 16, 2, "44100"},         {1, 0, 16, 2, "44100"},
        {1, 48000, 8, 2, "16, 24 or 32"},   {1, 48000, 0, 2, "16, 24 or 32"},
        {1, 48000, 16, 0, "1 to 8"},        {1, 48000, 16, 9, "1 to 8"},
        {1, 48000, 16, 257, "1 to 8"},      {1, 0xffffffff, 0xffff, 0xffff, "44100"},
        {1, 48000, 272, 2, "16, 24 or 32"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct image image;
        put_riff(&image);
        put_chunk(&image, "fmt ", 16);
        put_fmt(&image, bad[i].tag, bad[i].rate, bad[i].width, bad[i].channels);
        put_data(&image, 48, 48);
        refuse(&image, bad[i].reason);
    }
}

static void damaged_files_are_refused(void **state)
{
    (void)state;
    struct image image;
    make_plain(&image, 30, 30);
    image.bytes[0] = 'X';
    refuse(&image, "no WAV");
    make_plain(&image, 30, 30);
    image.bytes[8] = 'X';
    refuse(&image, "no WAV");
    make_plain(&image, 0, 0);
    refuse(&image, "no sound");
    make_plain(&image, 5, 5);
    refuse(&image, "no sound");
    make_plain(&image, 30, 30);
    image.bytes[32] = 5; /* the frame size */
    refuse(&image, "frame size");
    put_riff(&image);
    put_chunk(&image, "fmt ", 14);
    put_fmt(&image, 1, 48000, 16, 2);
    refuse(&image, "too short");
    put_riff(&image);
    put_chunk(&image, "fmt ", 18); /* extensible in name only */
    put_fmt(&image, 0xfffe, 48000, 16, 2);
    put_le(&image, 0, 2);
    put_data(&image, 48, 48);
    refuse(&image, "too short");
    put_riff(&image);
    put_extensible(&image, 3, 0x3f); /* float */
    put_data(&image, 48, 48);
    refuse(&image, "integer PCM");
    put_riff(&image);
    put_data(&image, 48, 48);
    refuse(&image, "format");
    put_riff(&image);
    put_chunk(&image, "junk", 0xffffffff); /* leads beyond the end */
    put_data(&image, 48, 48);
    refuse(&image, "ends before");
    put_riff(&image);
    for (int i = 0; i < 40; i++)
        put_chunk(&image, "none", 0);
    refuse(&image, "ends before");
}

static void what_is_no_file_is_refused(void **state)
{
    (void)state;
    struct send_wav wav;
    const char *why = NULL;
    char path[] = "/tmp/test_send_wav.XXXXXX", fifo[64];
    assert_non_null(mkdtemp(path));
    assert_int_equal(send_wav_open(&wav, path, &why), -EINVAL);
    assert_non_null(strstr(why, "regular"));
    snprintf(fifo, sizeof fifo, "%s/fifo", path);
    assert_int_equal(send_wav_open(&wav, fifo, &why), -ENOENT);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(send_wav_open(&wav, fifo, &why), -EINVAL); /* and does not block */
    unlink(fifo);
    rmdir(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_pcm_is_read),
        cmocka_unit_test(extensible_brings_its_mask),
        cmocka_unit_test(data_beyond_the_end_is_cut_to_whole_frames),
        cmocka_unit_test(any_truncation_is_survived),
        cmocka_unit_test(what_a_guest_cannot_have_is_refused),
        cmocka_unit_test(damaged_files_are_refused),
        cmocka_unit_test(what_is_no_file_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
