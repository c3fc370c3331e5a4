#include "feeder.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#ifndef SCHED_RESET_ON_FORK
#define SCHED_RESET_ON_FORK 0x40000000
#endif

/* Above every ordinary thread is enough; audio servers and the kernel's threads stay above it. */
#define FEEDER_PRIORITY 5

struct feeder {
    struct output *output;
    feeder_turn *turn;
    int wake_fd;
    atomic_bool ending;
    pthread_t thread;
};

/* Where the user may not have it, it plays all the same. */
static void ask_for_real_time(void)
{
    struct rlimit allowed;
    struct sched_param param = {.sched_priority = FEEDER_PRIORITY};
    if (getrlimit(RLIMIT_RTPRIO, &allowed) == 0 && allowed.rlim_cur > 0 &&
        allowed.rlim_cur < FEEDER_PRIORITY)
        param.sched_priority = (int)allowed.rlim_cur;
    pthread_setschedparam(pthread_self(), SCHED_RR | SCHED_RESET_ON_FORK, &param);
}

/* `ending` is set just before. The other way round, this thread would turn and turn between the two,
 * above the one that is to set it. */
static void wait_for_wake(const struct feeder *f)
{
    struct pollfd fd = {.fd = f->wake_fd, .events = POLLIN};
    while (poll(&fd, 1, -1) < 0 && errno == EINTR)
        ;
}

static void *feed(void *arg)
{
    struct feeder *f = arg;
    int err = 0;
    pthread_setname_np(pthread_self(), "scream-feeder");
    ask_for_real_time();
    for (bool last = false; err == 0 && !last;) {
        last = atomic_load_explicit(&f->ending, memory_order_acquire);
        if (last)
            wait_for_wake(f); /* so that a driver can finish what it has begun */
        err = f->turn(f->output, f->wake_fd);
    }
    if (err < 0)
        output_fail(f->output, err);
    return NULL;
}

/* Signals are the control thread's. */
static int spawn(struct feeder *f)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int err = pthread_create(&f->thread, NULL, feed, f);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -err;
}

int feeder_start(struct feeder **out, struct output *o, feeder_turn *turn)
{
    struct feeder *f = calloc(1, sizeof *f);
    int err;
    if (!f)
        return -ENOMEM;
    f->output = o;
    f->turn = turn;
    atomic_init(&f->ending, false);
    f->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (f->wake_fd < 0) {
        err = -errno;
        goto free_feeder;
    }
    err = spawn(f);
    if (err < 0)
        goto close_wake;
    *out = f;
    return 0;

close_wake:
    close(f->wake_fd);
free_feeder:
    free(f);
    return err;
}

void feeder_stop(struct feeder *f)
{
    if (!f)
        return;
    atomic_store_explicit(&f->ending, true, memory_order_release);
    eventfd_write(f->wake_fd, 1);
    pthread_join(f->thread, NULL);
    close(f->wake_fd);
    free(f);
}
