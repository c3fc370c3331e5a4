#include "test.h"

#include "captured.h"
#include "log.h"
#include "plain.h"

#include <stdlib.h>
#include <string.h>

static void a_path_that_fits_is_told_whole(void **state)
{
    (void)state;
    char buf[LOG_PATH];
    assert_string_equal(log_path(buf, "/dev/shm/scream"), "/dev/shm/scream");
    assert_string_equal(log_path(buf, ""), "");
}

/* Both ends are there, and no character is cut in two, wherever the cuts fall. */
static void a_long_path_keeps_both_ends(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        char path[300] = "/ab", buf[LOG_PATH];
        path[shift] = '\0';
        for (int i = 0; i < 70; i++)
            strcat(path, "\xc3\xa9");
        strcat(path, "/end");
        const char *told = log_path(buf, path);
        const char *dots = strstr(told, "...");
        assert_true(strlen(told) < LOG_PATH && strlen(told) > LOG_PATH - 10);
        assert_non_null(dots);
        assert_memory_equal(told, path, (size_t)(dots - told));
        assert_int_equal(((unsigned char)dots[3] & 0xc0) == 0x80, 0);
        assert_int_equal((unsigned char)dots[-1], 0xa9);
        assert_string_equal(told + strlen(told) - 4, "/end");
    }
}

static void text_stays_as_it_is(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "a sink, 100 % ~ \"it\"",
        "Kopfh\xc3\xb6rer",
        "\xe9\x9f\xb3",
        "\xf0\x9f\x94\x8a!",
        "\xc2\xa0\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char text[64];
        strcpy(text, texts[i]);
        plain_text(text);
        assert_string_equal(text, texts[i]);
    }
}

static void controls_and_no_characters_are_marked(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
    } texts[] = {
        {"a\nscream: b", "a?scream: b"},
        {"\x1b[2J\t\r\x7f\x01", "?[2J????"},
        {"\xc2\x9b"
         "0m",
         "??0m"},                           /* C1 */
        {"\xff\xfe", "??"},                 /* never a first byte */
        {"\x80x", "?x"},                    /* nor this */
        {"\xc3", "?"},                      /* cut */
        {"\xe9\x9f", "??"},                 /* likewise */
        {"\xe9\x9f\xc3\xb6", "??\xc3\xb6"}, /* and the next one is whole */
        {"\xc0\xaf\xc1\xbf", "????"},       /* longer than need be */
        {"\xe0\x80\xaf", "???"},            /* likewise */
        {"\xf0\x80\x80\xaf", "????"},       /* likewise */
        {"\xed\xa0\x80", "???"},            /* a surrogate */
        {"\xf4\x90\x80\x80", "????"},       /* behind the last one */
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char text[64];
        strcpy(text, texts[i].from);
        plain_text(text);
        assert_string_equal(text, texts[i].to);
    }
}

/* One line whatever a name holds, and whole where it is cut. */
static void a_line_is_a_line(void **state)
{
    (void)state;
    static char text[4096], name[2048];
    const struct capture c = capture();
    log_info("sink '%s'", "x'\nscream: playing\x1b[1m");
    for (size_t i = 0; i < sizeof name - 2; i += 2)
        memcpy(name + i, "\xc3\xb6", 2);
    log_info("%s", name);
    log_info("x%s", name);
    captured(&c, text, sizeof text);
    assert_memory_equal(text, "scream: sink 'x'?scream: playing?[1m'\n", 38);
    assert_int_equal(count_of(text, "\n"), 3);
    assert_in_range(count_of(text, "?"), 2, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_that_fits_is_told_whole),
        cmocka_unit_test(a_long_path_keeps_both_ends),
        cmocka_unit_test(text_stays_as_it_is),
        cmocka_unit_test(controls_and_no_characters_are_marked),
        cmocka_unit_test(a_line_is_a_line),
    };
    unsetenv("JOURNAL_STREAM");
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
