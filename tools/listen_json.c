#include "listen_print.h"

#include <inttypes.h>

static void json_latency(FILE *out, const struct latency *l)
{
    if (!l->known) {
        fprintf(out, "null");
        return;
    }
    fprintf(out,
            "{\"median\": %.4f, \"p5\": %.4f, \"p95\": %.4f, \"least\": %.4f, \"most\": %.4f, "
            "\"slope\": %.4f}",
            l->median, l->p5, l->p95, l->least, l->most, l->slope);
}

static const char *comma(size_t i)
{
    return i ? ", " : "";
}

static void json_pacing(FILE *out, const struct verdict *v)
{
    const struct pacing *p = &v->pacing;

    fprintf(out, "\"resampled\": %s, \"ratio\": ", v->resampled ? "true" : "false");
    if (p->known)
        fprintf(out,
                "{\"mean\": %.4f, \"sd\": %.4f, \"least\": %.4f, \"most\": %.4f}, "
                "\"fidelity\": %.2f",
                p->mean, p->sd, p->least, p->most, p->fidelity);
    else
        fprintf(out, "null, \"fidelity\": null");
}

static void json_runs(FILE *out, const struct report *r)
{
    fprintf(out, "\"runs\": [");
    for (size_t i = 0; i < r->runs->count; i++) {
        const struct run *run = &r->runs->at[i];
        fprintf(out,
                "%s{\"segment\": %zu, \"recorded\": %" PRIu64 ", \"sent\": %" PRIu64
                ", \"frames\": %" PRIu64 ", \"latency\": ",
                comma(i), run->segment, run->recorded, run->sent, run->frames);
        json_latency(out, &r->verdict->run_latency[i]);
        fprintf(out, "}");
    }
    fprintf(out, "]");
}

static void json_holes(FILE *out, const struct verdict *v)
{
    fprintf(out, "\"holes\": [");
    for (size_t i = 0; i < v->n_holes; i++) {
        const struct hole *h = &v->holes[i];
        fprintf(out,
                "%s{\"kind\": \"%s\", \"recorded\": %" PRIu64 ", \"frames\": %" PRIu64
                ", \"silent\": %" PRIu64 ", \"sent\": %" PRId64 "}",
                comma(i), hole_name(h->kind), h->recorded, h->frames, h->silent, h->sent);
    }
    fprintf(out, "]");
}

static void json_segments(FILE *out, const struct report *r)
{
    fprintf(out, "\"segments\": [");
    for (size_t i = 0; i < r->request->n_segments; i++) {
        const struct segment_heard *h = &r->verdict->segments[i];
        const struct pcm_format *f = &r->request->segments[i].format;
        fprintf(out,
                "%s{\"rate\": %" PRIu32 ", \"width\": %u, \"channels\": %u, \"matchable\": %s, "
                "\"matched\": %" PRIu64 ", \"sound\": %.3f, \"length\": %.3f}",
                comma(i), f->rate, f->width, f->channels, h->matchable ? "true" : "false",
                h->matched, h->sound, h->length);
    }
    fprintf(out, "]");
}

static void json_channels(FILE *out, const struct report *r)
{
    size_t shown = 0;

    fprintf(out, "\"level\": [");
    for (unsigned i = 0; i < r->request->recording->channels; i++)
        fprintf(out, "%s%.2f", comma(i), r->verdict->level[i]);
    fprintf(out, "], \"misplaced\": [");
    for (unsigned i = 0; i < r->request->recording->channels; i++)
        if (r->verdict->misplaced[i])
            fprintf(out, "%s{\"channel\": %u, \"should\": %d, \"holds\": %d}", comma(shown++), i,
                    r->request->map[i], r->verdict->held[i]);
    fprintf(out, "]");
}

static void json_clock(FILE *out, const struct report *r)
{
    const struct timeline *line = r->request->line;

    fprintf(out, "\"clock\": ");
    if (line)
        fprintf(out, "{\"start\": %.0f, \"ppm\": %.2f, \"late\": %.3f, \"jumps\": %u}", line->start,
                (1e9 / r->request->recording->rate / line->frame - 1) * 1e6, line->late * 1e-6,
                line->jumps);
    else
        fprintf(out, "null");
}

void print_json(FILE *out, const struct report *r)
{
    const struct verdict *v = r->verdict;
    const struct recording *rec = r->request->recording;

    fprintf(out,
            "{\"rate\": %" PRIu32 ", \"channels\": %u, \"frames\": %" PRIu64
            ", \"matched\": %" PRIu64 ", ",
            rec->rate, rec->channels, rec->frames, v->matched);
    fprintf(out,
            "\"dropouts\": %" PRIu64 ", \"dropout_frames\": %" PRIu64 ", \"gaps\": %" PRIu64
            ", \"gap_frames\": %" PRIu64 ", \"lost\": %" PRIu64 ", \"repeated\": %" PRIu64 ", ",
            v->dropouts, v->dropout_frames, v->gaps, v->gap_frames, v->lost, v->repeated);
    fprintf(out,
            "\"first_sound\": %" PRIu64 ", \"end_of_sound\": %" PRIu64 ", \"silences\": %" PRIu64
            ", \"silent_frames\": %" PRIu64 ", \"latency\": ",
            v->first_sound, v->end_of_sound, v->silences, v->silent_frames);
    json_latency(out, &v->latency);
    fprintf(out, ", ");
    json_pacing(out, v);
    fprintf(out, ", ");
    json_clock(out, r);
    fprintf(out, ", ");
    json_channels(out, r);
    fprintf(out, ", ");
    json_segments(out, r);
    fprintf(out, ", ");
    json_holes(out, v);
    fprintf(out, ", ");
    json_runs(out, r);
    fprintf(out, "}\n");
}
