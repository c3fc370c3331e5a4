/* A format as people write it: RATE/WIDTH/CHANNELS[/MASK], "48000/16/2" or "96000/24/6/3f". Pure. */
#ifndef SCREAM_SEND_FORMAT_H
#define SCREAM_SEND_FORMAT_H

#include "../src/format.h"

#define SEND_FORMAT_ALLOWED                                                                        \
    "RATE/WIDTH/CHANNELS[/MASK], with 44100, 48000, 88200, 96000, 176400 or 192000, then 16, 24 "  \
    "or 32, then 1 to 8, then 0 to ffff"

/* 0, or -EINVAL with *out as it was. Without a mask: the one that Windows gives so many channels. */
int send_format_parse(const char *text, struct pcm_format *out);

/* True if a guest can have this rate, width and channel count. */
bool send_format_possible(uint32_t rate, uint32_t width, uint32_t channels);

/* "48000/16/2/3", always terminated. */
void send_format_text(const struct pcm_format *f, char *buf, size_t size);

#endif
