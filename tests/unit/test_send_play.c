/* The whole sender into a sink that remembers: what comes when, and what the log says of it. */
#include "../../src/clock.h"
#include "../../tools/send_play.h"
#include "test.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UNIT      1152
#define MAX_UNITS 4096

struct memory {
    struct send_sink sink;
    int begun, ended, units;
    int fails_from, fails_to;       /* units that are refused: [from, to) */
    int at_begin[16];               /* units when each stream began */
    int64_t came[MAX_UNITS];        /* ns */
    uint8_t bytes[MAX_UNITS][UNIT]; /* what was written, a refused one too */
};

static int memory_begin(struct send_sink *sink, const struct pcm_format *f, uint32_t *unit_bytes)
{
    struct memory *m = (struct memory *)sink;
    (void)f;
    assert_true(m->begun == m->ended && m->begun < 16);
    m->at_begin[m->begun++] = m->units;
    *unit_bytes = UNIT;
    return 0;
}

static int memory_write(struct send_sink *sink, const uint8_t *unit)
{
    struct memory *m = (struct memory *)sink;
    assert_true(m->begun == m->ended + 1 && m->units < MAX_UNITS);
    m->came[m->units] = clock_now();
    memcpy(m->bytes[m->units], unit, UNIT);
    const bool fails = m->units >= m->fails_from && m->units < m->fails_to;
    m->units++;
    return fails ? -ENETUNREACH : 0;
}

static void memory_end(struct send_sink *sink)
{
    struct memory *m = (struct memory *)sink;
    m->ended++;
}

static const struct send_sink_ops memory_ops = {
    .begin = memory_begin, .write = memory_write, .end = memory_end};
static const struct send_sink_ops lingering_ops = {
    .lingers = true, .begin = memory_begin, .write = memory_write, .end = memory_end};

struct fixture {
    struct send_options options;
    struct memory memory;
    struct send_wait wait;
    struct send_totals totals;
    struct script script;
    char *log;
    size_t log_size;
};

static int set_up(void **state)
{
    struct fixture *t = calloc(1, sizeof *t);
    assert_non_null(t);
    t->options = (struct send_options){
        .format = {.rate = 48000, .width = 16, .channels = 2, .mask = 3},
        .signal = SIGNAL_NOISE,
        .duration = INT64_MAX,
        .packets = UINT64_MAX,
        .speed = 20,
        .burst = NS_PER_MS,
        .seed = 1,
    };
    t->memory.sink.ops = &memory_ops;
    assert_int_equal(send_wait_open(&t->wait), 0);
    *state = t;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *t = *state;
    script_finish(&t->script);
    send_wait_close(&t->wait);
    free(t->log);
    free(t);
    return 0;
}

static int play(struct fixture *t)
{
    struct send_source source;
    free(t->log);
    t->memory.units = t->memory.begun = t->memory.ended = 0;
    struct send_log log = {.file = open_memstream(&t->log, &t->log_size), .bursts = true};
    assert_int_equal(send_source_open(&source, &t->options, &t->wait), 0);
    const struct send_parts parts = {.options = &t->options,
                                     .script = t->script.count > 0 ? &t->script : NULL,
                                     .source = &source,
                                     .sink = &t->memory.sink,
                                     .log = &log,
                                     .wait = &t->wait};
    const int err = send_play(&parts, &t->totals);
    send_source_close(&source);
    assert_int_equal(send_log_close(&log), 0);
    assert_int_equal(t->memory.begun, t->memory.ended);
    return err;
}

static void load_script(struct fixture *t, const char *text)
{
    const char *why;
    size_t line;
    FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    assert_int_equal(script_read(&t->script, file, SIGNAL_NOISE, &line, &why), 0);
    fclose(file);
}

/* Units [from, from + count) are the noise's bytes from its frame 0 on. */
static void assert_noise(const struct fixture *t, const struct pcm_format *f, int from, int count)
{
    const uint32_t fb = pcm_frame_bytes(f);
    const size_t bytes = (size_t)count * UNIT;
    uint8_t *want = malloc(bytes + fb);
    assert_non_null(want);
    signal_render(SIGNAL_NOISE, f, 0, (uint32_t)(bytes / fb + 1), want);
    assert_memory_equal(t->memory.bytes[from], want, bytes);
    free(want);
}

/* The n-th (from 0) line's number after `key`; fails when there is none. */
static int64_t logged(const struct fixture *t, const char *line, int n, const char *key)
{
    const char *at = t->log;
    for (; *at; at += strcspn(at, "\n") + 1)
        if (strncmp(at, line, strlen(line)) == 0 && n-- == 0) {
            const char *found = strstr(at, key);
            assert_non_null(found);
            return strtoll(found + strlen(key), NULL, 10);
        }
    fail_msg("no such line: %s\n%s", line, t->log);
    return 0;
}

static int count_lines(const struct fixture *t, const char *line)
{
    int n = 0;
    for (const char *at = t->log; *at; at += strcspn(at, "\n") + 1)
        n += strncmp(at, line, strlen(line)) == 0;
    return n;
}

static void every_width_and_count_is_sent_whole(void **state)
{
    struct fixture *t = *state;
    t->options.duration = NS_PER_S / 2;
    for (uint8_t width = 16; width <= 32; width = (uint8_t)(width + 8))
        for (uint8_t channels = 1; channels <= 8; channels++) {
            t->options.format =
                (struct pcm_format){.rate = 44100, .width = width, .channels = channels};
            const uint64_t fb = pcm_frame_bytes(&t->options.format);
            assert_int_equal(play(t), 0);
            assert_int_equal(t->memory.units, 22050 * fb / UNIT);
            assert_noise(t, &t->options.format, 0, t->memory.units);
            assert_int_equal(logged(t, "end", 0, "frames="), (uint64_t)t->memory.units * UNIT / fb);
        }
}

/* Lateness only: a unit comes when its last frame is there, never before. */
static void no_unit_comes_early(void **state)
{
    struct fixture *t = *state;
    t->options.speed = 1;
    t->options.ppm = -5000;
    t->options.burst = 5 * NS_PER_MS;
    t->options.jitter = 20 * NS_PER_MS;
    t->options.duration = NS_PER_S * 3 / 10;
    assert_int_equal(play(t), 0);
    const int64_t t0 = logged(t, "segment", 0, "t0=");
    assert_int_equal(t->memory.units, 14400 * 4 / UNIT);
    for (int i = 0; i < t->memory.units; i++)
        assert_true((double)(t->memory.came[i] - t0) >= (i + 1) * 288 / (48000 * 0.995) * 1e9 - 1);
    assert_int_equal(logged(t, "segment", 0, "ppm="), -5000);
}

static void bursts_account_for_all_frames(void **state)
{
    struct fixture *t = *state;
    t->options.duration = NS_PER_S;
    assert_int_equal(play(t), 0);
    int64_t next = 0;
    const int bursts = count_lines(t, "burst");
    for (int i = 0; i < bursts; i++) {
        assert_int_equal(logged(t, "burst", i, "first="), next);
        next += logged(t, "burst", i, "frames=");
    }
    assert_int_equal(next, t->memory.units * 288);
    assert_int_equal(next, logged(t, "end", 0, "frames="));
}

static void a_stall_is_caught_up_in_one_burst(void **state)
{
    struct fixture *t = *state;
    t->options.speed = 1;
    t->options.stall = (struct send_stall){.length = 100 * NS_PER_MS, .every = 200 * NS_PER_MS};
    t->options.duration = NS_PER_S * 35 / 100;
    assert_int_equal(play(t), 0);
    assert_int_equal(count_lines(t, "stall"), 1);
    const int64_t t0 = logged(t, "segment", 0, "t0="), from = logged(t, "stall", 0, "t=");
    assert_int_equal(logged(t, "stall", 0, "ms="), 100);
    assert_int_equal(from - t0, 200 * NS_PER_MS);
    assert_int_equal(t->memory.units, 58);
    for (int i = 0; i < t->memory.units; i++)
        assert_false(t0 + (int64_t)(i + 1) * 6 * NS_PER_MS > from &&
                     t->memory.came[i] < from + 100 * NS_PER_MS);
    int64_t largest = 0;
    for (int i = count_lines(t, "burst") - 1; i >= 0; i--)
        if (logged(t, "burst", i, "frames=") > largest)
            largest = logged(t, "burst", i, "frames=");
    assert_true(largest >= 16 * 288);
}

static void a_script_changes_formats_and_pauses(void **state)
{
    struct fixture *t = *state;
    const struct pcm_format first = {.rate = 48000, .width = 24, .channels = 7},
                            second = {.rate = 96000, .width = 32, .channels = 2};
    load_script(t, "0.5 48000/24/7\n0.4 96000/32/2\n0.2 pause\n0.1 96000/32/2\n0.1 pause\n"
                   "0.1 44100/16/1\n");
    assert_int_equal(play(t), 0);
    const int a = 24000 * 21 / UNIT, b = 38400 * 8 / UNIT, c = 9600 * 8 / UNIT, d = 4410 * 2 / UNIT;
    assert_int_equal(t->memory.units, a + b + c + d);
    assert_noise(t, &first, 0, a);
    assert_noise(t, &second, a, b);
    assert_noise(t, &second, a + b, c);   /* each segment from its frame 0 */
    assert_int_equal(t->memory.begun, 3); /* the pause in one format is in one stream */
    assert_int_equal(t->memory.at_begin[2], a + b + c);
    assert_int_equal(count_lines(t, "segment"), 4);
    assert_int_equal(count_lines(t, "end"), 4);
    assert_int_equal(count_lines(t, "pause"), 2);
    /* Segments follow each other on the guest's clock, at 20 times real time. */
    assert_int_equal(logged(t, "segment", 1, "t0="), logged(t, "segment", 0, "t0=") + 25000000);
    assert_int_equal(logged(t, "segment", 2, "t0="), logged(t, "segment", 1, "t0=") + 30000000);
    assert_true(t->memory.came[a + b] >= logged(t, "pause", 0, "t=") + 10000000);
}

static void duration_and_packets_bound_a_repeated_script(void **state)
{
    struct fixture *t = *state;
    load_script(t, "0.1 48000/16/2\n0.05 pause\n");
    t->options.repeat = true;
    t->options.duration = NS_PER_S * 36 / 100;
    assert_int_equal(play(t), 0);
    assert_int_equal(t->memory.units, 16 + 16 + 10);
    t->options.duration = INT64_MAX;
    t->options.packets = 37;
    assert_int_equal(play(t), 0);
    assert_int_equal(t->memory.units, 37);
}

static void losses_are_seeded_and_logged(void **state)
{
    struct fixture *t = *state;
    t->options.loss = 20;
    t->options.packets = 1000;
    t->options.speed = 200;
    assert_int_equal(play(t), 0);
    const uint64_t lost = t->totals.lost;
    assert_in_range(lost, 150, 250);
    assert_int_equal(t->totals.units, 1000);
    assert_int_equal(t->memory.units, 1000 - lost);
    assert_int_equal(count_lines(t, "loss"), lost);
    const int64_t tenth = logged(t, "loss", 9, "first=");
    assert_int_equal(play(t), 0);
    assert_int_equal(logged(t, "loss", 9, "first="), tenth);
    t->options.seed = 2;
    assert_int_equal(play(t), 0);
    assert_true(t->totals.lost != lost || logged(t, "loss", 9, "first=") != tenth);
}

static void a_refused_unit_is_lost_but_the_first_ends_all(void **state)
{
    struct fixture *t = *state;
    t->options.packets = 50;
    t->memory.fails_from = 20;
    t->memory.fails_to = 23;
    assert_int_equal(play(t), 0);
    assert_int_equal(t->totals.units, 50);
    assert_int_equal(t->totals.lost, 3);
    assert_int_equal(t->totals.failure, -ENETUNREACH);
    assert_int_equal(count_lines(t, "loss"), 3);
    assert_int_equal(logged(t, "loss", 0, "first="), 20 * 288);
    t->memory.fails_from = 0;
    assert_int_equal(play(t), -ENETUNREACH);
    assert_int_equal(t->memory.units, 1);
}

static void a_lingering_stream_stays_open_and_the_next_waits(void **state)
{
    struct fixture *t = *state;
    t->memory.sink.ops = &lingering_ops;
    t->options.linger = 30 * NS_PER_MS;
    load_script(t, "0.1 48000/16/2\n0.1 96000/16/2\n");
    assert_int_equal(play(t), 0);
    assert_true(logged(t, "segment", 1, "t0=") >= t->memory.came[15] + 30 * NS_PER_MS);
    assert_int_equal(t->memory.begun, 2);
}

static void a_signal_ends_it_cleanly(void **state)
{
    struct fixture *t = *state;
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    load_script(t, "0.1 48000/16/2\n1000000 pause\n");
    raise(SIGTERM); /* blocked, so it waits for the first sleep */
    assert_int_equal(play(t), 0);
    assert_int_equal(count_lines(t, "end"), 1);
    assert_int_equal(sigwaitinfo(&term, NULL), SIGTERM);
}

static void stdin_ends_where_it_ends(void **state)
{
    struct fixture *t = *state;
    uint8_t pcm[3 * UNIT + 100];
    int fds[2];
    const int before = dup(STDIN_FILENO);
    signal_render(SIGNAL_NOISE, &t->options.format, 0, sizeof pcm / 4, pcm);
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], pcm, sizeof pcm), sizeof pcm);
    close(fds[1]);
    assert_int_equal(dup2(fds[0], STDIN_FILENO), STDIN_FILENO);
    t->options.from_stdin = true;
    assert_int_equal(play(t), 0);
    dup2(before, STDIN_FILENO);
    close(before);
    close(fds[0]);
    assert_int_equal(t->memory.units, 3); /* the tail is never sent */
    assert_noise(t, &t->options.format, 0, 3);
    assert_non_null(strstr(t->log, "signal=stdin"));
}

static void a_wav_file_repeats_seamlessly(void **state)
{
    struct fixture *t = *state;
    /* 48 kHz, 16 bit, mono, 1000 samples: no whole number of datagrams */
    uint8_t wav[44 + 2000] = "RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\xbb\0\0\0\x77\x01\0"
                             "\x02\0\x10\0data\xd0\x07\0\0";
    char path[] = "/tmp/test_send_play.XXXXXX";
    const int fd = mkstemp(path);
    for (int i = 0; i < 2000; i++)
        wav[44 + i] = (uint8_t)(i % 251);
    assert_int_equal(write(fd, wav, sizeof wav), sizeof wav);
    close(fd);
    t->options.wav = path;
    assert_int_equal(play(t), 0);
    assert_int_equal(t->memory.units, 1);
    t->options.repeat = true;
    t->options.packets = 10;
    assert_int_equal(play(t), 0);
    unlink(path);
    assert_int_equal(t->memory.units, 10);
    for (int i = 0; i < 10 * UNIT; i++)
        assert_int_equal(t->memory.bytes[i / UNIT][i % UNIT], i % 2000 % 251);
}

#define fixture_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(every_width_and_count_is_sent_whole),
        fixture_test(no_unit_comes_early),
        fixture_test(bursts_account_for_all_frames),
        fixture_test(a_stall_is_caught_up_in_one_burst),
        fixture_test(a_script_changes_formats_and_pauses),
        fixture_test(duration_and_packets_bound_a_repeated_script),
        fixture_test(losses_are_seeded_and_logged),
        fixture_test(a_refused_unit_is_lost_but_the_first_ends_all),
        fixture_test(a_lingering_stream_stays_open_and_the_next_waits),
        fixture_test(a_signal_ends_it_cleanly),
        fixture_test(stdin_ends_where_it_ends),
        fixture_test(a_wav_file_repeats_seamlessly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
