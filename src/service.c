#include "service.h"

#ifdef HAVE_SYSTEMD
#include "clock.h"
#include "plain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#define FEEDS 3 /* in the time that systemd allows: one may come late */

void service_init(struct service *s, int64_t now)
{
    uint64_t us;
    *s = (struct service){.told = getenv("NOTIFY_SOCKET") != NULL, .every = SERVICE_NEVER};
    if (s->told && sd_watchdog_enabled(0, &us) > 0)
        s->every = (int64_t)us * NS_PER_US / FEEDS;
    s->feed_at = s->every == SERVICE_NEVER ? SERVICE_NEVER : now + s->every;
}

void service_ready(struct service *s)
{
    if (s->told && !s->ready)
        sd_notify(0, "READY=1");
    s->ready = true;
}

void service_status(struct service *s, const char *text)
{
    char plain[sizeof s->status];
    snprintf(plain, sizeof plain, "%s", text);
    plain_text(plain); /* a line's end would begin a field of the message */
    if (!s->told || strcmp(plain, s->status) == 0)
        return;
    memcpy(s->status, plain, sizeof s->status);
    sd_notifyf(0, "STATUS=%s", s->status);
}

void service_feed(struct service *s, int64_t now, bool moves)
{
    if (s->told && moves)
        sd_notify(0, "WATCHDOG=1");
    s->feed_at = now + s->every;
}

void service_stopping(struct service *s)
{
    if (s->told)
        sd_notify(0, "STOPPING=1\nSTATUS=stopping");
}
#else
void service_init(struct service *s, int64_t now)
{
    (void)now;
    *s = (struct service){.every = SERVICE_NEVER, .feed_at = SERVICE_NEVER};
}

void service_ready(struct service *s)
{
    s->ready = true;
}

void service_status(struct service *s, const char *text)
{
    (void)s, (void)text;
}

void service_feed(struct service *s, int64_t now, bool moves)
{
    (void)s, (void)now, (void)moves;
}

void service_stopping(struct service *s)
{
    (void)s;
}
#endif
