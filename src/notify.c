#include "notify.h"

#include "rt.h"

#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

int notifier_init(struct notifier *n)
{
    atomic_init(&n->events, 0);
    n->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return n->fd < 0 ? -errno : 0;
}

void notifier_finish(struct notifier *n)
{
    close(n->fd);
}

void notifier_raise(struct notifier *n, unsigned events)
{
    rt_not_allowed("notifier_raise");
    if (atomic_fetch_or(&n->events, events) != 0)
        return; /* the control thread has been woken and has not looked yet */
    const uint64_t one = 1;
    if (write(n->fd, &one, sizeof one) < 0)
        return; /* full: readable all the same */
}

unsigned notifier_take(struct notifier *n)
{
    uint64_t count;
    if (read(n->fd, &count, sizeof count) < 0)
        count = 0; /* nothing written yet: the bits count */
    return atomic_exchange(&n->events, 0);
}
