/* What is told of a voice. */
#include "test.h"

#include "captured.h"
#include "log.h"
#include "voiced.h"

#include <string.h>

/* The log is bounded, and ends with the truth. */
static void ten_thousand_formats_are_a_few_lines(void **state)
{
    (void)state;
    static char text[1 << 16];
    for (int last = 0; last < 2; last++) {
        struct voiced v;
        voiced_open_exact(&v);
        log_set_level(last ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
        const struct capture c = capture();
        for (int i = 0; i < 10000 + last; i++)
            voiced_take_all(&v, 10, i % 2 ? &slow : &fast, false);
        voiced_take_all(&v, 1200, NULL, false);
        log_set_level(LOG_LEVEL_ERROR);
        captured(&c, text, sizeof text);
        assert_in_range(count_of(text, "\n"), 6, 12); /* in 100 s */
        const char *end = strstr(text, last ? "playing 48" : "playing 44.1");
        for (const char *at = end; at; at = strstr(at + 1, "playing"))
            end = at;
        assert_non_null(end);
        assert_ptr_equal(strstr(end, last ? "playing 48" : "playing 44.1"), end);
        voiced_close(&v);
    }
}

/* As does that of one that opens and fails. */
static void an_output_that_fails_always_is_a_few_lines(void **state)
{
    (void)state;
    static char text[1 << 16];
    struct voiced v;
    voiced_open(&v);
    told.fails_at_once = true;
    voiced_begin(&v, &fast);
    log_set_level(LOG_LEVEL_DEBUG);
    const struct capture c = capture();
    voiced_run(&v, 100000, true, true);
    told.fails_at_once = false;
    voiced_run(&v, 2000, true, true);
    log_set_level(LOG_LEVEL_ERROR);
    captured(&c, text, sizeof text);
    assert_in_range(count_of(text, "\n"), 6, 12);
    const char *last = strstr(text, "left out");
    for (const char *at = last; at; at = strstr(at + 1, "left out"))
        last = at;
    assert_non_null(last);
    while (last > text && last[-1] != '\n')
        last--;
    assert_ptr_equal(strstr(last, "scream: playing 48 kHz"), last);
    voiced_close(&v);
}

/* What the ring has no room for is not held in store: said when such a format is opened, and of no other. */
static void a_target_that_is_cut_is_told(void **state)
{
    (void)state;
    static const struct pcm_format formats[] = {
        {.rate = 48000, .width = 16, .channels = 2, .mask = 3},
        {.rate = 192000, .width = 32, .channels = 8, .mask = 0x63f}};
    for (size_t i = 0; i < 2; i++) {
        struct voiced v;
        char text[4096];
        voiced_open(&v);
        v.options.target = 400 * NS_PER_MS;
        v.options.bound = 500 * NS_PER_MS;
        log_set_level(LOG_LEVEL_INFO);
        const struct capture c = capture();
        voiced_begin(&v, &formats[i]);
        voiced_run(&v, 100, false, false);
        log_set_level(LOG_LEVEL_ERROR);
        captured(&c, text, sizeof text);
        assert_non_null(strstr(text, "playing "));
        assert_int_equal(count_of(text, "-t 400: of this format there is room for 288 ms"), i);
        voiced_close(&v);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_thousand_formats_are_a_few_lines),
        cmocka_unit_test(an_output_that_fails_always_is_a_few_lines),
        cmocka_unit_test(a_target_that_is_cut_is_told),
    };
    return cmocka_run_group_tests_name("voice_log", tests, NULL, NULL);
}
