#include "pulse_fade.h"

#include "../src/format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FADE_MS 5

int pulse_memory_open(struct pulse_memory *m, size_t size)
{
    *m = (struct pulse_memory){.data = malloc(size), .size = size};
    return m->data ? 0 : -ENOMEM;
}

void pulse_memory_close(struct pulse_memory *m)
{
    free(m->data);
}

void pulse_memory_add(struct pulse_memory *m, const uint8_t *data, size_t bytes)
{
    if (!m->data)
        return;
    for (size_t done = 0, n; done < bytes; done += n, m->written += n) {
        const size_t at = m->written % m->size;
        n = bytes - done < m->size - at ? bytes - done : m->size - at;
        memcpy(m->data + at, data + done, n);
    }
}

static void recall(const struct pulse_memory *m, uint8_t *dst, uint64_t from, size_t bytes)
{
    for (size_t done = 0, n; done < bytes; done += n) {
        const size_t at = (from + done) % m->size;
        n = bytes - done < m->size - at ? bytes - done : m->size - at;
        memcpy(dst + done, m->data + at, n);
    }
}

/* In place, frame by frame. */
static void ramp_down(uint8_t *pcm, enum sample_type type, uint8_t channels, uint32_t frames)
{
    const size_t frame = (size_t)sample_bytes(type) * channels;
    for (uint32_t f = 0; f < frames; f++) {
        float x[PCM_MAX_CHANNELS];
        sample_decode(x, pcm + f * frame, type, channels);
        for (uint8_t c = 0; c < channels; c++)
            x[c] *= (float)(frames - f) / (float)frames;
        sample_encode(pcm + f * frame, x, type, channels);
    }
}

int pulse_fade(const struct pulse_memory *m, pa_stream *s, enum sample_type type, size_t back)
{
    const pa_sample_spec *spec = pa_stream_get_sample_spec(s);
    const uint32_t frames = spec->rate * FADE_MS / 1000;
    const size_t fade = frames * pa_frame_size(spec);
    if (!m->data || back < fade || back > m->size || back > m->written)
        return -ENOTSUP;
    uint8_t *pcm = calloc(1, back);
    if (!pcm)
        return -ENOMEM;
    recall(m, pcm, m->written - back, fade);
    ramp_down(pcm, type, spec->channels, frames);
    const int err = pa_stream_write(s, pcm, back, NULL, -(int64_t)back, PA_SEEK_RELATIVE);
    free(pcm); /* it has been copied */
    return err < 0 ? -EIO : 0;
}
