/* The guest's driver over a shared-memory device (ivshmem-plain), a file on the host. */
#include "../src/clock.h"
#include "../src/log.h"
#include "../src/receiver.h"
#include "ivshmem_check.h"
#include "ivshmem_header.h"
#include "ivshmem_pace.h"
#include "ivshmem_place.h"
#include "ivshmem_ring.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

extern const struct receiver_driver ivshmem_driver;

#define BATCH      8                 /* chunks at a time: 160 ms */
#define CHECK_SIZE (250 * NS_PER_MS) /* while idle */
#define HASTY      4                 /* looks in a row without a pause that find nothing, at most */

struct ivshmem {
    struct receiver base;

    /* the control thread's, but for the file in it */
    struct shm_place place;

    /* receiver thread's */
    struct shm_ring ring;
    struct shm_pace pace;
    int64_t next;           /* time of the next look */
    int64_t check_size;     /* time of the next look at the file's, while idle */
    unsigned hasty;         /* looks in a row that found nothing whole of what was ready */
    struct shm_raw raw;     /* header as read last */
    struct shm_raw counted; /* the one that was counted as bad last */
    struct shm_chunk chunks[BATCH];
    struct shm_chunk spare; /* for prints: packets still point into chunks */
};

static int ivshmem_open(struct receiver **out, const struct receiver_config *config,
                        struct receiver_counters *counters, char *why, size_t size)
{
    /* Untouched pages cost nothing: small formats use a few KiB of it. */
    struct ivshmem *s = calloc(1, sizeof *s);
    if (!s) {
        snprintf(why, size, "out of memory");
        return -ENOMEM;
    }
    shm_place_open(&s->place, config->file, s->base.waiting, sizeof s->base.waiting);
    const int64_t now = clock_now();
    shm_ring_init(&s->ring, now);
    shm_pace_init(&s->pace, now);
    s->next = s->check_size = now;
    s->base.driver = &ivshmem_driver;
    s->base.input_fd = s->place.usable ? s->place.file.fd : -1;
    s->base.watch_fd = path_watch_fd(&s->place.watch);
    s->base.tend_at = shm_place_due(&s->place);
    s->base.counters = counters;
    *out = &s->base;
    return 0;
}

/* Once for each header that is another one, not at every look. */
static void count_fault(struct ivshmem *s, enum shm_fault fault)
{
    if (shm_header_unchanged(&s->raw, &s->counted))
        return;
    s->counted = s->raw;
    struct receiver_counters *c = s->base.counters;
    counter *const reasons[] = {[SHM_FOREIGN] = &c->foreign,
                                [SHM_BAD_FORMAT] = &c->bad_format,
                                [SHM_BAD_SIZE] = &c->bad_size};
    if (fault != SHM_ABSENT)
        count_add(reasons[fault], 1);
}

/* What the header says now: enum shm_fault, or -errno. */
static int read_header(struct ivshmem *s, struct shm_header *h)
{
    int ret = shm_file_read(&s->place.file, &s->raw, sizeof s->raw, 0);
    if (ret < 0)
        return ret;
    if (ret == 0) {
        s->raw = (struct shm_raw){{0}};
        ret = shm_file_refresh(&s->place.file);
        return ret < 0 ? ret : SHM_FOREIGN;
    }
    ret = (int)shm_header_parse(&s->raw, s->place.file.size, h);
    if (ret != SHM_BAD_SIZE)
        return ret;
    /* The file may have grown into it. */
    ret = shm_file_refresh(&s->place.file);
    return ret < 0 ? ret : (int)shm_header_parse(&s->raw, s->place.file.size, h);
}

/* No stream is there. 0 or -errno. */
static int look_at_none(struct ivshmem *s, enum shm_fault fault, int64_t now)
{
    shm_ring_none(&s->ring, fault == SHM_ABSENT, now);
    count_fault(s, fault);
    return 0;
}

static int read_chunk(struct ivshmem *s, uint16_t index, struct shm_chunk *to)
{
    const struct shm_header *h = &s->ring.stream;
    return shm_file_read(&s->place.file, to, h->chunk_size,
                         h->offset + (uint64_t)index * h->chunk_size);
}

/* What slots 0 and last hold before the stream writes them. */
static void take_prints(struct ivshmem *s)
{
    const struct shm_header *h = &s->ring.stream;
    uint64_t print[2] = {0, 0};
    const uint16_t index[2] = {0, (uint16_t)(h->max_chunks - 1)};
    for (int i = 0; i < 2; i++)
        if (read_chunk(s, index[i], &s->spare) > 0)
            print[i] = shm_print(h, &s->spare);
    shm_ring_prints(&s->ring, print[0], print[1]);
}

/* Brings the ring up to date. 0 or -errno. */
static int look(struct ivshmem *s, int64_t now)
{
    struct shm_header h;
    int ret = read_header(s, &h);
    if (ret == SHM_OK) {
        enum shm_event event = shm_ring_look(&s->ring, &h, now, false);
        if (event == SHM_UNSURE) {
            ret = read_header(s, &h);
            if (ret == SHM_OK)
                event = shm_ring_look(&s->ring, &h, now, true);
        }
        if (event == SHM_BEGAN) {
            shm_pace_begin(&s->pace, now);
            count_add(&s->base.counters->restarts, 1);
        }
    }
    if (ret <= 0)
        return ret;
    return look_at_none(s, (enum shm_fault)ret, now);
}

/* A chunk lies behind the end of the file, which was cut under our hands. 0 or -errno. */
static int lose_stream(struct ivshmem *s)
{
    shm_ring_none(&s->ring, false, clock_now());
    return shm_file_refresh(&s->place.file);
}

/* False: there is nothing ready any more, or the ring is where a new stream begins. Or -errno. */
static int check_wrap(struct ivshmem *s)
{
    if (!shm_ring_wraps(&s->ring))
        return true;
    const struct shm_header *h = &s->ring.stream;
    const int ret = read_chunk(s, 0, &s->spare);
    if (ret < 0)
        return ret;
    if (ret == 0)
        return lose_stream(s);
    if (shm_ring_check_wrap(&s->ring, shm_print(h, &s->spare), shm_silent(h, &s->spare)))
        return true;
    count_add(&s->base.counters->restarts, 1);
    return false;
}

/* Copies up to n ready chunks out. How many there are whole, or -errno. */
static int copy_chunks(struct ivshmem *s, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        const int ret = read_chunk(s, shm_ring_index(&s->ring, i), &s->chunks[i]);
        if (ret < 0)
            return ret;
        if (ret == 0)
            return lose_stream(s);
    }
    return (int)n;
}

/* The next n ready chunks lie in `chunks`, whole and fresh. */
static int hand_on(struct ivshmem *s, const struct shm_chunk *chunks, uint32_t n,
                   struct packet *packets)
{
    const struct shm_header *h = &s->ring.stream;
    for (uint32_t i = 0; i < n; i++) {
        if (shm_ring_index(&s->ring, i) == h->max_chunks - 1)
            shm_ring_saw_last(&s->ring, shm_print(h, &chunks[i]));
        packets[i] = shm_packet(h, &chunks[i]);
        packets[i].starts = s->ring.starts;
        s->ring.starts = false;
    }
    shm_ring_pass(&s->ring, n);
    count_add(&s->base.counters->packets, n);
    return (int)n;
}

/* Takes what the guest has published, at most max chunks of it. Their number, or -errno. */
static int take(struct ivshmem *s, struct packet *packets, int max)
{
    uint64_t late = 0;
    const uint32_t ready = shm_ring_ready(&s->ring, &late);
    count_add(&s->base.counters->late_chunks, late);
    uint32_t n = max < BATCH ? (uint32_t)max : BATCH;
    n = ready < n ? ready : n;
    if (n == 0)
        return 0;
    int got = check_wrap(s);
    if (got > 0)
        got = copy_chunks(s, n);
    if (got <= 0)
        return got;
    struct shm_header after;
    const int fault = read_header(s, &after);
    if (fault < 0)
        return fault;
    uint32_t torn = n;
    if (fault == SHM_OK || fault == SHM_ABSENT)
        torn = shm_ring_torn(&s->ring, n, fault == SHM_OK ? &after : NULL, clock_now());
    if (torn > 0)
        shm_ring_lose(&s->ring, torn);
    count_add(&s->base.counters->late_chunks, torn);
    return hand_on(s, s->chunks + torn, n - torn, packets);
}

/* While nothing comes the file may have been emptied. 0 or -errno. */
static int check_file(struct ivshmem *s, int64_t now)
{
    if (!shm_pace_is_idle(&s->pace) || now < s->check_size)
        return 0;
    s->check_size = now + CHECK_SIZE;
    return shm_file_refresh(&s->place.file);
}

/* One look. Packets, 0 or -errno. */
static int look_and_take(struct ivshmem *s, struct packet *packets, int max)
{
    const int64_t now = clock_now();
    int n = look(s, now);
    if (n == 0)
        n = take(s, packets, max);
    if (s->ring.known && s->ring.prints_due)
        take_prints(s);
    if (n == 0)
        n = check_file(s, now);
    uint64_t late = 0;
    s->next = n > 0 ? shm_pace_found(&s->pace, now, n) : shm_pace_missed(&s->pace, now);
    for (int i = 0; i < n; i++)
        packets[i].arrival = s->pace.arrival;
    const bool more = shm_ring_ready(&s->ring, &late) > 0;
    s->hasty = more && n <= 0 ? s->hasty + 1 : 0;
    if (more && s->hasty < HASTY)
        s->next = now; /* the rest, or a new stream */
    count_add(&s->base.counters->late_chunks, late);
    count_add(&s->base.counters->left_chunks, shm_ring_left(&s->ring));
    return n;
}

/* Until the next look is due, or for ever while there is nothing to look at. As ppoll() returns. */
static int wait_for_look(const struct ivshmem *s, int wake_fd)
{
    struct pollfd fd = {.fd = wake_fd, .events = POLLIN};
    const int64_t wait = s->next - clock_now();
    const struct timespec timeout = {.tv_sec = wait > 0 ? wait / NS_PER_S : 0,
                                     .tv_nsec = wait > 0 ? wait % NS_PER_S : 0};
    return ppoll(&fd, 1, s->place.usable ? &timeout : NULL, NULL);
}

static int ivshmem_read(struct receiver *r, int wake_fd, struct packet *packets, int max)
{
    struct ivshmem *s = (struct ivshmem *)r;
    for (;;) {
        const int woken = wait_for_look(s, wake_fd);
        if (woken != 0)
            return woken > 0 || errno == EINTR ? 0 : -errno;
        const int n = look_and_take(s, packets, max);
        if (n != 0)
            return n;
    }
}

static int ivshmem_tend(struct receiver *r, int64_t now)
{
    struct ivshmem *s = (struct ivshmem *)r;
    const int ret = shm_place_tend(&s->place, count_read(&r->counters->packets), now, r->waiting,
                                   sizeof r->waiting);
    r->watch_fd = path_watch_fd(&s->place.watch);
    r->tend_at = shm_place_due(&s->place);
    return ret;
}

static void ivshmem_close(struct receiver *r)
{
    struct ivshmem *s = (struct ivshmem *)r;
    if (!s)
        return;
    shm_place_close(&s->place);
    free(s);
}

static void ivshmem_describe(const struct receiver *r, char *buf, size_t size)
{
    char told[LOG_PATH];
    snprintf(buf, size, "shared memory %s",
             log_path(told, ((const struct ivshmem *)r)->place.path));
}

const struct receiver_driver ivshmem_driver = {
    .name = "ivshmem",
    .summary = "a guest's shared memory (-m FILE)",
    .uses = "",
    .hint = "does the guest play, is UseIVSHMEM in its registry the size of this file in MiB?",
    .open = ivshmem_open,
    .read = ivshmem_read,
    .tend = ivshmem_tend,
    .close = ivshmem_close,
    .describe = ivshmem_describe,
    .check = ivshmem_check,
};
