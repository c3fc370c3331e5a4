#include "crowd.h"

bool crowd_counts(struct crowd_count *c, int64_t t)
{
    if (t - c->since > CROWD_SPAN_NS) {
        c->since = t;
        c->packets = 0;
    }
    return ++c->packets == CROWD_PACKETS;
}

void crowd_init(struct crowd *c)
{
    *c = (struct crowd){.look_at = CROWD_NEVER};
}

enum crowd_change crowd_came(struct crowd *c, uint64_t packets, int64_t now)
{
    if (c->kept_out)
        return CROWD_AS_BEFORE;
    *c = (struct crowd){.kept_out = true,
                        .packets = packets,
                        .heard = now,
                        .until = now + CROWD_LASTS_NS,
                        .look_at = now + CROWD_LOOK_NS};
    return CROWD_KEEP_OUT;
}

enum crowd_change crowd_look(struct crowd *c, uint64_t packets, int64_t now)
{
    if (!c->kept_out || now < c->look_at)
        return CROWD_AS_BEFORE;
    if (packets != c->packets)
        c->heard = now;
    c->packets = packets;
    c->look_at = now + CROWD_LOOK_NS;
    if (now - c->heard < CROWD_SILENCE_NS && now < c->until)
        return CROWD_AS_BEFORE;
    crowd_init(c);
    return CROWD_LET_IN;
}
