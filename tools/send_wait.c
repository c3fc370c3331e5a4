#include "send_wait.h"

#include "../src/clock.h"

#include <errno.h>
#include <poll.h>
#include <signal.h> /* the system's, not tools/signal.h */
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

int send_wait_open(struct send_wait *wait)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    /* A timerfd has no slack, unlike clock_nanosleep() in an ordinary thread. */
    wait->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    wait->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (wait->timer >= 0 && wait->signals >= 0)
        return 0;
    const int err = errno;
    send_wait_close(wait);
    return -err;
}

int send_wait_readable(const struct send_wait *wait, int fd)
{
    struct pollfd fds[2] = {{.fd = wait->signals, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    for (;;) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return -errno;
        if (fds[0].revents != 0)
            return -EINTR; /* the signal stays pending: every later wait ends too */
        if (fds[1].revents != 0)
            return 0;
    }
}

int send_wait_until(const struct send_wait *wait, int64_t at)
{
    /* A timer at 0 would be off. */
    const struct itimerspec when = {
        .it_value = {.tv_sec = at > 0 ? at / NS_PER_S : 0, .tv_nsec = at > 0 ? at % NS_PER_S : 1}};
    if (timerfd_settime(wait->timer, TFD_TIMER_ABSTIME, &when, NULL) < 0)
        return -errno;
    return send_wait_readable(wait, wait->timer);
}

void send_wait_close(struct send_wait *wait)
{
    if (wait->timer >= 0)
        close(wait->timer);
    if (wait->signals >= 0)
        close(wait->signals);
    wait->timer = wait->signals = -1;
}
