#include "../../tools/send_sink.h"
#include "../../tools/signal.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB 1048576

struct fixture {
    char dir[32], path[64];
    struct send_sink *sink;
    const uint8_t *map; /* what a host sees */
    size_t size;
};

static uint32_t field(const struct fixture *t, size_t at, size_t bytes)
{
    uint32_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value |= (uint32_t)t->map[at + i] << 8 * i;
    return value;
}

static void assert_no_stream(const struct fixture *t)
{
    static const uint8_t none[24];
    assert_memory_equal(t->map, none, sizeof none);
}

static int set_up(void **state)
{
    struct fixture *t = calloc(1, sizeof *t);
    assert_non_null(t);
    strcpy(t->dir, "/tmp/test_send_shm.XXXXXX");
    assert_non_null(mkdtemp(t->dir));
    snprintf(t->path, sizeof t->path, "%s/scream", t->dir);
    *state = t;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *t = *state;
    if (t->sink)
        t->sink->ops->close(t->sink);
    if (t->map)
        munmap((void *)(uintptr_t)t->map, t->size);
    unlink(t->path);
    rmdir(t->dir);
    free(t);
    return 0;
}

static void open_sink(struct fixture *t, uint64_t mib)
{
    const struct send_options o = {.shm = t->path, .shm_mib = mib};
    struct stat st;
    assert_int_equal(send_shm_open(&t->sink, &o), 0);
    const int fd = open(t->path, O_RDONLY);
    assert_int_equal(fstat(fd, &st), 0);
    t->size = (size_t)st.st_size;
    void *map = mmap(NULL, t->size, PROT_READ, MAP_SHARED, fd, 0);
    assert_true(map != MAP_FAILED);
    t->map = map;
    close(fd);
}

static void header_has_every_field_in_its_place(void **state)
{
    struct fixture *t = *state;
    const struct pcm_format f = {.rate = 88200, .width = 24, .channels = 6, .mask = 0x60f};
    uint32_t unit;
    open_sink(t, 2);
    assert_int_equal(t->size, 2 * MIB);
    assert_no_stream(t);
    assert_int_equal(t->sink->ops->begin(t->sink, &f, &unit), 0);
    assert_int_equal(unit, 88200 / 50 * 18);
    assert_int_equal(field(t, 0, 4), 0x11112014);
    assert_int_equal(field(t, 4, 2), 0); /* so that the first audio goes to index 1 */
    assert_int_equal(field(t, 6, 1), 24);
    assert_int_equal(field(t, 8, 2), 2 * MIB / unit);
    assert_int_equal(field(t, 12, 4), unit);
    assert_int_equal(field(t, 16, 1), 0x82);
    assert_int_equal(field(t, 17, 1), 24);
    assert_int_equal(field(t, 18, 1), 6);
    assert_int_equal(field(t, 20, 2), 0x60f);
    t->sink->ops->end(t->sink);
    assert_no_stream(t);
}

static void chunks_go_round_the_ring(void **state)
{
    struct fixture *t = *state;
    const struct pcm_format f = {.rate = 192000, .width = 32, .channels = 8, .mask = 0x63f};
    uint32_t unit;
    open_sink(t, 1);
    assert_int_equal(t->sink->ops->begin(t->sink, &f, &unit), 0);
    const uint32_t chunks = field(t, 8, 2);
    assert_int_equal(chunks, 8);
    uint8_t *chunk = malloc(unit);
    assert_non_null(chunk);
    for (uint32_t n = 1; n <= 3 * chunks; n++) {
        signal_render(SIGNAL_NOISE, &f, n, unit / 32, chunk);
        assert_int_equal(t->sink->ops->write(t->sink, chunk), 0);
        assert_int_equal(field(t, 4, 2), n % chunks);
        assert_memory_equal(t->map + 24 + n % chunks * unit, chunk, unit);
    }
    free(chunk);
}

static void every_format_ends_inside_the_file(void **state)
{
    struct fixture *t = *state;
    const uint32_t rates[] = {44100, 48000, 88200, 96000, 176400, 192000};
    for (uint64_t mib = 1; mib <= 64; mib *= 2) {
        open_sink(t, mib);
        for (size_t r = 0; r < 6; r++)
            for (uint8_t width = 16; width <= 32; width = (uint8_t)(width + 8))
                for (uint8_t channels = 1; channels <= 8; channels++) {
                    const struct pcm_format f = {
                        .rate = rates[r], .width = width, .channels = channels};
                    uint32_t unit;
                    assert_int_equal(t->sink->ops->begin(t->sink, &f, &unit), 0);
                    assert_int_equal(unit, (uint32_t)width / 8 * channels * rates[r] / 50);
                    const size_t chunks = field(t, 8, 2);
                    assert_true(24 + chunks * unit <= t->size);
                    assert_true(mib > 8 || chunks == t->size / unit);
                }
        t->sink->ops->close(t->sink);
        t->sink = NULL;
        munmap((void *)(uintptr_t)t->map, t->size);
        t->map = NULL;
    }
}

static void file_grows_and_never_shrinks(void **state)
{
    struct fixture *t = *state;
    struct stat st;
    const struct send_options small = {.shm = t->path, .shm_mib = 1};
    const int fd = open(t->path, O_CREAT | O_RDWR, 0600); /* as tmpfiles makes it */
    assert_true(fd >= 0);
    open_sink(t, 2);
    assert_int_equal(t->size, 2 * MIB);
    t->sink->ops->close(t->sink);
    t->sink = NULL;
    assert_int_equal(send_shm_open(&t->sink, &small), 0);
    assert_int_equal(fstat(fd, &st), 0); /* the same inode still */
    assert_int_equal(st.st_size, 2 * MIB);
    close(fd);
}

static void close_ends_the_stream(void **state)
{
    struct fixture *t = *state;
    const struct pcm_format f = {.rate = 48000, .width = 16, .channels = 2, .mask = 3};
    uint32_t unit;
    open_sink(t, 2);
    assert_int_equal(t->sink->ops->begin(t->sink, &f, &unit), 0);
    assert_int_equal(field(t, 0, 4), 0x11112014);
    t->sink->ops->close(t->sink);
    t->sink = NULL;
    assert_no_stream(t);
}

static void what_cannot_be_mapped_is_an_error(void **state)
{
    struct fixture *t = *state;
    struct send_sink *sink = NULL;
    const struct send_options directory = {.shm = t->dir, .shm_mib = 2};
    const struct send_options nowhere = {.shm = "/nonexistent/scream", .shm_mib = 2};
    const struct send_options device = {.shm = "/dev/null", .shm_mib = 2};
    assert_int_equal(send_shm_open(&sink, &directory), -EISDIR);
    assert_int_equal(send_shm_open(&sink, &nowhere), -ENOENT);
    assert_int_equal(send_shm_open(&sink, &device), -EINVAL);
    assert_null(sink);
}

#define fixture_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(header_has_every_field_in_its_place),
        fixture_test(chunks_go_round_the_ring),
        fixture_test(every_format_ends_inside_the_file),
        fixture_test(file_grows_and_never_shrinks),
        fixture_test(close_ends_the_stream),
        fixture_test(what_cannot_be_mapped_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
