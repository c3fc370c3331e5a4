#include "test.h"

#include "log.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_that_fits_is_told_whole),
        cmocka_unit_test(a_long_path_keeps_both_ends),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
