#include "shm_rig.h"

#include "test.h"

#include "../../receivers/ivshmem_pace.h"
#include "clock.h"
#include "rt.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

void shm_rig_make(struct shm_rig *s, uint64_t size)
{
    memset(s, 0, sizeof *s);
    snprintf(s->path, sizeof s->path, "%s/scream-test-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    s->fd = mkostemp(s->path, O_CLOEXEC);
    assert_true(s->fd >= 0);
    assert_int_equal(ftruncate(s->fd, (off_t)size), 0);
    s->wake = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    if (size > 0)
        assert_true(shm_guest_map(&s->guest, s->path, size));
    s->guest.offset = 24;
    s->guest.format = shm_guest_usual;
}

void shm_rig_open(struct shm_rig *s)
{
    char why[256] = "";
    const struct receiver_config config = {.file = s->path};
    const int ret = receiver_find("ivshmem")->open(&s->r, &config, &s->counters, why, sizeof why);
    if (ret < 0)
        fail_msg("open: %s (%d)", why, ret);
}

void shm_rig_finish(struct shm_rig *s)
{
    if (s->r)
        s->r->driver->close(s->r);
    if (s->guest.map)
        shm_guest_unmap(&s->guest);
    close(s->wake);
    close(s->fd);
    unlink(s->path);
}

void shm_rig_deadline(struct shm_rig *s, int64_t ns)
{
    const struct itimerspec in = {.it_value = {.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S}};
    timerfd_settime(s->wake, 0, &in, NULL);
}

int shm_rig_read(struct shm_rig *s, int max)
{
    rt_enter();
    const int n = s->r->driver->read(s->r, s->wake, s->packets, max);
    rt_leave();
    return n;
}

int shm_rig_listen(struct shm_rig *s, int64_t ns)
{
    shm_rig_deadline(s, ns);
    return shm_rig_read(s, SHM_RIG_PACKETS);
}

void shm_rig_settle(struct shm_rig *s)
{
    assert_int_equal(shm_rig_listen(s, 2 * SHM_IDLE_NS), 0);
}

void shm_rig_expect_chunk(struct shm_rig *s, uint32_t number, bool starts)
{
    assert_int_equal(shm_rig_listen(s, 5 * NS_PER_S), 1);
    const struct packet *p = &s->packets[0];
    assert_int_equal(p->bytes, s->guest.chunk_size);
    assert_int_equal(shm_guest_number(p->data, p->bytes), number);
    assert_true(pcm_format_equal(&p->format, &s->guest.format));
    assert_int_equal(p->starts, starts);
    assert_int_equal(p->source.address, 0);
}
