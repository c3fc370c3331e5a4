#include "send_format.h"

#include "../src/chmap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool send_format_possible(uint32_t rate, uint32_t width, uint32_t channels)
{
    if (width > UINT8_MAX || channels > UINT8_MAX)
        return false;
    const struct pcm_format wanted = {
        .rate = rate, .width = (uint8_t)width, .channels = (uint8_t)channels};
    struct pcm_format got;
    uint8_t wire[PCM_WIRE_BYTES];
    /* There and back: what the wire cannot carry comes out another. */
    pcm_format_wire(&wanted, wire);
    return pcm_format_parse(wire, &got) == PCM_OK && pcm_format_equal(&wanted, &got);
}

static uint16_t windows_mask(uint8_t channels)
{
    struct chmap map;
    uint16_t mask = 0;
    if (channels == 1)
        return 1 << CHPOS_FC; /* KSAUDIO_SPEAKER_MONO */
    chmap_default(&map, channels);
    for (uint8_t i = 0; i < map.channels; i++)
        mask = (uint16_t)(mask | 1 << map.pos[i]);
    return mask;
}

/* A number and what follows it; false unless it is there, at most `max`, and ends in `stop` or 0. */
static bool take_number(const char **text, int base, unsigned long max, char stop,
                        unsigned long *out)
{
    char *end;
    if (**text == '\0' || strchr("+- \t", **text))
        return false;
    errno = 0;
    *out = strtoul(*text, &end, base);
    if (end == *text || errno != 0 || *out > max || (*end != '\0' && *end != stop))
        return false;
    *text = *end == '\0' ? end : end + 1;
    return *end == '\0' || **text != '\0';
}

int send_format_parse(const char *text, struct pcm_format *out)
{
    unsigned long rate, width, channels, mask;
    if (!take_number(&text, 10, UINT32_MAX, '/', &rate) ||
        !take_number(&text, 10, UINT8_MAX, '/', &width) ||
        !take_number(&text, 10, UINT8_MAX, '/', &channels) ||
        !send_format_possible((uint32_t)rate, (uint32_t)width, (uint32_t)channels))
        return -EINVAL;
    mask = windows_mask((uint8_t)channels);
    if (*text != '\0' && !take_number(&text, 16, UINT16_MAX, '\0', &mask))
        return -EINVAL;
    *out = (struct pcm_format){.rate = (uint32_t)rate,
                               .width = (uint8_t)width,
                               .channels = (uint8_t)channels,
                               .mask = (uint16_t)mask};
    return 0;
}

void send_format_text(const struct pcm_format *f, char *buf, size_t size)
{
    snprintf(buf, size, "%u/%u/%u/%x", f->rate, f->width, f->channels, f->mask);
}
