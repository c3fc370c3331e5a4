/* The receiver's keeping, with one that does what it is told, by a clock that is told too. */
#include "test.h"

#include "captured.h"
#include "reception.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the fake is told and has seen. Static, as drivers have no other way to a test. */
static struct {
    const char *waiting, *refuses; /* what for; NULL: it opens */
    int tended;                    /* the result of the next tend() */
    int opened, closed;
    int64_t now;
} told;

static char text[1 << 16];

static void fake_close(struct receiver *r)
{
    told.closed++;
    free(r);
}

static int fake_read(struct receiver *r, int wake_fd, struct packet *packets, int max)
{
    (void)r, (void)packets, (void)max;
    struct pollfd p = {.fd = wake_fd, .events = POLLIN};
    ppoll(&p, 1, NULL, NULL);
    return 0;
}

static int fake_tend(struct receiver *r, int64_t now)
{
    (void)now;
    const int result = told.tended;
    told.tended = 0;
    snprintf(r->waiting, sizeof r->waiting, "%s", told.waiting);
    return result;
}

static void fake_describe(const struct receiver *r, char *buf, size_t size)
{
    (void)r;
    snprintf(buf, size, "the fake");
}

static int fake_open(struct receiver **out, const struct receiver_config *config,
                     struct receiver_counters *counters, char *why, size_t size);

static const struct receiver_driver fake = {
    .name = "fake",
    .hint = "is it told to?",
    .open = fake_open,
    .read = fake_read,
    .tend = fake_tend,
    .close = fake_close,
    .describe = fake_describe,
};

static int fake_open(struct receiver **out, const struct receiver_config *config,
                     struct receiver_counters *counters, char *why, size_t size)
{
    (void)config;
    if (told.refuses) {
        snprintf(why, size, "%s", told.refuses);
        return -EADDRINUSE;
    }
    struct receiver *r = calloc(1, sizeof *r);
    r->driver = &fake;
    r->counters = counters;
    r->watch_fd = 7;
    r->tend_at = RECEIVER_UNTENDED;
    snprintf(r->waiting, sizeof r->waiting, "%s", told.waiting);
    told.opened++;
    *out = r;
    return 0;
}

struct world {
    struct reception reception;
    struct options options;
    struct stream stream;
    struct notifier notifier;
    struct capture capture;
};

static void world_open(struct world *w)
{
    memset(&told, 0, sizeof told);
    told.waiting = "";
    told.now = 5 * NS_PER_S;
    *w = (struct world){.options = {.receiver_name = "udp", .no_sandbox = true}};
    assert_int_equal(stream_init(&w->stream, 0), 0);
    assert_int_equal(notifier_init(&w->notifier), 0);
    reception_init(&w->reception, &w->options, &w->stream, &w->notifier);
    w->reception.driver = &fake;
    w->capture = capture();
}

/* What it has said is in `text`. */
static void world_close(struct world *w)
{
    reception_finish(&w->reception);
    assert_int_equal(told.opened, told.closed);
    captured(&w->capture, text, sizeof text);
    notifier_finish(&w->notifier);
    stream_finish(&w->stream);
}

/* A turn, so long after the last one; when the next one has to be. */
static int64_t turn_after(struct world *w, int64_t passed)
{
    int64_t next;
    told.now += passed;
    reception_turn(&w->reception, told.now, &next);
    return next;
}

static void each_state_is_told_once(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    told.waiting = "virbr0 is down";
    assert_int_equal(reception_watch_fd(&w.reception), -1);
    assert_int_equal(turn_after(&w, 0), INT64_MAX);
    assert_int_equal(reception_watch_fd(&w.reception), 7);
    turn_after(&w, NS_PER_S);
    assert_string_equal(reception_waiting(&w.reception), "virbr0 is down");
    told.waiting = "";
    turn_after(&w, NS_PER_S);
    turn_after(&w, NS_PER_S);
    assert_string_equal(reception_waiting(&w.reception), "");
    world_close(&w);
    assert_string_equal(text, "scream: waiting: virbr0 is down\nscream: listening to the fake\n");
}

static void what_cannot_be_opened_is_tried_again(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    told.refuses = "port 4010 is taken";
    for (int64_t next = told.now; told.now < 60 * NS_PER_S;) {
        next = turn_after(&w, next - told.now);
        assert_in_range(next - told.now, 1, BACKOFF_MOST_NS);
    }
    assert_string_equal(reception_waiting(&w.reception), "port 4010 is taken");
    told.refuses = NULL;
    turn_after(&w, BACKOFF_MOST_NS);
    assert_int_equal(told.opened, 1);
    world_close(&w);
    assert_string_equal(text,
                        "scream: waiting: port 4010 is taken\nscream: listening to the fake\n");
}

/* What it returns to is told again when something else has been said in between. */
static void the_way_back_is_told(void **state)
{
    (void)state;
    for (int verbose = 0; verbose < 2; verbose++) {
        struct world w;
        world_open(&w);
        log_set_level(verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
        told.waiting = "the file is empty";
        turn_after(&w, 0);
        told.tended = -ESTALE;
        turn_after(&w, NS_PER_S); /* with the same reason: the word between is for -v */
        told.tended = -EIO;
        turn_after(&w, NS_PER_S);
        log_set_level(LOG_LEVEL_INFO);
        world_close(&w);
        assert_int_equal(count_of(text, "waiting: the file is empty"), verbose ? 3 : 2);
        assert_int_equal(count_of(text, "the fake: opening it anew"), verbose);
        assert_int_equal(count_of(text, "the fake has failed (Input/output error)"), 1);
        assert_string_equal(strrchr(text, ':'), ": the file is empty\n");
    }
}

/* Whoever may write into the file's folder has it come and go 2000 times a second. */
static void ten_thousand_renames_are_a_few_lines(void **state)
{
    (void)state;
    struct world w;
    int64_t next = 0;
    world_open(&w);
    log_set_level(LOG_LEVEL_DEBUG);
    for (int i = 0; i < 10000; i++) {
        told.waiting = i % 3 ? i % 3 == 1 ? "there is no file" : "the file is empty" : "";
        told.tended = i % 3 ? 0 : -ESTALE;
        next = turn_after(&w, NS_PER_S / 2000);
    }
    told.waiting = "the file has 100 bytes";
    next = turn_after(&w, NS_PER_S / 2000);
    assert_true(next - told.now < NS_PER_S);
    turn_after(&w, next - told.now);
    log_set_level(LOG_LEVEL_INFO);
    reception_finish(&w.reception);
    captured(&w.capture, text, sizeof text);
    assert_in_range(count_of(text, "\n"), 6, 12); /* in 5 s */
    static const char last[] = ": the file has 100 bytes (";
    assert_memory_equal(strrchr(text, ':'), last, sizeof last - 1);
    notifier_finish(&w.notifier);
    stream_finish(&w.stream);
}

static void silence_is_hinted_at(void **state)
{
    (void)state;
    struct world w;
    int hints = 0;
    world_open(&w);
    for (int64_t next = told.now, end = told.now + 3600 * NS_PER_S; told.now < end;) {
        told.now = next;
        hints += reception_turn(&w.reception, told.now, &next);
    }
    assert_in_range(hints, 8, 10); /* 5, 25, 105, 425 s, and each 600 then */
    count_add(&w.reception.counters.packets, 1);
    turn_after(&w, 600 * NS_PER_S);
    assert_int_equal(turn_after(&w, NS_PER_S), INT64_MAX);
    world_close(&w);
    assert_int_equal(count_of(text, "no packets yet on the fake: is it told to?"), hints);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_state_is_told_once),
        cmocka_unit_test(what_cannot_be_opened_is_tried_again),
        cmocka_unit_test(the_way_back_is_told),
        cmocka_unit_test(ten_thousand_renames_are_a_few_lines),
        cmocka_unit_test(silence_is_hinted_at),
    };
    setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent", 1); /* no RealtimeKit */
    unsetenv("JOURNAL_STREAM");
    return cmocka_run_group_tests_name("reception", tests, NULL, NULL);
}
