/*
 * A voice with outputs that do what they are told, by a clock that is told too: nothing waits, and what
 * may happen in any order does.
 */
#include "test.h"

#include "captured.h"
#include "log.h"
#include "voice.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct pcm_format fast = {.rate = 48000, .width = 16, .channels = 2, .mask = 3};
static const struct pcm_format slow = {.rate = 44100, .width = 16, .channels = 2, .mask = 3};
static const struct source_id guest = {1, 1};

/* What the fake outputs are told and have seen. Static, as drivers have no other way to a test. */
static struct {
    struct player *player; /* of the one that plays */
    struct pcm_format format;
    const char *name;
    struct player *resting; /* of the one that is paused */
    int opened, paused, tried, device_asked;
    bool server_answers, device_answers, fails_at_once, server_refuses;
    const char *place;           /* where the server says that it would be */
    int64_t now, takes, closing; /* the clock; what an opening and a closing take of it */
    int64_t first, last;         /* of the openings: when the first began, and the latest one */
} told;

static int64_t told_clock(void)
{
    return told.now;
}

struct fake {
    struct output output;
};

static int server_probe(const struct output_config *config)
{
    if (!told.server_answers && told.place)
        lookout_name(config->lookout, told.place);
    return told.server_answers ? 0 : -ECONNREFUSED;
}

static int device_probe(const struct output_config *config)
{
    (void)config;
    told.device_asked++;
    return told.device_answers ? 0 : -ENOENT;
}

static void takes_its_time(void)
{
    told.first = told.first ? told.first : told.now;
    told.last = told.now;
    told.now += told.takes;
}

static int fake_open(struct output **out, const struct output_config *config,
                     const struct pcm_format *source, struct player *player, char *why, size_t size)
{
    snprintf(why, size, "it is told to");
    takes_its_time();
    struct fake *f = calloc(1, sizeof *f);
    struct player_sink sink = {
        .type = sample_type_of(source->width), .rate = source->rate, .quantum = 480};
    chmap_from_mask(&sink.map, source->mask, source->channels);
    f->output.notifier = config->notifier;
    told.player = player;
    told.format = *source;
    told.opened++;
    *out = &f->output;
    return player_set_sink(player, &sink);
}

static int server_open(struct output **out, const struct output_config *config,
                       const struct pcm_format *source, struct player *player, char *why,
                       size_t size)
{
    told.tried++;
    if (told.server_answers && !told.server_refuses)
        return fake_open(out, config, source, player, why, size);
    takes_its_time();
    if (!told.server_answers && told.place)
        lookout_name(config->lookout, told.place);
    snprintf(why, size, "it has no sink");
    return -ENOENT;
}

static int fake_start(struct output *o)
{
    told.name = o->driver->name;
    if (told.fails_at_once)
        output_fail(o, -EIO);
    return 0;
}

static int fake_pause(struct output *o)
{
    (void)o;
    told.resting = told.player;
    told.player = NULL;
    told.paused++;
    return 0;
}

static int fake_resume(struct output *o)
{
    (void)o;
    told.player = told.resting;
    return told.player ? 0 : -EIO;
}

static void fake_stop(struct output *o)
{
    (void)o;
    told.player = NULL;
}

static void fake_close(struct output *o)
{
    told.now += told.closing;
    free(o);
}

static void fake_describe(const struct output *o, char *buf, size_t size)
{
    (void)o;
    snprintf(buf, size, "fake");
}

static const struct output_driver server = {
    .name = "server",
    .flags = OUTPUT_AUTOMATIC,
    .uses = "",
    .probe = server_probe,
    .open = server_open,
    .start = fake_start,
    .pause = fake_pause,
    .resume = fake_resume,
    .stop = fake_stop,
    .close = fake_close,
    .describe = fake_describe,
};
static const struct output_driver device = {
    .name = "device",
    .flags = OUTPUT_AUTOMATIC | OUTPUT_DEVICE,
    .uses = "",
    .probe = device_probe,
    .open = fake_open,
    .start = fake_start,
    .pause = fake_pause,
    .resume = fake_resume,
    .stop = fake_stop,
    .close = fake_close,
    .describe = fake_describe,
};
static const struct output_driver exact = {
    .name = "exact",
    .flags = OUTPUT_EXACT,
    .uses = "",
    .probe = server_probe,
    .open = fake_open,
    .start = fake_start,
    .stop = fake_stop,
    .close = fake_close,
    .describe = fake_describe,
};
static const struct output_driver *const table[] = {&server, &device, NULL};

struct world {
    struct voice voice;
    struct notifier notifier;
    struct options options;
    int64_t now, started;
    uint64_t heard; /* frames that were no silence */
    double slower;  /* the output's clock is by so much, as a ratio, */
    double due;     /* and this part of a frame is not asked for yet */
};

static void world_open(struct world *w)
{
    memset(&told, 0, sizeof told);
    told.server_answers = true;
    *w = (struct world){.options = {.output_name = OPTIONS_AUTO, .bound = 200 * NS_PER_MS}};
    w->options.output.stream_name = "test";
    assert_int_equal(notifier_init(&w->notifier), 0);
    assert_int_equal(voice_init(&w->voice, &w->options, &w->notifier), 0);
    assert_ptr_equal(w->voice.table, output_table);
    w->voice.table = table;
    w->voice.clock = told_clock;
    told.now = w->started = w->now = clock_now();
}

static void world_close(struct world *w)
{
    voice_finish(&w->voice);
    notifier_finish(&w->notifier);
}

static void guest_begins(struct world *w, const struct pcm_format *f)
{
    const bool other = stream_begin(&w->voice.stream, f, guest);
    stream_commit(&w->voice.stream);
    if (other)
        voice_format(&w->voice, w->now);
}

/* 10 ms each: the guest sends, the voice turns, the output pulls if it is to. */
static void run(struct world *w, int ms, bool sends, bool pulls)
{
    static uint8_t packet[SCREAM_PAYLOAD];
    static int16_t out[480 * 2];
    memset(packet, 0x11, sizeof packet);
    for (int i = 0; i < ms; i += 10) {
        int64_t next;
        told.now = w->now += 10 * NS_PER_MS;
        for (int n = 0; sends && n < (i % 30 == 0 ? 1 : 2); n++)
            stream_write(&w->voice.stream, packet, sizeof packet, w->now);
        stream_commit(&w->voice.stream);
        assert_int_equal(voice_turn(&w->voice, w->now, &next), 0);
        w->now = told.now;
        if (!pulls || !told.player)
            continue;
        w->due += 480 * (1 - w->slower);
        const uint32_t frames = (uint32_t)w->due;
        w->due -= frames;
        player_fill(told.player, out, frames, w->now, 5 * NS_PER_MS);
        for (uint32_t k = 0; k < frames; k++)
            w->heard += out[2 * k] != 0;
    }
}

static void assert_heard(struct world *w, uint64_t least)
{
    if (w->heard < least)
        fail_msg("%llu frames heard, not %llu; state %d, opened %d times",
                 (unsigned long long)w->heard, (unsigned long long)least, (int)w->voice.state,
                 told.opened);
    w->heard = 0;
}

static void one_format_after_the_other(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    for (int i = 0; i < 10; i++) {
        guest_begins(&w, i % 2 ? &slow : &fast);
        run(&w, 1000, true, true);
        assert_heard(&w, 40000);
        assert_int_equal(told.opened, i + 1);
        assert_true(pcm_format_equal(&told.format, i % 2 ? &slow : &fast));
    }
    world_close(&w);
}

/* No sink, a suspended one, -c: the ring fills, and then there is another format. */
static void an_output_that_does_not_pull(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    guest_begins(&w, &fast);
    run(&w, 1000, true, true);
    run(&w, 20000, true, false);
    assert_true(count_read(&w.voice.stream.counters.overrun_bytes) > 0);
    w.heard = 0;
    guest_begins(&w, &slow);
    run(&w, 5000, true, true);
    assert_heard(&w, 2 * 44100);
    guest_begins(&w, &fast);
    run(&w, 5000, true, true);
    assert_heard(&w, 3 * 48000);
    world_close(&w);
}

static void a_format_that_went_and_came_back_without_room(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    guest_begins(&w, &fast);
    run(&w, 1000, true, true);
    run(&w, 20000, true, false);
    guest_begins(&w, &slow);
    run(&w, 20, true, false);
    guest_begins(&w, &fast);
    w.heard = 0;
    run(&w, 10000, true, true);
    assert_heard(&w, 6 * 48000);
    world_close(&w);
}

/* The same format begins anew behind a sound too short to have begun. */
static void a_restart_behind_a_short_sound(void **state)
{
    (void)state;
    for (int ms = 10; ms <= 100; ms += 10) {
        struct world w;
        world_open(&w);
        guest_begins(&w, &fast);
        run(&w, ms, true, false); /* the output is still on its way */
        guest_begins(&w, &fast);
        run(&w, 3000, true, true);
        assert_heard(&w, 2 * 48000);
        assert_int_equal(told.opened, 1);
        world_close(&w);
    }
}

static void an_output_that_fails_at_once_is_not_hammered(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    told.fails_at_once = true;
    guest_begins(&w, &fast);
    run(&w, 10000, true, true);
    assert_in_range(told.opened, 2, 30);
    told.fails_at_once = false;
    run(&w, 2000, true, true);
    assert_heard(&w, 40000);
    world_close(&w);
}

/* What was sent has been read, is still there, or has a counter; takes what is still there. */
static void assert_nothing_is_unaccounted_for(struct world *w, uint64_t sent)
{
    struct stream *s = &w->voice.stream;
    const uint64_t read = count_read(&s->counters.frames) * pcm_frame_bytes(&fast);
    const uint64_t dropped =
        count_read(&s->counters.overrun_bytes) + count_read(&s->counters.passed_bytes);
    uint64_t left = stream_ready(s);
    while (stream_edge(s) != STREAM_OPEN) {
        stream_read(s, NULL, stream_ready(s));
        stream_pass(s);
        left += stream_ready(s);
    }
    assert_int_equal(read + dropped + left, sent);
}

static void every_byte_is_read_or_counted(void **state)
{
    (void)state;
    for (int seed = 0; seed < 40; seed++) {
        struct world w;
        uint64_t sent = 0;
        uint32_t dice = (uint32_t)seed;
        world_open(&w);
        if (seed % 2) { /* which reads all of a format before it takes the next */
            w.voice.named = &exact;
            w.voice.exact = true;
        }
        for (int i = 0; i < 400; i++) {
            static uint8_t bytes[4 * SCREAM_PAYLOAD];
            int64_t next;
            dice = dice * 1664525 + 1013904223;
            if (i == 0 || dice >> 28 == 0)
                guest_begins(&w, dice >> 27 & 1 ? &slow : &fast);
            for (unsigned n = dice >> 24 & 3; n > 0; n--, sent += SCREAM_PAYLOAD)
                stream_write(&w.voice.stream, bytes, SCREAM_PAYLOAD, w.now);
            stream_commit(&w.voice.stream);
            told.now = w.now += 10 * NS_PER_MS;
            assert_int_equal(voice_turn(&w.voice, w.now, &next), 0);
            if (told.player && dice >> 22 & 3)
                player_take(told.player, bytes, sizeof bytes);
        }
        assert_nothing_is_unaccounted_for(&w, sent);
        world_close(&w);
    }
}

static void a_guest_of_many_formats_gets_few_openings(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    for (int i = 0; i < 250; i++) { /* 10 s of formats of 40 ms */
        guest_begins(&w, i % 2 ? &slow : &fast);
        run(&w, 40, true, true);
    }
    assert_in_range(told.opened, 20, 40);
    guest_begins(&w, &fast);
    run(&w, 2000, true, true);
    assert_heard(&w, 40000);
    world_close(&w);
}

/* The output takes every byte, for so long; the guest's next format is f. */
static void take_all(struct world *w, int ms, const struct pcm_format *f, bool sends)
{
    static uint8_t taken[4 * SCREAM_PAYLOAD];
    if (f)
        guest_begins(w, f);
    for (; ms > 0; ms -= 10) {
        run(w, 10, sends, false);
        if (told.player)
            player_take(told.player, taken, sizeof taken);
    }
}

static void open_exact(struct world *w)
{
    world_open(w);
    w->voice.named = &exact;
    w->voice.exact = true;
}

static uint64_t dropped(const struct world *w)
{
    const struct stream_counters *c = &w->voice.stream.counters;
    return count_read(&c->overrun_bytes) + count_read(&c->passed_bytes);
}

/* Where every byte counts, as many formats as a guest may have in a hurry are opened one after the other, */
static void an_exact_output_gets_every_format(void **state)
{
    (void)state;
    struct world w;
    open_exact(&w);
    for (int i = 0; i < 150; i++)
        take_all(&w, 100, i % 2 ? &slow : &fast, true);
    assert_int_equal(told.opened, 150);
    assert_int_equal(dropped(&w), 0);
    world_close(&w);
}

/* and of those of one that means harm few, and what comes after it is heard at once. */
static void nor_does_it_get_thousands(void **state)
{
    (void)state;
    struct world w;
    open_exact(&w);
    for (int i = 0; i < 10000; i++)
        take_all(&w, 10, i % 2 ? &slow : &fast, true);
    assert_in_range(told.opened, 300, 256 + 100 * 10 / 3 + 2);
    assert_true(dropped(&w) > 0);
    take_all(&w, 400, &fast, true);
    const uint64_t lost = dropped(&w), frames = count_read(&w.voice.stream.counters.frames);
    assert_true(pcm_format_equal(&told.format, &fast));
    take_all(&w, 1000, NULL, true);
    assert_int_equal(dropped(&w), lost);
    assert_in_range(count_read(&w.voice.stream.counters.frames) - frames, 100 * 288 - 288,
                    100 * 288 + 288);
    world_close(&w);
}

/* ---- what is told of it ---- */

/* The log is bounded, and ends with the truth. */
static void ten_thousand_formats_are_a_few_lines(void **state)
{
    (void)state;
    static char text[1 << 16];
    for (int last = 0; last < 2; last++) {
        struct world w;
        open_exact(&w);
        log_set_level(last ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
        const struct capture c = capture();
        for (int i = 0; i < 10000 + last; i++)
            take_all(&w, 10, i % 2 ? &slow : &fast, false);
        take_all(&w, 1200, NULL, false);
        log_set_level(LOG_LEVEL_ERROR);
        captured(&c, text, sizeof text);
        assert_in_range(count_of(text, "\n"), 6, 12); /* in 100 s */
        const char *end = strstr(text, last ? "playing 48" : "playing 44.1");
        for (const char *at = end; at; at = strstr(at + 1, "playing"))
            end = at;
        assert_non_null(end);
        assert_ptr_equal(strstr(end, last ? "playing 48" : "playing 44.1"), end);
        world_close(&w);
    }
}

/* As does that of one that opens and fails. */
/* What the ring has no room for is not held in store: said when such a format is opened, and of no other. */
static void a_target_that_is_cut_is_told(void **state)
{
    (void)state;
    static const struct pcm_format formats[] = {
        {.rate = 48000, .width = 16, .channels = 2, .mask = 3},
        {.rate = 192000, .width = 32, .channels = 8, .mask = 0x63f}};
    for (size_t i = 0; i < 2; i++) {
        struct world w;
        char text[4096];
        world_open(&w);
        w.options.target = 400 * NS_PER_MS;
        w.options.bound = 500 * NS_PER_MS;
        log_set_level(LOG_LEVEL_INFO);
        const struct capture c = capture();
        guest_begins(&w, &formats[i]);
        run(&w, 100, false, false);
        log_set_level(LOG_LEVEL_ERROR);
        captured(&c, text, sizeof text);
        assert_non_null(strstr(text, "playing "));
        assert_int_equal(count_of(text, "-t 400: of this format there is room for 288 ms"), i);
        world_close(&w);
    }
}

static void an_output_that_fails_always_is_a_few_lines(void **state)
{
    (void)state;
    static char text[1 << 16];
    struct world w;
    world_open(&w);
    told.fails_at_once = true;
    guest_begins(&w, &fast);
    log_set_level(LOG_LEVEL_DEBUG);
    const struct capture c = capture();
    run(&w, 100000, true, true);
    told.fails_at_once = false;
    run(&w, 2000, true, true);
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
    world_close(&w);
}

static void a_restarted_server_gets_the_sound_back(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    told.device_answers = true;
    guest_begins(&w, &fast);
    run(&w, 6000, true, true);
    assert_string_equal(told.name, "server");
    told.server_answers = false;
    output_fail(w.voice.output, -ECONNRESET);
    run(&w, 2000, true, true);
    told.server_answers = true;
    w.heard = 0;
    run(&w, 2000, true, true);
    assert_string_equal(told.name, "server");
    assert_heard(&w, 40000);
    /* but one that stays away is given up, if there is a device */
    told.server_answers = false;
    output_fail(w.voice.output, -ECONNRESET);
    run(&w, 8000, true, true);
    assert_string_equal(told.name, "device");
    world_close(&w);
}

/* What has been learnt of the clocks is not learnt again: from its first sound on the rate is as before. */
static void a_restarted_server_keeps_the_rate(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    w.slower = 300e-6;
    guest_begins(&w, &fast);
    run(&w, 120000, true, true);
    const double before = player_ratio(told.player);
    told.server_answers = false;
    output_fail(w.voice.output, -ECONNRESET);
    run(&w, 2010, true, true); /* the guest's packets come in threes of 10 ms */
    assert_null(told.player);
    told.server_answers = true;
    run(&w, 990, true, true);
    assert_int_equal(told.opened, 2);
    const double after = player_ratio(told.player);
    if (fabs(before - 1.0003) > 20e-6 || fabs(after - before) > 20e-6)
        fail_msg("ratio %.1f ppm, then %.1f", (before - 1) * 1e6, (after - 1) * 1e6);
    world_close(&w);
}

static void a_pause(struct world *w)
{
    const int before = told.paused;
    run(w, 2500, false, true);
    assert_int_equal(told.paused, before + 1);
    assert_null(told.player);
    w->heard = 0;
}

/* Nobody reads the player, and nobody turns: the packet itself wakes the control thread. */
static void a_pause_ends_with_the_next_packet(void **state)
{
    (void)state;
    struct world w;
    int64_t next;
    world_open(&w);
    guest_begins(&w, &fast);
    run(&w, 1000, true, true);
    for (int i = 0; i < 3; i++) {
        struct pollfd fd = {.events = POLLIN};
        a_pause(&w);
        assert_int_equal(voice_turn(&w.voice, w.now, &next), 0);
        assert_int_equal(next, INT64_MAX);
        fd.fd = voice_wake_fd(&w.voice);
        assert_int_equal(poll(&fd, 1, 0), 0);
        run(&w, 60, true, true); /* less than that is not a sound */
        assert_non_null(told.player);
        assert_int_equal(voice_wake_fd(&w.voice), -1);
        run(&w, 500, false, true);
        assert_heard(&w, 9 * 288);
    }
    assert_int_equal(told.opened, 1);
    assert_int_equal(count_read(&w.voice.stream.counters.underruns), 0);
    world_close(&w);
}

/* Old sound and new format come at once; or the format alone. */
static void another_format_ends_a_pause(void **state)
{
    (void)state;
    for (int sound = 0; sound < 2; sound++) {
        struct world w;
        world_open(&w);
        guest_begins(&w, &fast);
        run(&w, 1000, true, true);
        a_pause(&w);
        if (sound)
            run(&w, 60, true, false);
        guest_begins(&w, &slow);
        run(&w, 2000, true, true);
        assert_heard(&w, 44100);
        assert_int_equal(told.opened, 2);
        assert_true(pcm_format_equal(&told.format, &slow));
        world_close(&w);
    }
}

static void a_server_is_lost_in_a_pause(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    guest_begins(&w, &fast);
    run(&w, 6000, true, true);
    a_pause(&w);
    output_fail(w.voice.output, -ECONNRESET);
    run(&w, 100, false, true);
    assert_int_equal(told.opened, 2);
    a_pause(&w);
    told.resting = NULL; /* and one that cannot resume is opened anew */
    run(&w, 2000, true, true);
    assert_int_equal(told.opened, 3);
    assert_heard(&w, 40000);
    world_close(&w);
}

/* ---- what an opening takes, and what is waited for ---- */

/* An attempt that takes long leaves as much time between itself and the next as one that does not. */
static void tries_are_apart_however_long_they_take(void **state)
{
    (void)state;
    for (int ms = 0; ms <= 900; ms += 900) {
        struct world w;
        world_open(&w);
        told.server_answers = false;
        told.takes = ms * NS_PER_MS;
        w.voice.named = &server;
        guest_begins(&w, &fast);
        while (told.tried < 20)
            run(&w, 10, true, true);
        const int64_t idle = told.last - told.first - 19 * told.takes;
        assert_in_range(idle, 17 * 400 * NS_PER_MS, 19 * 420 * NS_PER_MS);
        world_close(&w);
    }
}

static void nor_does_a_close_count(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    told.fails_at_once = true;
    told.closing = 500 * NS_PER_MS;
    guest_begins(&w, &fast);
    while (told.opened < 20)
        run(&w, 10, true, true);
    assert_true(told.last - told.first - 19 * told.closing >= 15 * 300 * NS_PER_MS);
    world_close(&w);
}

/* The same for a guest that changes its format all the time: four at once, and then one in 300 ms. */
static void slow_openings_are_few_too(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    told.takes = 400 * NS_PER_MS;
    for (int i = 0; told.opened < 14; i++) {
        guest_begins(&w, i % 2 ? &slow : &fast);
        run(&w, 40, true, true);
    }
    assert_true(told.last - told.first - 13 * told.takes >= 8 * 300 * NS_PER_MS);
    world_close(&w);
}

static void make_place(char *folder, char *path, size_t size)
{
    strcpy(folder, "/tmp/scream-test-voice-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, size, "%s/run/socket", folder);
    told.place = path;
}

static void remove_place(const char *folder)
{
    char command[128];
    told.place = NULL;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
}

static void appear(const char *folder, const char *path)
{
    char run[96];
    snprintf(run, sizeof run, "%s/run", folder);
    mkdir(run, 0700);
    fclose(fopen(path, "w"));
}

static bool polled(struct world *w)
{
    struct pollfd fds[LOOKOUT_PLACES];
    return poll(fds, voice_watch_fds(&w->voice, fds), 0) > 0;
}

/* No folder, then a socket that nobody listens to yet, then another one. */
static void a_missing_server_is_not_polled(void **state)
{
    (void)state;
    char folder[64], path[96];
    struct world w;
    int64_t next;
    world_open(&w);
    told.server_answers = false;
    w.voice.named = &server;
    make_place(folder, path, sizeof path);
    guest_begins(&w, &fast);
    run(&w, 1000, true, true);
    assert_in_range(told.tried, 2, 3); /* the place was not watched at the first */
    told.tried = 0;
    run(&w, 10000, true, true);
    assert_int_equal(told.tried, 0);
    assert_int_equal(voice_turn(&w.voice, w.now, &next), 0);
    assert_true(next - w.now > 10 * NS_PER_S);
    assert_false(polled(&w));
    appear(folder, path);
    assert_true(polled(&w));
    assert_int_equal(voice_turn(&w.voice, w.now, &next), 0);
    assert_false(polled(&w)); /* it rests, and says how long */
    assert_true(next <= w.now + PATH_WATCH_REST);
    run(&w, 3000, true, true);
    assert_in_range(told.tried, 5, 15);
    run(&w, 6000, true, true);
    told.tried = 0;
    run(&w, 6000, true, true);
    assert_int_equal(told.tried, 0);
    told.server_answers = true;
    unlink(path);
    appear(folder, path);
    assert_true(polled(&w));
    run(&w, 600, true, true);
    assert_heard(&w, 10000);
    assert_false(polled(&w));
    unlink(path); /* which is of no interest while it plays */
    assert_false(polled(&w));
    world_close(&w);
    remove_place(folder);
}

/* Where it is said that it cannot be watched, or nothing is said, the clock counts. */
static void what_cannot_be_watched_is_polled(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct world w;
        world_open(&w);
        told.server_answers = false;
        told.place = i ? "tcp:far" : NULL;
        w.voice.named = &server;
        guest_begins(&w, &fast);
        run(&w, 5000, true, true);
        assert_in_range(told.tried, 10, 20);
        told.place = NULL;
        world_close(&w);
    }
}

/* One that is watched for and one that is not. */
static void a_silent_device_is_polled_beside_a_watched_server(void **state)
{
    (void)state;
    char folder[64], path[96];
    struct world w;
    world_open(&w);
    told.server_answers = false;
    make_place(folder, path, sizeof path);
    guest_begins(&w, &fast);
    run(&w, 3900, true, true);
    assert_int_equal(told.device_asked, 0);
    run(&w, 5000, true, true);
    assert_in_range(told.device_asked, 10, 20);
    world_close(&w);
    remove_place(folder);
}

/* ---- a device is second best ---- */

static void take_device(struct world *w, char *folder, char *path, size_t size)
{
    world_open(w);
    told.server_answers = false;
    told.device_answers = true;
    make_place(folder, path, size);
    guest_begins(w, &fast);
    run(w, 3500, true, true);
    assert_int_equal(told.opened, 0);
    run(w, 1000, true, true);
    assert_string_equal(told.name, "device");
    w->heard = 0;
}

static void a_device_is_left_in_a_pause(void **state)
{
    (void)state;
    for (int in_pause = 0; in_pause < 2; in_pause++) {
        char folder[64], path[96];
        struct world w;
        take_device(&w, folder, path, sizeof path);
        if (in_pause)
            a_pause(&w);
        told.server_answers = true;
        appear(folder, path);
        if (!in_pause) {
            run(&w, 5000, true, true);
            assert_string_equal(told.name, "device");
            assert_heard(&w, 4 * 48000);
        }
        run(&w, in_pause ? 500 : 2500, false, true);
        assert_string_equal(told.name, "server");
        assert_int_equal(told.opened, 2);
        run(&w, 1000, true, true);
        assert_heard(&w, 40000);
        world_close(&w);
        remove_place(folder);
    }
}

/* It is there before it answers. */
static void a_server_that_starts_in_a_pause_is_awaited(void **state)
{
    (void)state;
    char folder[64], path[96];
    struct world w;
    int64_t next;
    take_device(&w, folder, path, sizeof path);
    a_pause(&w);
    appear(folder, path);
    run(&w, 1000, false, true);
    assert_string_equal(told.name, "device");
    told.server_answers = true;
    run(&w, 500, false, true);
    assert_string_equal(told.name, "server");
    world_close(&w);
    remove_place(folder);

    take_device(&w, folder, path, sizeof path); /* but not for ever */
    a_pause(&w);
    appear(folder, path);
    run(&w, 8000, false, true);
    assert_int_equal(voice_turn(&w.voice, w.now, &next), 0);
    assert_int_equal(next, INT64_MAX);
    world_close(&w);
    remove_place(folder);
}

/* It answers and cannot be had: the device is had again at once, and is left alone then. */
static void a_device_is_not_left_for_nothing(void **state)
{
    (void)state;
    char folder[64], path[96];
    struct world w;
    take_device(&w, folder, path, sizeof path);
    told.server_answers = told.server_refuses = true;
    run(&w, 20000, false, true);
    assert_string_equal(told.name, "device");
    assert_int_equal(told.opened, 2);
    w.heard = 0;
    run(&w, 1000, true, true);
    assert_heard(&w, 40000);
    world_close(&w);
    remove_place(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_format_after_the_other),
        cmocka_unit_test(an_output_that_does_not_pull),
        cmocka_unit_test(a_format_that_went_and_came_back_without_room),
        cmocka_unit_test(a_restart_behind_a_short_sound),
        cmocka_unit_test(an_output_that_fails_at_once_is_not_hammered),
        cmocka_unit_test(every_byte_is_read_or_counted),
        cmocka_unit_test(a_guest_of_many_formats_gets_few_openings),
        cmocka_unit_test(an_exact_output_gets_every_format),
        cmocka_unit_test(nor_does_it_get_thousands),
        cmocka_unit_test(ten_thousand_formats_are_a_few_lines),
        cmocka_unit_test(a_target_that_is_cut_is_told),
        cmocka_unit_test(an_output_that_fails_always_is_a_few_lines),
        cmocka_unit_test(a_restarted_server_gets_the_sound_back),
        cmocka_unit_test(a_restarted_server_keeps_the_rate),
        cmocka_unit_test(a_pause_ends_with_the_next_packet),
        cmocka_unit_test(another_format_ends_a_pause),
        cmocka_unit_test(a_server_is_lost_in_a_pause),
        cmocka_unit_test(tries_are_apart_however_long_they_take),
        cmocka_unit_test(nor_does_a_close_count),
        cmocka_unit_test(slow_openings_are_few_too),
        cmocka_unit_test(a_missing_server_is_not_polled),
        cmocka_unit_test(what_cannot_be_watched_is_polled),
        cmocka_unit_test(a_silent_device_is_polled_beside_a_watched_server),
        cmocka_unit_test(a_device_is_left_in_a_pause),
        cmocka_unit_test(a_server_that_starts_in_a_pause_is_awaited),
        cmocka_unit_test(a_device_is_not_left_for_nothing),
    };
    log_set_level(LOG_LEVEL_ERROR);
    unsetenv("JOURNAL_STREAM");
    return cmocka_run_group_tests_name("voice", tests, NULL, NULL);
}
