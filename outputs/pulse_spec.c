#include "pulse_spec.h"

#include "../src/clock.h"

#include <pulse/timeval.h>
#include <stddef.h>

#define MINREQ_US     5000   /* half a guest's tick: finer only costs wake-ups */
#define MINREQ_MIN_US 1000   /* below it, even a thread of high priority is late at times */
#define QUEUE_US      100000 /* room for what the player adds when it runs dry, and a late request */

static const pa_channel_position_t position[CHPOS_COUNT] = {
    [CHPOS_FL] = PA_CHANNEL_POSITION_FRONT_LEFT,
    [CHPOS_FR] = PA_CHANNEL_POSITION_FRONT_RIGHT,
    [CHPOS_FC] = PA_CHANNEL_POSITION_FRONT_CENTER,
    [CHPOS_LFE] = PA_CHANNEL_POSITION_LFE,
    [CHPOS_BL] = PA_CHANNEL_POSITION_REAR_LEFT,
    [CHPOS_BR] = PA_CHANNEL_POSITION_REAR_RIGHT,
    [CHPOS_FLC] = PA_CHANNEL_POSITION_FRONT_LEFT_OF_CENTER,
    [CHPOS_FRC] = PA_CHANNEL_POSITION_FRONT_RIGHT_OF_CENTER,
    [CHPOS_BC] = PA_CHANNEL_POSITION_REAR_CENTER,
    [CHPOS_SL] = PA_CHANNEL_POSITION_SIDE_LEFT,
    [CHPOS_SR] = PA_CHANNEL_POSITION_SIDE_RIGHT,
    [CHPOS_TC] = PA_CHANNEL_POSITION_TOP_CENTER,
    [CHPOS_TFL] = PA_CHANNEL_POSITION_TOP_FRONT_LEFT,
    [CHPOS_TFC] = PA_CHANNEL_POSITION_TOP_FRONT_CENTER,
    [CHPOS_TFR] = PA_CHANNEL_POSITION_TOP_FRONT_RIGHT,
    [CHPOS_TBL] = PA_CHANNEL_POSITION_TOP_REAR_LEFT,
    [CHPOS_MONO] = PA_CHANNEL_POSITION_MONO,
};

static const pa_sample_format_t format[] = {
    [SAMPLE_S16] = PA_SAMPLE_S16LE,
    [SAMPLE_S24_3] = PA_SAMPLE_S24LE,
    [SAMPLE_S32] = PA_SAMPLE_S32LE,
    [SAMPLE_F32] = PA_SAMPLE_FLOAT32LE,
};

void pulse_sample_spec(pa_sample_spec *out, const struct pcm_format *source, enum sample_type type)
{
    *out = (pa_sample_spec){
        .format = format[type], .rate = source->rate, .channels = source->channels};
}

void pulse_channel_map(pa_channel_map *out, const struct chmap *map)
{
    pa_channel_map_init(out);
    out->channels = map->channels;
    for (uint8_t i = 0; i < map->channels; i++)
        out->map[i] = position[map->pos[i]];
}

void pulse_buffer_attr(pa_buffer_attr *out, const pa_sample_spec *spec, int64_t target_latency)
{
    const pa_usec_t target = target_latency > 0 ? (pa_usec_t)(target_latency / NS_PER_US) : 0;
    /* Whole milliseconds are whole frames, else a sink whose buffer is rounded down lets two
     * requests gather now and then. */
    const pa_usec_t sixth = target / 6 / PA_USEC_PER_MSEC * PA_USEC_PER_MSEC;
    const pa_usec_t most = sixth < MINREQ_US ? sixth : MINREQ_US;
    const pa_usec_t minreq = most > MINREQ_MIN_US ? most : MINREQ_MIN_US;
    *out = (pa_buffer_attr){
        .tlength = (uint32_t)pa_usec_to_bytes(target + QUEUE_US, spec),
        .minreq = (uint32_t)pa_usec_to_bytes(minreq, spec),
        .maxlength = (uint32_t)pa_usec_to_bytes(2 * (target + QUEUE_US), spec),
        .prebuf = 0, /* after an underrun time goes on, or latency would grow by it */
        .fragsize = (uint32_t)-1,
    };
}

uint32_t pulse_quantum(const pa_buffer_attr *granted, const pa_sample_spec *spec)
{
    return granted->minreq / (uint32_t)pa_frame_size(spec);
}

pa_proplist *pulse_stream_properties(const char *name)
{
    pa_proplist *about = pa_proplist_new();
    if (!about)
        return NULL;
    pa_proplist_sets(about, PA_PROP_MEDIA_NAME, name);
    pa_proplist_sets(about, PA_PROP_MEDIA_ROLE, "game");
    pa_proplist_sets(about, PA_PROP_MEDIA_ICON_NAME, "computer");
    /* Volumes are remembered by role unless this says otherwise: each guest shall keep its own. */
    pa_proplist_setf(about, "module-stream-restore.id", "sink-input-by-media-name:%s", name);
    return about;
}
