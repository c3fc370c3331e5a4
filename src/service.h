/*
 * What systemd is told of this process when it is a service of Type=notify (sd_notify(3)): that it is
 * ready, what it does, that it lives, that it ends. Without systemd, or in a build without libsystemd,
 * all of it is nothing. Control thread only.
 */
#ifndef SCREAM_SERVICE_H
#define SCREAM_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#define SERVICE_NEVER INT64_MAX

struct service {
    bool told;        /* somebody listens */
    bool ready;       /* and has been told so */
    int64_t every;    /* ns: to be fed so often; SERVICE_NEVER: there is no watchdog */
    int64_t feed_at;  /* the next time */
    char status[256]; /* the last one */
};

/* A service that must have systemd's watchdog fed does so three times in the time that it allows. */
void service_init(struct service *s, int64_t now);

/* It listens, or waits for what is missing: the first call counts. */
void service_ready(struct service *s);

/* One line for `systemctl status`; told when it is another one. */
void service_status(struct service *s, const char *text);

/* The watchdog's time has come; moves: it deserves to be told that all is well. */
void service_feed(struct service *s, int64_t now, bool moves);

/* It ends, by itself or because it was asked to. */
void service_stopping(struct service *s);

#endif
