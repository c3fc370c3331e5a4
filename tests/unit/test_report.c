/* What the user is told, and how often: reports, reasons for waiting, the log's own form. */
#include "test.h"

#include "backoff.h"
#include "captured.h"
#include "log.h"
#include "report.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct receiver_counters receiver;
static struct stream_counters stream;

static void report_at(struct report *r, int64_t now, char *text, size_t size)
{
    const struct capture c = capture();
    report_drops(r, now);
    captured(&c, text, size);
}

static void once_a_minute(void **state)
{
    (void)state;
    struct report r;
    char text[1024];
    unsetenv("JOURNAL_STREAM");
    report_init(&r, &receiver, &stream);
    report_at(&r, 0, text, sizeof text);
    assert_string_equal(text, "");
    count_add(&receiver.bad_size, 3);
    report_at(&r, NS_PER_S, text, sizeof text);
    assert_non_null(strstr(text, "scream: 3 packets or headers dropped: of a size"));
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1); /* one line */
    count_add(&receiver.bad_size, 4);
    count_add(&stream.underruns, 1);
    report_at(&r, 60 * NS_PER_S, text, sizeof text);
    assert_string_equal(text, "");
    report_at(&r, 62 * NS_PER_S, text, sizeof text); /* all that has gathered */
    assert_non_null(strstr(text, "scream: 4 packets"));
    assert_non_null(strstr(text, "scream: 1 times the guest's sound came too late"));
    report_at(&r, 200 * NS_PER_S, text, sizeof text);
    assert_string_equal(text, "");
}

/* Nothing is dropped without a word: each counter has a line of its own, but for those that count no drops. */
static void every_drop_has_a_reason(void **state)
{
    (void)state;
    static struct receiver_counters r;
    static struct stream_counters s;
    /* skipped_frames: `skips` has the line */
    const counter *const silent[] = {&r.packets,        &r.restarts,   &s.frames,   &s.pauses,
                                     &s.skipped_frames, &s.latency_us, &s.delay_us, &s.drift_ppb,
                                     &s.passes,         &s.least_us};
    enum { RECEIVERS = sizeof r / sizeof(counter), ALL = RECEIVERS + sizeof s / sizeof(counter) };
    char text[1024], lines[ALL][128] = {{0}};
    unsetenv("JOURNAL_STREAM");
    for (size_t i = 0; i < ALL; i++) {
        counter *const c = i < RECEIVERS ? (counter *)&r + i : (counter *)&s + (i - RECEIVERS);
        struct report report;
        bool counts_no_drop = false;
        for (size_t k = 0; k < sizeof silent / sizeof silent[0]; k++)
            counts_no_drop |= silent[k] == c;
        report_init(&report, &r, &s);
        count_add(c, 7);
        report_at(&report, NS_PER_S, text, sizeof text);
        gauge_set(c, 0);
        if (counts_no_drop) {
            assert_string_equal(text, "");
            continue;
        }
        assert_non_null(strstr(text, "scream: 7 "));
        assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
        snprintf(lines[i], sizeof lines[i], "%.120s", text);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(lines[k], lines[i]);
    }
}

static void a_bound_that_is_too_low_is_told_once(void **state)
{
    (void)state;
    static struct receiver_counters r;
    static struct stream_counters s;
    struct report report;
    char text[1024];
    unsetenv("JOURNAL_STREAM");
    report_init(&report, &r, &s);
    for (int times = 0; times < 3; times++) {
        const struct capture c = capture();
        report_bound(&report, 15 * NS_PER_MS);
        captured(&c, text, sizeof text);
        if (times == 1) {
            assert_non_null(strstr(text, "scream: -l 15: "));
            assert_non_null(strstr(text, " 37 ms"));
        } else {
            assert_string_equal(text, "");
        }
        gauge_set(&s.least_us, 36800);
    }
}

static void a_reason_is_told_once(void **state)
{
    (void)state;
    struct backoff b = {0};
    assert_true(backoff_failed(&b, 0, "no virbr0"));
    assert_int_equal(b.due, BACKOFF_FIRST_NS);
    for (int i = 0; i < 20; i++)
        assert_false(backoff_failed(&b, 1000, "no virbr0"));
    assert_int_equal(b.due, 1000 + BACKOFF_MOST_NS);
    assert_true(backoff_failed(&b, 1000, "no address"));
    backoff_reset(&b);
    assert_int_equal(b.due, 0);
    assert_true(backoff_failed(&b, 0, "no address"));
    b.most = 250 * NS_PER_MS;
    for (int i = 0; i < 20; i++)
        backoff_failed(&b, 1000, "no address");
    assert_int_equal(b.due, 1000 + b.most);
}

static void the_journal_gets_priorities(void **state)
{
    (void)state;
    char text[2048];
    char longer[1500];
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    setenv("JOURNAL_STREAM", "8:1", 1);
    const struct capture c = capture();
    log_error("not for the journal"); /* somebody else's stream */
    struct stat st;
    char here[64];
    fstat(STDERR_FILENO, &st);
    snprintf(here, sizeof here, "%llu:%llu", (unsigned long long)st.st_dev,
             (unsigned long long)st.st_ino);
    setenv("JOURNAL_STREAM", here, 1);
    log_error("bad %d", 7);
    log_debug("too much detail");
    log_warning("%s", longer); /* cut, but a line */
    captured(&c, text, sizeof text);
    unsetenv("JOURNAL_STREAM");
    static const char expected[] = "scream: not for the journal\n<3>scream: bad 7\n<4>scream: xxx";
    assert_memory_equal(text, expected, sizeof expected - 1);
    assert_int_equal(text[strlen(text) - 1], '\n');
    assert_true(strlen(text) < 1100);
    assert_null(strstr(text, "detail"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(once_a_minute),
        cmocka_unit_test(every_drop_has_a_reason),
        cmocka_unit_test(a_bound_that_is_too_low_is_told_once),
        cmocka_unit_test(a_reason_is_told_once),
        cmocka_unit_test(the_journal_gets_priorities),
    };
    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
