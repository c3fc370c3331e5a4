/*
 * A guest that means harm: rewrites the header and the ring of a shared memory as fast as it can.
 *
 *   scribble FILE SECONDS KIND...
 *
 * KIND: header (random bytes in a valid header), index (a valid stream whose index jumps), formats (a valid
 * stream of another format each time), ring (samples, all over), noise (the header all random). Several take
 * turns. The file keeps its size.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct header {
    uint32_t magic;
    uint16_t index;
    uint8_t offset, unused;
    uint16_t chunks;
    uint32_t chunk_size;
    uint8_t rate, width, channels, padding;
    uint16_t mask, end;
};

static uint64_t seed = 1;

static uint32_t dice(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33);
}

static struct header stream(uint8_t rate, uint8_t width, uint8_t channels, off_t size)
{
    const uint32_t hz = (rate & 0x80 ? 44100u : 48000u) * (rate & 0x7f);
    struct header h = {.magic = 0x11112014, .offset = 24, .rate = rate, .width = width, .mask = 3};
    h.channels = channels;
    h.chunk_size = hz / 50 * width / 8 * channels;
    h.chunks = (uint16_t)(size / h.chunk_size);
    h.index = (uint16_t)(dice() % h.chunks);
    return h;
}

static void scribble(const char *kind, uint8_t *to, off_t size)
{
    static const uint8_t rates[] = {0x01, 0x02, 0x04, 0x81, 0x82, 0x84}, widths[] = {16, 24, 32};
    static uint8_t noise[4096];
    struct header h = stream(0x01, 16, 2, size);
    off_t at = 0;
    for (size_t i = 0; i < sizeof noise; i += 4)
        memcpy(noise + i, &(uint32_t){dice()}, 4);
    if (strcmp(kind, "header") == 0)
        ((uint8_t *)&h)[dice() % sizeof h] = (uint8_t)dice();
    else if (strcmp(kind, "formats") == 0)
        h = stream(rates[dice() % 6], widths[dice() % 3], (uint8_t)(1 + dice() % 8), size);
    else if (strcmp(kind, "noise") == 0)
        memcpy(&h, noise, sizeof h);
    else if (strcmp(kind, "ring") == 0)
        at = dice() % (size - (off_t)sizeof noise);
    memcpy(to + at, at ? (void *)noise : (void *)&h, at ? sizeof noise : sizeof h);
}

/* The file has become shorter than what is mapped of it: it is looked at again. */
static sigjmp_buf cut;

static void on_bus_error(int signal)
{
    siglongjmp(cut, signal);
}

/* As a guest does it: through memory, of which nobody on the host is told. */
int main(int argc, char *argv[])
{
    struct stat st;
    if (argc < 4)
        return 2;
    const int fd = open(argv[1], O_RDWR | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0 || st.st_size < 1 << 20)
        return 1;
    uint8_t *const to = mmap(NULL, (size_t)st.st_size, PROT_WRITE, MAP_SHARED, fd, 0);
    if (to == MAP_FAILED)
        return 1;
    const time_t end = time(NULL) + atoi(argv[2]);
    static unsigned long n; /* static: kept across the jump */
    static int turn = 3;
    signal(SIGBUS, on_bus_error);
    if (sigsetjmp(cut, 1) != 0)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    for (; time(NULL) < end; turn = turn + 1 < argc ? turn + 1 : 3)
        for (int i = 0; i < 1000; i++, n++)
            scribble(argv[turn], to, st.st_size);
    printf("%lu writes\n", n);
    return 0;
}
