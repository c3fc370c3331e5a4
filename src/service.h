/*
 * What systemd is told of this process when it is a service of Type=notify (sd_notify(3)): that it is
 * ready, what it does, that it lives, that it ends. Without systemd, or in a build without libsystemd,
 * all of it is nothing.
 *
 * Nobody is waited for: sd_notify() blocks while the other end's queue is full, so messages are sent here. What
 * finds no room is due again, soon, and of what would be told by then the newest is. Control thread only.
 */
#ifndef SCREAM_SERVICE_H
#define SCREAM_SERVICE_H

#include "backoff.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#define SERVICE_NEVER INT64_MAX

struct service {
    bool told; /* somebody listens: */
    struct sockaddr_un to;
    socklen_t to_size;
    bool ready;                            /* it is */
    bool ready_due, status_due, alive_due; /* messages that have not been sent yet */
    struct backoff retry;                  /* of them; its `due` counts while there are any */
    int64_t every;    /* ns: to be fed so often; SERVICE_NEVER: there is no watchdog */
    int64_t feed_at;  /* the next time */
    char status[256]; /* the last one */
};

/* A service that must have systemd's watchdog fed does so three times in the time that it allows. */
void service_init(struct service *s, int64_t now);

/* Sends what is due, as far as there is room. When to call again at the latest, SERVICE_NEVER: nothing is due. */
int64_t service_turn(struct service *s, int64_t now);

/* It listens, or waits for what is missing: the first call counts. Due from then on, as what follows is. */
void service_ready(struct service *s);

/* One line for `systemctl status`; due when it is another one. */
void service_status(struct service *s, const char *text);

/* The watchdog's time has come; moves: it deserves to be told that all is well. */
void service_feed(struct service *s, int64_t now, bool moves);

/* It ends, by itself or because it was asked to: sent at once, or not at all. */
void service_stopping(struct service *s);

#endif
