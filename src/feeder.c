#include "feeder.h"

#include "schedule.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct feeder {
    struct output *output;
    feeder_turn *turn;
    int wake_fd;
    atomic_bool ending;
    pthread_t thread;
    struct schedule schedule; /* the thread's, until it is joined */
};

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
    schedule_begin(&f->schedule, "feeder", false);
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
    schedule_end(&f->schedule);
    close(f->wake_fd);
    free(f);
}
