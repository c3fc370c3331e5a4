#include "service.h"

#ifdef HAVE_SYSTEMD
#include "clock.h"
#include "plain.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#define FEEDS 3 /* in the time that systemd allows: one may come late */

/* A path, or with "@" in the place of the zero an abstract name; false: it is neither. */
static bool find_listener(struct service *s)
{
    const char *name = getenv("NOTIFY_SOCKET");
    const size_t length = name ? strlen(name) : 0;
    if (length < 2 || length >= sizeof s->to.sun_path || (name[0] != '/' && name[0] != '@'))
        return false;
    s->to.sun_family = AF_UNIX;
    memcpy(s->to.sun_path, name, length);
    if (name[0] == '@')
        s->to.sun_path[0] = '\0';
    s->to_size =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (name[0] == '/' ? 1 : 0));
    return true;
}

void service_init(struct service *s, int64_t now)
{
    uint64_t us;
    *s = (struct service){.every = SERVICE_NEVER};
    s->told = find_listener(s);
    if (s->told && sd_watchdog_enabled(0, &us) > 0)
        s->every = (int64_t)us * NS_PER_US / FEEDS;
    s->feed_at = s->every == SERVICE_NEVER ? SERVICE_NEVER : now + s->every;
}

/* False: there may be room later. Who is not there any more is told nothing. */
static bool sent(const struct service *s, const char *text)
{
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    const ssize_t n = sendto(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT,
                             (const struct sockaddr *)&s->to, s->to_size);
    const int err = n < 0 ? errno : 0;
    close(fd);
    return err != EAGAIN && err != EWOULDBLOCK && err != ENOBUFS && err != ENOMEM && err != EINTR;
}

static bool send_if(bool *due, const struct service *s, const char *text)
{
    *due = *due && !sent(s, text);
    return !*due;
}

/* What matters most first. True: nothing is left. */
static bool send_due(struct service *s)
{
    char line[sizeof s->status + sizeof "STATUS="];
    snprintf(line, sizeof line, "STATUS=%s", s->status);
    return send_if(&s->ready_due, s, "READY=1") && send_if(&s->alive_due, s, "WATCHDOG=1") &&
           send_if(&s->status_due, s, line);
}

int64_t service_turn(struct service *s, int64_t now)
{
    if (!s->ready_due && !s->alive_due && !s->status_due)
        return SERVICE_NEVER;
    if (now < s->retry.due)
        return s->retry.due;
    if (send_due(s))
        backoff_reset(&s->retry);
    else
        backoff_failed(&s->retry, now, "");
    return s->retry.due ? s->retry.due : SERVICE_NEVER;
}

void service_ready(struct service *s)
{
    s->ready_due |= s->told && !s->ready;
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
    s->status_due = true;
}

void service_feed(struct service *s, int64_t now, bool moves)
{
    s->alive_due = s->told && moves;
    s->feed_at = now + s->every;
}

void service_stopping(struct service *s)
{
    if (s->told && !sent(s, "STOPPING=1\nSTATUS=stopping"))
        return; /* it sees the end */
}
#else
void service_init(struct service *s, int64_t now)
{
    (void)now;
    *s = (struct service){.every = SERVICE_NEVER, .feed_at = SERVICE_NEVER};
}

int64_t service_turn(struct service *s, int64_t now)
{
    (void)s, (void)now;
    return SERVICE_NEVER;
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
