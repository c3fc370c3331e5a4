#include "udp_seen.h"

static struct udp_sender *sender_of(struct udp_seen *s, struct source_id source)
{
    for (int i = 0; i < s->count; i++)
        if (source_equal(s->list[i].source, source))
            return &s->list[i];
    if (s->count == UDP_SEEN)
        return NULL;
    struct udp_sender *new = &s->list[s->count++];
    *new = (struct udp_sender){.source = source};
    return new;
}

void udp_seen_add(struct udp_seen *s, struct source_id source, const struct udp_datagram *raw,
                  size_t n)
{
    struct packet p;
    struct udp_sender *sender = sender_of(s, source);
    const bool good = udp_parse(raw, n, &p) == UDP_OK;
    s->packets += good;
    if (!sender)
        return;
    if (good) {
        sender->packets++;
        sender->format = p.format;
    } else {
        sender->foreign++;
        sender->length = n;
    }
}
