/*
 * The whole shared-memory receiver on a real file, while a thread of the guest's writes to it, cuts it and
 * makes it grow: a few milliseconds for each input, so that some of every stream is read.
 */
#include "../../src/clock.h"
#include "../../src/receiver.h"
#include "input.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define LASTS (4 * NS_PER_MS)
#define MIB   (1 << 20)

struct scribbler {
    int fd;
    const uint8_t *bytes;
    size_t size;
    atomic_bool done;
};

/* Over and over: four bytes of the input say what, where and how. */
static void *scribble(void *arg)
{
    struct scribbler *s = arg;
    static const off_t sizes[] = {0, 24, 5000, MIB, MIB, MIB, MIB, 2 * MIB};
    while (!atomic_load(&s->done)) {
        struct input in = {s->bytes, s->size};
        while (in.left > 0 && !atomic_load(&s->done)) {
            uint8_t part[24];
            const uint8_t how = input_8(&in);
            const size_t n = how >> 3 < 24 ? how >> 3 : 24;
            const off_t at = how & 1 ? 0 : input_8(&in) % 24;
            input_take(&in, part, n);
            if ((how & 6) == 6 && ftruncate(s->fd, sizes[input_8(&in) % 8]) < 0)
                return NULL;
            if (pwrite(s->fd, part, n, at) < 0)
                return NULL;
        }
    }
    return NULL;
}

static void read_all(struct receiver *r, int wake)
{
    struct packet packets[64];
    uint64_t fired = 0;
    volatile uint8_t sink = 0;
    while (read(wake, &fired, sizeof fired) < 0) {
        const int n = r->driver->read(r, wake, packets, 64);
        if (n < 0)
            return;
        MUST(n <= 64);
        for (int i = 0; i < n; i++) {
            MUST(packets[i].bytes > 0 && packets[i].format.channels <= PCM_MAX_CHANNELS);
            for (uint32_t k = 0; k < packets[i].bytes; k += 64)
                sink = (uint8_t)(sink ^ packets[i].data[k]);
        }
        if (r->driver->tend(r, clock_now()) < 0)
            return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct scribbler s = {
        .fd = memfd_create("scream-fuzz", MFD_CLOEXEC), .bytes = bytes, .size = size};
    struct receiver_counters counters = {0};
    struct receiver *r = NULL;
    char path[64], why[256];
    pthread_t thread;
    if (size == 0)
        return close(s.fd), 0;
    MUST(s.fd >= 0 && ftruncate(s.fd, MIB) == 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", s.fd);
    const struct receiver_config config = {.file = path};
    MUST(receiver_find("ivshmem")->open(&r, &config, &counters, why, sizeof why) == 0);
    const int wake = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    const struct itimerspec in = {.it_value.tv_nsec = LASTS};
    timerfd_settime(wake, 0, &in, NULL);
    MUST(pthread_create(&thread, NULL, scribble, &s) == 0);
    read_all(r, wake);
    atomic_store(&s.done, true);
    pthread_join(thread, NULL);
    r->driver->close(r);
    close(wake);
    close(s.fd);
    return 0;
}
