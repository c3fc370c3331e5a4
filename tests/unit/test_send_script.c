#include "../../src/clock.h"
#include "../../tools/send_format.h"
#include "../../tools/send_script.h"
#include "test.h"

#include <errno.h>
#include <string.h>

static void every_format_reads_back(void **state)
{
    (void)state;
    const uint32_t rates[] = {44100, 48000, 88200, 96000, 176400, 192000};
    for (size_t r = 0; r < 6; r++)
        for (unsigned width = 16; width <= 32; width += 8)
            for (unsigned channels = 1; channels <= 8; channels++) {
                const struct pcm_format f = {.rate = rates[r],
                                             .width = (uint8_t)width,
                                             .channels = (uint8_t)channels,
                                             .mask = (uint16_t)(0xfffe + channels)};
                struct pcm_format got = {0};
                char text[64];
                send_format_text(&f, text, sizeof text);
                assert_int_equal(send_format_parse(text, &got), 0);
                assert_true(pcm_format_equal(&f, &got));
            }
}

static void masks_default_to_the_usual(void **state)
{
    (void)state;
    static const uint16_t usual[9] = {0, 0x4, 0x3, 0x7, 0x33, 0x37, 0x3f, 0x13f, 0x63f};
    for (unsigned channels = 1; channels <= 8; channels++) {
        struct pcm_format f;
        char text[32];
        snprintf(text, sizeof text, "48000/16/%u", channels);
        assert_int_equal(send_format_parse(text, &f), 0);
        assert_int_equal(f.mask, usual[channels]);
    }
}

static void bad_formats_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "48000",
                                      "48000/16",
                                      "48000/16/",
                                      "48000/16/2/",
                                      "48000/16/2/10000",
                                      "48000/16/2/3/4",
                                      "48000/16/2x",
                                      "48000/16/9",
                                      "48000/16/0",
                                      "48000/8/2",
                                      "48000/272/2",
                                      "48000/16/258",
                                      "22050/16/2",
                                      "48001/16/2",
                                      "132300/16/2",
                                      "12336000/16/2",
                                      "-48000/16/2",
                                      " 48000/16/2",
                                      "48000/+16/2",
                                      "4294967296000/16/2"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct pcm_format f = {.rate = 1};
        assert_int_equal(send_format_parse(bad[i], &f), -EINVAL);
        assert_int_equal(f.rate, 1);
    }
}

static void seconds_are_bounded(void **state)
{
    (void)state;
    int64_t ns;
    assert_int_equal(send_seconds_parse("2.5", &ns), 0);
    assert_int_equal(ns, 2500 * NS_PER_MS);
    assert_int_equal(send_seconds_parse("1e-9", &ns), 0);
    assert_int_equal(ns, 1);
    static const char *const bad[] = {"", "0", "-1", "nan", "inf", "1e30", "1e-10", "3s"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(send_seconds_parse(bad[i], &ns), -EINVAL);
}

static int read_text(const char *text, struct script *script, size_t *line)
{
    const char *why = NULL;
    FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    assert_non_null(file);
    const int err = script_read(script, file, SIGNAL_WALK, line, &why);
    fclose(file);
    assert_true(err == 0 || (why && *why));
    return err;
}

static void a_script_is_its_steps(void **state)
{
    (void)state;
    struct script script;
    size_t line;
    assert_int_equal(read_text("# a comment\n"
                               "\n"
                               "3 44100/24/6 noise  # the rest\n"
                               "\t2.5 pause\r\n"
                               "0.1 192000/32/8/ffff",
                               &script, &line),
                     0);
    assert_int_equal(script.count, 3);
    assert_int_equal(script.steps[0].duration, 3 * NS_PER_S);
    assert_int_equal(script.steps[0].signal, SIGNAL_NOISE);
    assert_false(script.steps[0].pause);
    assert_int_equal(script.steps[0].format.rate, 44100);
    assert_int_equal(script.steps[0].format.width, 24);
    assert_int_equal(script.steps[0].format.channels, 6);
    assert_int_equal(script.steps[1].duration, 2500 * NS_PER_MS);
    assert_true(script.steps[1].pause);
    assert_int_equal(script.steps[2].signal, SIGNAL_WALK);
    assert_int_equal(script.steps[2].format.mask, 0xffff);
    script_finish(&script);
    assert_int_equal(script.count, 0);
}

static void bad_lines_are_named(void **state)
{
    (void)state;
    static const char *const bad[] = {"3",          "x 48000/16/2",         "0 pause",
                                      "3 48000/16", "3 48000/16/2 music",   "3 pause noise",
                                      "3 stop",     "1 48000/16/2 sine 2 3"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct script script;
        size_t line;
        char text[128];
        snprintf(text, sizeof text, "1 48000/16/2\n#\n%s\n1 pause\n", bad[i]);
        assert_int_equal(read_text(text, &script, &line), -EINVAL);
        assert_int_equal(line, 3);
        assert_null(script.steps);
    }
}

static void a_script_of_nothing_is_refused(void **state)
{
    (void)state;
    struct script script;
    size_t line;
    char long_line[2000];
    assert_int_equal(read_text("# only this\n\n", &script, &line), -EINVAL);
    memset(long_line, ' ', sizeof long_line);
    long_line[sizeof long_line - 1] = '\0';
    assert_int_equal(read_text(long_line, &script, &line), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format_reads_back),
        cmocka_unit_test(masks_default_to_the_usual),
        cmocka_unit_test(bad_formats_are_refused),
        cmocka_unit_test(seconds_are_bounded),
        cmocka_unit_test(a_script_is_its_steps),
        cmocka_unit_test(bad_lines_are_named),
        cmocka_unit_test(a_script_of_nothing_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
