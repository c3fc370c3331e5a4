#include "voiced.h"

#include "log.h"
#include "test.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

const struct pcm_format fast = {.rate = 48000, .width = 16, .channels = 2, .mask = 3};
const struct pcm_format slow = {.rate = 44100, .width = 16, .channels = 2, .mask = 3};
static const struct source_id guest = {1, 1};

void voiced_open(struct voiced *v)
{
    log_set_level(LOG_LEVEL_ERROR);
    unsetenv("JOURNAL_STREAM");
    memset(&told, 0, sizeof told);
    told.server_answers = true;
    *v = (struct voiced){.options = {.output_name = OPTIONS_AUTO, .bound = 200 * NS_PER_MS}};
    v->options.output.stream_name = "test";
    assert_int_equal(notifier_init(&v->notifier), 0);
    assert_int_equal(voice_init(&v->voice, &v->options, &v->notifier), 0);
    assert_ptr_equal(v->voice.table, output_table);
    v->voice.table = told_table;
    v->voice.clock = told_clock;
    told.now = v->now = clock_now();
}

void voiced_open_exact(struct voiced *v)
{
    voiced_open(v);
    v->voice.named = &told_exact;
    v->voice.exact = true;
}

void voiced_close(struct voiced *v)
{
    voice_finish(&v->voice);
    notifier_finish(&v->notifier);
}

void voiced_begin(struct voiced *v, const struct pcm_format *f)
{
    const bool other = stream_begin(&v->voice.stream, f, guest);
    stream_commit(&v->voice.stream);
    if (other)
        voice_format(&v->voice, v->now);
}

void voiced_run(struct voiced *v, int ms, bool sends, bool pulls)
{
    static uint8_t packet[SCREAM_PAYLOAD];
    static int16_t out[480 * 2];
    memset(packet, 0x11, sizeof packet);
    for (int i = 0; i < ms; i += 10) {
        int64_t next;
        told.now = v->now += 10 * NS_PER_MS;
        for (int n = 0; sends && n < (i % 30 == 0 ? 1 : 2); n++)
            stream_write(&v->voice.stream, packet, sizeof packet, v->now);
        stream_commit(&v->voice.stream);
        assert_int_equal(voice_turn(&v->voice, v->now, &next), 0);
        v->now = told.now;
        if (!pulls || !told.player)
            continue;
        v->due += 480 * (1 - v->slower);
        const uint32_t frames = (uint32_t)v->due;
        v->due -= frames;
        player_fill(told.player, out, frames, v->now, 5 * NS_PER_MS);
        for (uint32_t k = 0; k < frames; k++)
            v->heard += out[2 * k] != 0;
    }
}

void voiced_take_all(struct voiced *v, int ms, const struct pcm_format *f, bool sends)
{
    static uint8_t taken[4 * SCREAM_PAYLOAD];
    if (f)
        voiced_begin(v, f);
    for (; ms > 0; ms -= 10) {
        voiced_run(v, 10, sends, false);
        if (told.player)
            player_take(told.player, taken, sizeof taken);
    }
}

void assert_heard(struct voiced *v, uint64_t least)
{
    if (v->heard < least)
        fail_msg("%llu frames heard, not %llu; state %d, opened %d times",
                 (unsigned long long)v->heard, (unsigned long long)least, (int)v->voice.state,
                 told.opened);
    v->heard = 0;
}

bool voiced_polled(const struct voiced *v)
{
    struct pollfd fds[LOOKOUT_PLACES];
    return poll(fds, voice_watch_fds(&v->voice, fds), 0) > 0;
}
