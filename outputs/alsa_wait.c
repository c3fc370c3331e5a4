#include "alsa_wait.h"

#include "../src/clock.h"

#include <errno.h>
#include <poll.h>

#define ALSA_MAX_FDS 16

int64_t alsa_wait_ns(const struct alsa_wait *w, int64_t frames)
{
    return frames * NS_PER_S / w->rate;
}

static void credit_until(struct alsa_wait *w, int64_t now)
{
    const int64_t most = 2 * (int64_t)w->buffer;
    const int64_t passed = now - w->credited;
    const int64_t earned = passed < NS_PER_S ? passed * w->rate / NS_PER_S : most;
    if (earned >= most - w->credit) {
        w->credit = most;
        w->credited = now;
    } else {
        w->credit += earned;
        w->credited += alsa_wait_ns(w, earned);
    }
}

int alsa_wait_clock(int wake_fd, int64_t ns)
{
    struct pollfd fd = {.fd = wake_fd, .events = POLLIN};
    const struct timespec time = {.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
    return ppoll(&fd, 1, &time, NULL);
}

int alsa_wait_device(struct alsa_wait *w, int wake_fd)
{
    struct pollfd fds[ALSA_MAX_FDS + 1];
    const int count = snd_pcm_poll_descriptors(w->pcm, fds, ALSA_MAX_FDS);
    if (count < 0)
        return count;
    fds[count] = (struct pollfd){.fd = wake_fd, .events = POLLIN};
    const int64_t before = clock_now();
    if (poll(fds, (nfds_t)count + 1, -1) < 0)
        return errno == EINTR ? 0 : -errno;
    if (fds[count].revents)
        return 0;
    unsigned short events = 0;
    const int err = snd_pcm_poll_descriptors_revents(w->pcm, fds, (unsigned)count, &events);
    if (err < 0)
        return err;
    const int64_t now = clock_now();
    if (now - before > alsa_wait_ns(w, (int64_t)w->period) / 4) {
        w->credit = 2 * (int64_t)w->buffer; /* it has a clock of its own */
        w->credited = now;
    }
    w->idle = events == 0;
    return events != 0;
}

int alsa_wait_pace(struct alsa_wait *w, int wake_fd)
{
    const int64_t period = (int64_t)w->period;
    credit_until(w, clock_now());
    int64_t pause = w->credit < period ? alsa_wait_ns(w, period - w->credit) + 1 : 0;
    if (w->idle && pause < alsa_wait_ns(w, period) / 4)
        pause = alsa_wait_ns(w, period) / 4;
    w->idle = false;
    if (pause > 0) {
        const int woken = alsa_wait_clock(wake_fd, pause);
        if (woken != 0)
            return woken > 0 || errno == EINTR ? 0 : -errno;
        credit_until(w, clock_now());
    }
    return 1;
}
