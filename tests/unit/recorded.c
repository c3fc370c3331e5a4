#include "recorded.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

#define RATE 48000

void recorded_init(struct recorded *r)
{
    *r = (struct recorded){
        .recording = {.type = SAMPLE_S16, .rate = RATE, .channels = 2, .data = malloc(1)},
        .segment = {.format = {.rate = RATE, .width = 16, .channels = 2, .mask = 3},
                    .signal = SIGNAL_NOISE,
                    .frames = FRAMES_UNKNOWN,
                    .speed = 1},
        .request = {.recording = &r->recording,
                    .segments = &r->segment,
                    .n_segments = 1,
                    .tolerance = 1 << 16},
    };
    for (int i = 0; i < TRACK_CHANNELS; i++)
        r->request.map[i] = (int8_t)i;
}

void recorded_finish(struct recorded *r)
{
    judge_finish(&r->verdict);
    runs_finish(&r->runs);
    recording_finish(&r->recording);
}

uint8_t *recorded_more(struct recorded *r, uint32_t frames)
{
    struct recording *rec = &r->recording;
    const uint64_t before = rec->bytes,
                   size = (uint64_t)frames * sample_bytes(rec->type) * rec->channels;

    rec->bytes += size;
    rec->data = realloc(rec->data, rec->bytes);
    assert_non_null(rec->data);
    recording_count(rec);
    memset(rec->data + before, 0, size);
    return rec->data + before;
}

void recorded_timed(struct recorded *r, int64_t sent_at)
{
    r->line = (struct timeline){.start = 5e9, .frame = 1e9 / RATE};
    r->request.line = &r->line;
    r->segment.timed = true;
    r->segment.t0 = sent_at;
}

const struct verdict *recorded_judged(struct recorded *r)
{
    assert_int_equal(track(&r->request, &r->runs), 0);
    assert_int_equal(judge(&r->verdict, &r->request, &r->runs), 0);
    return &r->verdict;
}
