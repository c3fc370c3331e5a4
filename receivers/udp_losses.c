#include "udp_losses.h"

void udp_losses_add(struct udp_losses *l, uint32_t datagrams)
{
    l->dropped += datagrams;
}

void udp_losses_align(struct udp_losses *l, struct packet *p)
{
    const uint32_t frame = pcm_frame_bytes(&p->format);
    if (l->dropped > 0 && source_equal(l->source, p->source) &&
        pcm_format_equal(&l->format, &p->format)) {
        const uint32_t odd = (uint32_t)(l->dropped % frame * SCREAM_PAYLOAD % frame);
        const uint32_t surplus = odd > 0 ? frame - odd : 0;
        p->data += surplus;
        p->bytes -= surplus;
    }
    l->dropped = 0;
    l->source = p->source;
    l->format = p->format;
}
