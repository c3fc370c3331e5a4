#include "listen_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int segment_add(struct segment_list *list, const struct segment *s)
{
    struct segment *p = realloc(list->at, (list->count + 1) * sizeof *p);
    if (!p)
        return -ENOMEM;
    list->at = p;
    p[list->count++] = *s;
    return 0;
}

void segments_finish(struct segment_list *list)
{
    free(list->at);
    list->at = NULL;
    list->count = 0;
}

double segment_time(const struct segment *s, double frame)
{
    return (double)s->t0 + frame * 1e9 / (s->format.rate * (1 + s->ppm * 1e-6) * s->speed);
}

static bool format_of(unsigned rate, unsigned width, unsigned channels, unsigned mask,
                      struct pcm_format *f)
{
    uint8_t wire[PCM_WIRE_BYTES];
    unsigned base = rate % 44100 == 0 ? 44100 : 48000;

    if (rate == 0 || rate % base || rate / base > 4 || width > 32 || channels > PCM_MAX_CHANNELS)
        return false;
    wire[0] = (uint8_t)((base == 44100 ? 0x80 : 0) | rate / base);
    wire[1] = (uint8_t)width;
    wire[2] = (uint8_t)channels;
    wire[3] = (uint8_t)mask;
    wire[4] = (uint8_t)(mask >> 8);
    return pcm_format_parse(wire, f) == PCM_OK;
}

bool segment_format_parse(const char *text, struct pcm_format *f)
{
    unsigned rate, width, channels, mask;
    int used = 0;

    if (sscanf(text, "%u/%u/%u%n", &rate, &width, &channels, &used) != 3)
        return false;
    mask = channels == 2 ? 3 : 0;
    if (text[used] == '/') {
        char *end;
        mask = (unsigned)strtoul(text + used + 1, &end, 0);
        if (*end || end == text + used + 1)
            return false;
    } else if (text[used]) {
        return false;
    }
    return format_of(rate, width, channels, mask, f);
}

/* The text after " key=", or NULL. */
static const char *value_of(const char *line, const char *key)
{
    size_t len = strlen(key);

    for (const char *p = strchr(line, ' '); p; p = strchr(p + 1, ' ')) {
        if (!strncmp(p + 1, key, len) && p[1 + len] == '=')
            return p + 2 + len;
    }
    return NULL;
}

static unsigned number_of(const char *line, const char *key)
{
    const char *v = value_of(line, key);
    return v ? (unsigned)strtoul(v, NULL, 0) : 0;
}

static int read_segment(struct segment_list *list, const char *line)
{
    struct segment s = {.frames = FRAMES_UNKNOWN, .signal = SIGNAL_SILENCE, .speed = 1};
    const char *v;
    char name[16] = "";

    if (!format_of(number_of(line, "rate"), number_of(line, "width"), number_of(line, "channels"),
                   number_of(line, "mask"), &s.format))
        return -EINVAL;
    if ((v = value_of(line, "signal")))
        sscanf(v, "%15[a-z]", name);
    int kind = signal_find(name);
    if (kind >= 0)
        s.signal = (enum signal_kind)kind;
    if ((v = value_of(line, "t0"))) {
        s.t0 = strtoll(v, NULL, 10);
        s.timed = true;
    }
    if ((v = value_of(line, "ppm")))
        s.ppm = strtod(v, NULL);
    if ((v = value_of(line, "speed")))
        s.speed = strtod(v, NULL);
    if (!(s.ppm > -1e6 && s.speed > 0))
        return -EINVAL;
    return segment_add(list, &s);
}

/* `end` says how many frames a segment had; a log that was cut short has no such line. */
static void end_segment(struct segment_list *list, size_t first, const char *frames)
{
    if (list->count > first && frames)
        list->at[list->count - 1].frames = strtoull(frames, NULL, 10);
}

int segments_read_log(struct segment_list *list, FILE *log)
{
    char line[512];
    size_t first = list->count;

    while (fgets(line, sizeof line, log)) {
        int err = 0;
        if (!strncmp(line, "segment ", 8))
            err = read_segment(list, line);
        else if (!strncmp(line, "end ", 4))
            end_segment(list, first, value_of(line, "frames"));
        if (err)
            return err;
    }
    return 0;
}
