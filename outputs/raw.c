/*
 * raw: the source's own bytes on standard output.
 *
 * The descriptor is shared with whoever started us, so it is never set to O_NONBLOCK. That writes
 * do not block all the same: a pipe that polls writable takes PIPE_BUF bytes, a socket takes
 * MSG_DONTWAIT, a file never blocks for long.
 */
#include "../src/clock.h"
#include "../src/feeder.h"
#include "../src/player.h"
#include "drivers.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define RAW_BLOCK (16 * 1024)
#define RAW_DRAIN_NS                                                                               \
    (400 * NS_PER_MS) /* a reader that takes nothing for so long has lost the rest */

struct raw {
    struct output output;
    struct player *player;
    struct feeder *feeder;
    uint32_t most; /* bytes a write that cannot block */
    bool socket;

    /* the feeder's thread */
    uint32_t filled, done; /* bytes of the block */
    int64_t deadline;      /* of the end, once it has begun */
    uint8_t block[RAW_BLOCK];
};

static int check_stdout(struct stat *st, char *why, size_t size)
{
    if (fstat(STDOUT_FILENO, st) < 0) {
        const int err = errno;
        snprintf(why, size, "standard output is closed: redirect it to a file or a pipe");
        return -err;
    }
    if (isatty(STDOUT_FILENO)) {
        snprintf(why, size,
                 "raw sound does not go to a terminal: redirect or pipe standard output, "
                 "or record to a file with -o wav");
        return -ENOTTY;
    }
    return 0;
}

static int raw_probe(const struct output_config *config)
{
    (void)config;
    struct stat st;
    char why[160];
    return check_stdout(&st, why, sizeof why);
}

static int raw_open(struct output **out, const struct output_config *config,
                    const struct pcm_format *source, struct player *player, char *why, size_t size)
{
    (void)source;
    struct stat st;
    const int err = check_stdout(&st, why, size);
    if (err < 0)
        return err;
    struct raw *r = calloc(1, sizeof *r);
    if (!r) {
        snprintf(why, size, "out of memory");
        return -ENOMEM;
    }
    r->output.notifier = config->notifier;
    r->player = player;
    r->socket = S_ISSOCK(st.st_mode);
    r->most = S_ISREG(st.st_mode) ? RAW_BLOCK : PIPE_BUF;
    *out = &r->output;
    return 0;
}

/* 0, also when there was no room after all. */
static int write_some(struct raw *r)
{
    const uint8_t *at = r->block + r->done;
    const uint32_t left = r->filled - r->done;
    const uint32_t n = left < r->most ? left : r->most;
    const ssize_t done = r->socket ? send(STDOUT_FILENO, at, n, MSG_DONTWAIT | MSG_NOSIGNAL)
                                   : write(STDOUT_FILENO, at, n);
    if (done < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    r->done += (uint32_t)done;
    return 0;
}

static bool refill(struct raw *r)
{
    if (r->done == r->filled) {
        r->filled = player_take(r->player, r->block, RAW_BLOCK);
        r->done = 0;
    }
    return r->done < r->filled;
}

/* The output is stopping: what is here goes out, if its reader takes it in time. */
static int drain(struct raw *r)
{
    if (r->deadline == 0)
        r->deadline = clock_now() + RAW_DRAIN_NS;
    struct pollfd fd = {.fd = STDOUT_FILENO, .events = POLLOUT};
    int err = 0;
    while (err == 0 && refill(r)) {
        const int64_t left = r->deadline - clock_now();
        if (left <= 0 || poll(&fd, 1, (int)(left / NS_PER_MS) + 1) == 0)
            break;
        if (fd.revents)
            err = write_some(r);
    }
    return err;
}

static int raw_turn(struct output *o, int wake_fd)
{
    struct raw *r = (struct raw *)o;
    const bool full = refill(r);
    if (!full && !player_sleep(r->player))
        return 0;
    /* While idle too, poll() tells when the reader has gone. */
    struct pollfd fds[] = {
        {.fd = STDOUT_FILENO, .events = full ? POLLOUT : 0},
        {.fd = wake_fd, .events = POLLIN},
        {.fd = full ? -1 : player_wake_fd(r->player), .events = POLLIN},
    };
    if (poll(fds, 3, -1) < 0)
        return errno == EINTR ? 0 : -errno;
    if (fds[2].revents & POLLIN) {
        uint64_t count;
        if (read(fds[2].fd, &count, sizeof count) < 0 && errno != EAGAIN)
            return -errno;
    }
    if (fds[1].revents)
        return drain(r);
    if (full && fds[0].revents)
        return write_some(r);
    return fds[0].revents & (POLLERR | POLLHUP) ? -EPIPE : 0;
}

static int raw_start(struct output *o)
{
    return feeder_start(&((struct raw *)o)->feeder, o, raw_turn);
}

static void raw_stop(struct output *o)
{
    struct raw *r = (struct raw *)o;
    feeder_stop(r->feeder);
    r->feeder = NULL;
}

static void raw_close(struct output *o)
{
    free(o);
}

static void raw_describe(const struct output *o, char *buf, size_t size)
{
    (void)o;
    snprintf(buf, size, "standard output");
}

const struct output_driver raw_driver = {
    .name = "raw",
    .summary = "the guest's own bytes on standard output",
    .flags = OUTPUT_EXACT | OUTPUT_SINGLE,
    .uses = "",
    .probe = raw_probe,
    .open = raw_open,
    .start = raw_start,
    .stop = raw_stop,
    .close = raw_close,
    .describe = raw_describe,
};
