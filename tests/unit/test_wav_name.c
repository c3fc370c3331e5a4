/* Where recordings go: a new file each, and beside what is there. */
#include "test.h"

#include "../../outputs/wav_file.h"
#include "../../outputs/wav_name.h"
#include "fed.h"
#include "parsed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void nothing_is_written_over(void **state)
{
    (void)state;
    FILE *old = fopen("scream.wav", "w");
    fputs("mine", old);
    fclose(old);
    for (int i = 2; i < 5; i++) { /* as after format changes */
        struct fed f;
        char path[32];
        uint32_t bytes = 0;
        assert_int_equal(fed_open(&f, &wav_driver, &stereo, NULL), 0);
        assert_int_equal(wav_driver.start(f.out), 0);
        assert_true(fed_send(&f, 1152 * 30));
        wav_driver.stop(f.out);
        snprintf(path, sizeof path, "scream-%d.wav", i);
        assert_sound(path, 4, 0, &bytes);
        assert_int_equal(bytes, 1152 * 30);
        char text[64];
        wav_driver.describe(f.out, text, sizeof text);
        assert_non_null(strstr(text, path));
        fed_close(&f);
    }
    struct stat st;
    assert_int_equal(stat("scream.wav", &st), 0);
    assert_int_equal(st.st_size, 4);
}

static void a_file_without_sound_is_not_left(void **state)
{
    (void)state;
    struct fed f;
    assert_int_equal(fed_open(&f, &wav_driver, &stereo, "none.wav"), 0);
    assert_int_equal(access("none.wav", F_OK), 0);
    assert_int_equal(wav_driver.start(f.out), 0);
    wav_driver.stop(f.out);
    fed_close(&f);
    assert_int_equal(access("none.wav", F_OK), -1);
}

/* Numbers below `until` are taken, but those from `gap` to its end. */
struct names {
    unsigned until, gap, gap_end, looks;
};

static bool is_taken(void *data, unsigned number)
{
    struct names *n = data;
    n->looks++;
    return number < n->until && (number < n->gap || number >= n->gap_end);
}

static void a_free_name_is_found_by_few_looks(void **state)
{
    (void)state;
    for (unsigned until = 1; until <= WAV_MOST_NAMES; until++) {
        struct names n = {.until = until};
        assert_int_equal(wav_name_free(is_taken, &n), until);
        assert_true(n.looks <= 28);
    }
    struct names all = {.until = WAV_MOST_NAMES + 1};
    assert_int_equal(wav_name_free(is_taken, &all), 0);
    for (unsigned gap = 1; gap < 90; gap++)
        for (unsigned until = gap; until < 100; until++) {
            struct names n = {.until = until, .gap = gap, .gap_end = gap + 5};
            const unsigned number = wav_name_free(is_taken, &n);
            assert_false(is_taken(&n, number));
            assert_true(number == 1 || is_taken(&n, number - 1));
        }
}

/* As a guest's format flaps. */
static void a_run_makes_no_more_files_than_it_may(void **state)
{
    (void)state;
    struct wav_file f;
    char why[256], path[PATH_MAX];
    for (unsigned i = 1; i <= WAV_MOST_NAMES; i++) {
        assert_int_equal(wav_name(path, "flaps.wav", i), 0);
        const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0666);
        assert_true(fd >= 0);
        close(fd);
        if (i % 1000 != 0)
            continue;
        assert_int_equal(wav_file_open(&f, "flaps.wav", &stereo, WAV_LIMIT, why, sizeof why), 0);
        assert_int_equal(wav_name(path, "flaps.wav", i + 1), 0);
        assert_string_equal(f.path, path);
        wav_file_close(&f); /* without sound: the name is free again */
    }
    assert_int_equal(wav_file_open(&f, "flaps.wav", &stereo, WAV_LIMIT, why, sizeof why), -EEXIST);
    assert_non_null(strstr(why, "'flaps-9999.wav'"));
    assert_non_null(strstr(why, "; move"));
}

static void a_link_to_nothing_is_not_followed(void **state)
{
    (void)state;
    struct wav_file f;
    char why[256];
    assert_int_equal(symlink("elsewhere.wav", "link.wav"), 0);
    assert_int_equal(wav_file_open(&f, "link.wav", &stereo, WAV_LIMIT, why, sizeof why), 0);
    assert_string_equal(f.path, "link-2.wav");
    wav_file_close(&f);
}

static void a_rehearsal_tells_and_leaves_nothing(void **state)
{
    (void)state;
    char text[256];
    assert_int_equal(wav_file_rehearse("new.wav", text, sizeof text), 0);
    assert_string_equal(text, "a new file, 'new.wav'");
    assert_int_equal(access("new.wav", F_OK), -1);
    assert_int_equal(close(open("new.wav", O_WRONLY | O_CREAT, 0666)), 0);
    assert_int_equal(wav_file_rehearse("new.wav", text, sizeof text), 0);
    assert_non_null(strstr(text, "'new-2.wav'"));
    assert_non_null(strstr(text, "not written over"));
    assert_int_equal(access("new-2.wav", F_OK), -1);
    assert_int_equal(wav_file_rehearse("nowhere/new.wav", text, sizeof text), -ENOENT);
    assert_non_null(strstr(text, "; make it"));
    assert_int_equal(wav_file_rehearse("new.wav/new.wav", text, sizeof text), -ENOTDIR);
    assert_int_equal(wav_file_rehearse("/proc/new.wav", text, sizeof text) < 0, geteuid() != 0);
    assert_int_equal(wav_file_rehearse(".", text, sizeof text), -ENOTSUP);
    assert_non_null(strstr(text, "; what is not goes with -o raw"));
}

static void what_is_no_file_is_refused(void **state)
{
    (void)state;
    const char *const names[] = {"/dev/null", "/tmp", "no/such/folder.wav"};
    for (size_t i = 0; i < 3; i++) {
        struct fed f;
        assert_true(fed_open(&f, &wav_driver, &stereo, names[i]) < 0);
        assert_non_null(strstr(f.why, names[i]));
        fed_close(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_folder(nothing_is_written_over),
        in_folder(a_file_without_sound_is_not_left),
        in_folder(a_free_name_is_found_by_few_looks),
        in_folder(a_run_makes_no_more_files_than_it_may),
        in_folder(a_link_to_nothing_is_not_followed),
        in_folder(a_rehearsal_tells_and_leaves_nothing),
        in_folder(what_is_no_file_is_refused),
    };
    return cmocka_run_group_tests_name("wav_name", tests, NULL, NULL);
}
