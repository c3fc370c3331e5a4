#include "listen_print.h"

#include <inttypes.h>

#define SHOWN 8 /* dropouts told one by one */

static double ms(const struct report *r, uint64_t frames)
{
    return 1000.0 * (double)frames / r->request->recording->rate;
}

static void text_channels(FILE *out, const struct report *r)
{
    for (unsigned i = 0; i < r->request->recording->channels; i++) {
        if (!r->verdict->misplaced[i])
            continue;
        int held = r->verdict->held[i], should = r->request->map[i];
        fprintf(out, "channel %u ", i + 1);
        if (held >= 0)
            fprintf(out, "holds what was sent as channel %d", held + 1);
        else
            fprintf(out, held == HOLDS_SILENCE ? "is silent" : "holds something that was not sent");
        if (should >= 0)
            fprintf(out, "; channel %d belongs there\n", should + 1);
        else
            fprintf(out, "; silence belongs there\n");
    }
}

static void text_holes(FILE *out, const struct report *r)
{
    const struct verdict *v = r->verdict;
    unsigned shown = 0;

    fprintf(out,
            "dropouts: %" PRIu64 ", %.1f ms in all; lost %" PRIu64 " frames, repeated %" PRIu64
            "\n",
            v->dropouts, ms(r, v->dropout_frames), v->lost, v->repeated);
    for (size_t i = 0; i < v->n_holes; i++) {
        const struct hole *h = &v->holes[i];
        if (h->kind == HOLE_CHANGE || shown++ >= SHOWN)
            continue;
        fprintf(out, "  at %.3f s: %s of %.2f ms, %.2f ms of it silent, %+" PRId64 " sent frames\n",
                ms(r, h->recorded) / 1000, hole_name(h->kind), ms(r, h->frames), ms(r, h->silent),
                h->sent);
    }
    if (shown > SHOWN)
        fprintf(out, "  and %u more\n", shown - SHOWN);
}

static void text_segments(FILE *out, const struct report *r)
{
    char format[64];

    for (size_t i = 0; i < r->request->n_segments; i++) {
        const struct segment_heard *h = &r->verdict->segments[i];
        pcm_format_text(&r->request->segments[i].format, format, sizeof format);
        fprintf(out, "sent %s, %s: ", format, signal_name(r->request->segments[i].signal));
        if (h->matchable)
            fprintf(out, "%.3f s matched\n", ms(r, h->matched) / 1000);
        else
            fprintf(out, "another rate than the recording's, so judged by presence: %.2f s sound\n",
                    h->sound);
    }
}

static void text_pacing(FILE *out, const struct verdict *v)
{
    const struct pacing *p = &v->pacing;

    if (p->known)
        fprintf(out, "resampled: ratio %+.2f ppm, sd %.2f, from %+.2f to %+.2f; fidelity %.1f dB\n",
                p->mean, p->sd, p->least, p->most, p->fidelity);
}

void print_text(FILE *out, const struct report *r)
{
    const struct verdict *v = r->verdict;
    const struct recording *rec = r->request->recording;

    fprintf(out,
            "recorded %.3f s at %" PRIu32 " Hz, %u channels; sound for %.3f s, silences of 1 ms "
            "and more within: %" PRIu64 ", %.1f ms\n",
            ms(r, rec->frames) / 1000, rec->rate, rec->channels,
            ms(r, v->end_of_sound - v->first_sound) / 1000, v->silences, ms(r, v->silent_frames));
    fprintf(out, "level, dBFS:");
    for (unsigned i = 0; i < rec->channels; i++)
        fprintf(out, " %.1f", v->level[i]);
    fprintf(out, "\n");
    text_segments(out, r);
    fprintf(out, "matched %.3f s in %zu runs\n", ms(r, v->matched) / 1000, r->runs->count);
    text_holes(out, r);
    text_channels(out, r);
    text_pacing(out, v);
    if (v->latency.known)
        fprintf(out, "latency: median %.2f ms, p5 %.2f, p95 %.2f, %+.2f ms/min\n",
                v->latency.median, v->latency.p5, v->latency.p95, v->latency.slope);
    if (r->request->line && r->request->line->jumps)
        fprintf(out, "the recorder's clock jumped %u times\n", r->request->line->jumps);
}
