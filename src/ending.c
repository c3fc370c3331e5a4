#include "ending.h"

#include "log.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define STACK_BYTES (64 * 1024)

/* The signal, or the end by itself. */
static void *watch(void *arg)
{
    const struct ending *e = arg;
    struct pollfd fds[] = {{.fd = e->done_fd, .events = POLLIN},
                           {.fd = e->signal_fd, .events = POLLIN}};
    pthread_setname_np(pthread_self(), "scream-ending");
    while (poll(fds, 2, -1) < 0)
        ;
    if (fds[0].revents)
        return NULL;
    if (poll(fds, 1, ENDING_MS) == 0) {
        log_debug("something hangs: ending without waiting for it");
        _exit(0);
    }
    return NULL;
}

int ending_init(struct ending *e, int signal_fd)
{
    pthread_attr_t small;
    e->signal_fd = signal_fd;
    e->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (e->done_fd < 0)
        return -errno;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, STACK_BYTES);
    const int err = pthread_create(&e->thread, &small, watch, e);
    pthread_attr_destroy(&small);
    if (err > 0)
        close(e->done_fd);
    return -err;
}

void ending_finish(struct ending *e)
{
    eventfd_write(e->done_fd, 1);
    pthread_join(e->thread, NULL);
    close(e->done_fd);
}
