/*
 * The whole shared-memory receiver on real files, while a guest writes to them, cuts them, makes them grow and
 * puts others in their places; some dozen looks for each input. What has to be opened anew is, as by a session.
 *
 * The guest acts between any two of the receiver's system calls, and in the midst of each pread(): that is all
 * that can be seen of it, and it is the same each time. Time is our own, and goes on as far as the receiver
 * waits. When the first byte is 't' the guest is a thread besides.
 */
#include "../../receivers/ivshmem_header.h"
#include "../../src/clock.h"
#include "../../src/receiver.h"
#include "input.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOKS  32
#define REOPEN 6 /* looks that an opening counts for */
#define AT_ONE 8 /* looks at one moment that find nothing: it spins */
_Static_assert(AT_ONE < LOOKS, "there are as many");
#define STEPS 500 /* of the thread */
#define MIB   (1 << 20)

/* ---- the guest: over and over what the input says ---- */

struct scribbler {
    int files[2], other, path; /* `path`: where the receiver looks, one of the others */
    int present;
    const uint8_t *bytes;
    size_t size;
    struct input in;
    unsigned pause; /* of the receiver's calls */
    uint16_t index, chunks;
    atomic_bool done;
    atomic_uint steps;
};

static void write_at(const struct scribbler *s, const void *bytes, size_t n, off_t at)
{
    MUST(pwrite(s->files[s->present], bytes, n, at) == (ssize_t)n);
}

static void begin_stream(struct scribbler *s, struct input *in)
{
    uint8_t h[SHM_HEADER_BYTES] = {0x14, 0x20, 0x11, 0x11, 0, 0, 24};
    struct pcm_format f;
    uint8_t wire[PCM_WIRE_BYTES];
    input_take(in, wire, sizeof wire);
    if (pcm_format_parse(wire, &f) != PCM_OK)
        return;
    const uint32_t chunk = (uint32_t)pcm_bytes_of(&f, SHM_CHUNK_NS);
    s->chunks = (uint16_t)((MIB - SHM_HEADER_BYTES) / chunk);
    s->index = input_8(in);
    s->index = (uint16_t)(s->index % s->chunks);
    memcpy(h + 4, &s->index, sizeof s->index);
    memcpy(h + 8, &s->chunks, sizeof s->chunks);
    memcpy(h + 12, &chunk, sizeof chunk);
    memcpy(h + 16, wire, 3);
    memcpy(h + 20, wire + 3, 2);
    write_at(s, h, sizeof h, 0);
}

static void move_index(struct scribbler *s, uint16_t by)
{
    s->index = (uint16_t)((s->index + by) % (s->chunks ? s->chunks : 1));
    write_at(s, &s->index, sizeof s->index, 4);
}

/* One field of the header is something else. */
static void lie(const struct scribbler *s, uint8_t which, struct input *in)
{
    static const struct {
        uint8_t at, bytes;
    } fields[] = {{0, 4}, {4, 2}, {6, 1}, {8, 2}, {12, 4}, {16, 3}, {20, 2}, {12, 2}};
    uint8_t value[4];
    input_take(in, value, fields[which % 8].bytes);
    write_at(s, value, fields[which % 8].bytes, fields[which % 8].at);
}

static void put_in_place(struct scribbler *s, uint8_t what)
{
    if (what < 24)
        s->present = !s->present;
    MUST(dup2(what < 24 ? s->files[s->present] : s->other, s->path) == s->path);
}

static void scribble(struct scribbler *s, struct input *in)
{
    static const off_t sizes[] = {0, 24, 5000, MIB, MIB / 2, MIB + 1, 2 * MIB, MIB};
    uint8_t part[24];
    const uint8_t how = input_8(in), more = how >> 3;
    const size_t n = more < sizeof part ? more : sizeof part;
    switch (how & 7) {
    case 0:
    case 1:
        input_take(in, part, n);
        write_at(s, part, n, how & 1 ? (off_t)input_16(in) * 16 : input_8(in) % 24);
        break;
    case 2:
        MUST(ftruncate(s->files[s->present], sizes[more % 8]) == 0);
        break;
    case 3:
        put_in_place(s, more);
        break;
    case 4:
        begin_stream(s, in);
        break;
    case 5:
        move_index(s, more < 28 ? 1 : input_16(in));
        break;
    case 6:
        lie(s, more, in);
        break;
    default:
        s->pause = 1 + more;
    }
}

/* The receiver is in the midst of something. */
static void act(struct scribbler *s)
{
    for (int i = 0; i < 8 && s->pause == 0; i++) {
        if (s->in.left == 0)
            s->in = (struct input){s->bytes, s->size};
        scribble(s, &s->in);
    }
    s->pause -= s->pause > 0;
}

static void *scribble_on(void *arg)
{
    struct scribbler mine = *(struct scribbler *)arg, *s = arg;
    struct input in = {.left = 0};
    for (int n = 0; n < STEPS && !atomic_load(&s->done); n++) {
        if (in.left == 0)
            in = (struct input){s->bytes, s->size};
        scribble(&mine, &in);
        atomic_fetch_add(&s->steps, 1);
    }
    return NULL;
}

static void prepare(struct scribbler *s, const uint8_t *bytes, size_t size)
{
    if (!s->other) {
        s->files[0] = memfd_create("scream-fuzz", MFD_CLOEXEC);
        s->files[1] = memfd_create("scream-fuzz", MFD_CLOEXEC);
        s->other = open("/dev/null", O_RDONLY | O_CLOEXEC);
        s->path = dup(s->files[0]);
        MUST(s->path >= 0 && s->other > 0);
    }
    for (int i = 0; i < 2; i++)
        MUST(ftruncate(s->files[i], 0) == 0 && ftruncate(s->files[i], MIB) == 0);
    s->present = 1;
    put_in_place(s, 0);
    s->bytes = bytes;
    s->size = size;
    s->in = (struct input){bytes, size};
    s->index = s->chunks = 0;
    s->pause = 0;
    atomic_store(&s->done, false);
}

/* ---- what the receiver asks of the kernel ---- */

static struct scribbler guest;
static __thread bool ours;
static bool threaded;
static int64_t now;
static int looks, at_one;

/* Put in their places by the linker (fuzz.mk), and those behind them. */
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);
int __wrap_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
                 const sigset_t *mask);
int __wrap_inotify_init1(int flags);
int __wrap_fstat(int fd, struct stat *st);
ssize_t __wrap_pread(int fd, void *to, size_t n, off_t at);
int __real_clock_gettime(clockid_t clock, struct timespec *ts);
int __real_fstat(int fd, struct stat *st);
ssize_t __real_pread(int fd, void *to, size_t n, off_t at);

int __wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
    if (!ours)
        return __real_clock_gettime(clock, ts);
    *ts = (struct timespec){.tv_sec = now / NS_PER_S, .tv_nsec = now % NS_PER_S};
    return 0;
}

/* The wait is over at once; meanwhile the guest has done something. */
int __wrap_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask)
{
    const unsigned before = atomic_load(&guest.steps);
    (void)fds, (void)n, (void)mask;
    if (looks-- <= 0 || !timeout)
        return 1;
    const int64_t wait = timeout->tv_sec * NS_PER_S + timeout->tv_nsec;
    at_one = wait > 0 ? 0 : at_one + 1;
    MUST(wait >= 0 && at_one < AT_ONE);
    now += wait;
    act(&guest);
    for (int i = 0; threaded && i < 2 && atomic_load(&guest.steps) == before; i++)
        sched_yield();
    return 0;
}

/* Closing one takes the kernel some ten milliseconds. */
int __wrap_inotify_init1(int flags)
{
    (void)flags;
    return -1;
}

int __wrap_fstat(int fd, struct stat *st)
{
    if (ours)
        act(&guest);
    return __real_fstat(fd, st);
}

ssize_t __wrap_pread(int fd, void *to, size_t n, off_t at)
{
    const size_t half = ours ? n / 8 * 4 : 0;
    const ssize_t first = half > 0 ? __real_pread(fd, to, half, at) : 0;
    if (ours)
        act(&guest);
    if (first < (ssize_t)half)
        return first;
    const ssize_t rest = __real_pread(fd, (uint8_t *)to + half, n - half, at + (off_t)half);
    return rest < 0 ? rest : first + rest;
}

/* ---- the receiver's ---- */

static void check_packets(const struct packet *packets, int n)
{
    volatile uint8_t sink = 0;
    for (int i = 0; i < n; i++) {
        const struct packet *p = &packets[i];
        MUST(p->bytes == pcm_bytes_of(&p->format, SHM_CHUNK_NS));
        MUST(p->format.channels >= 1 && p->format.channels <= PCM_MAX_CHANNELS);
        MUST(p->arrival <= now);
        for (uint32_t k = 0; k < p->bytes; k += 64)
            sink = (uint8_t)(sink ^ p->data[k]);
        sink = (uint8_t)(sink ^ p->data[p->bytes - 1]);
    }
}

/* Until it has to be opened anew, or has looked often enough. */
static void read_on(struct receiver *r)
{
    struct packet packets[64];
    while (looks > 0) {
        const int n = r->driver->read(r, 0, packets, 64);
        if (n < 0)
            return;
        MUST(n <= 64);
        if (n > 0)
            at_one = 0;
        check_packets(packets, n);
        if (r->tend_at < INT64_MAX && n == 0 && now < r->tend_at && looks > 0)
            now = r->tend_at;
        if (r->driver->tend(r, now) < 0)
            return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct receiver_counters counters = {0};
    char path[64], why[256];
    pthread_t thread;
    if (size == 0)
        return 0;
    threaded = bytes[0] == 't';
    prepare(&guest, bytes, size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", guest.path);
    const struct receiver_config config = {.file = path};
    if (threaded)
        MUST(pthread_create(&thread, NULL, scribble_on, &guest) == 0);
    ours = true;
    now = NS_PER_S;
    for (looks = LOOKS; looks > 0; looks -= REOPEN) {
        struct receiver *r = NULL;
        at_one = 0;
        MUST(receiver_find("ivshmem")->open(&r, &config, &counters, why, sizeof why) == 0);
        read_on(r);
        r->driver->close(r);
    }
    ours = false;
    atomic_store(&guest.done, true);
    if (threaded)
        pthread_join(thread, NULL);
    return 0;
}
