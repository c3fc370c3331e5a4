/* The receiver thread is confined, and receives all the same. */
#include "test.h"

#include "confined.h"
#include "ingest.h"
#include "shm_guest.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* Its first read() tries to open a file; then it waits. */
struct burglar {
    struct receiver base;
    int error; /* -1: not yet */
};

static int burglar_read(struct receiver *r, int wake_fd, struct packet *packets, int max)
{
    struct burglar *b = (struct burglar *)r;
    (void)packets, (void)max;
    if (b->error >= 0) {
        struct pollfd p = {.fd = wake_fd, .events = POLLIN};
        return ppoll(&p, 1, NULL, NULL), 0;
    }
    const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    b->error = fd < 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    return -EIO;
}

static const struct receiver_driver burglar_driver = {.name = "burglar", .read = burglar_read};

/* packets: that came before it was opened */
static int error_of_burglar(bool sandbox, uint64_t packets)
{
    struct receiver_counters counters = {0};
    struct burglar b = {.base = {.driver = &burglar_driver, .counters = &counters, .input_fd = -1},
                        .error = -1};
    count_add(&counters.packets, packets);
    struct stream stream;
    struct notifier notifier;
    struct ingest *ingest;
    assert_int_equal(stream_init(&stream, 0), 0);
    assert_int_equal(notifier_init(&notifier), 0);
    assert_int_equal(ingest_start(&ingest, &b.base, &stream, &notifier, sandbox, packets == 0), 0);
    struct pollfd p = {.fd = notifier.fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, 10000), 1); /* what it says of its end gets through */
    ingest_stop(ingest);
    notifier_finish(&notifier);
    stream_finish(&stream);
    return b.error;
}

static void the_receiver_thread_is_confined(void **state)
{
    (void)state;
    assert_int_equal(error_of_burglar(false, 0), 0);
    need_sandbox();
    assert_int_equal(error_of_burglar(true, 0), EPERM);
    assert_int_equal(error_of_burglar(true, 1000), EPERM); /* opened again */
}

/* ---- real ones, opened again and again ---- */

struct ears {
    struct receiver_counters counters;
    struct receiver *receiver;
    struct stream stream;
    struct notifier notifier;
    struct ingest *ingest;
    int held[16]; /* so that each opening has other descriptors */
    int count;
};

static void ears_open(struct ears *e, const char *name, const struct receiver_config *config)
{
    char why[256] = "";
    const struct receiver_driver *driver = receiver_find(name);
    if (!driver)
        skip();
    e->held[e->count++] = eventfd(0, EFD_CLOEXEC);
    if (driver->open(&e->receiver, config, &e->counters, why, sizeof why) < 0)
        fail_msg("%s", why);
    assert_true(e->receiver->input_fd > e->held[e->count - 1]);
    assert_int_equal(stream_init(&e->stream, 0), 0);
    assert_int_equal(notifier_init(&e->notifier), 0);
    assert_int_equal(
        ingest_start(&e->ingest, e->receiver, &e->stream, &e->notifier, true, e->count == 1), 0);
}

static void ears_close(struct ears *e)
{
    ingest_stop(e->ingest);
    e->receiver->driver->close(e->receiver);
    notifier_finish(&e->notifier);
    stream_finish(&e->stream);
}

static void ears_end(struct ears *e)
{
    while (e->count > 0)
        close(e->held[--e->count]);
}

/* How the kernel confines the receiving thread: 2 is by a filter. */
static int mode_of_thread(void)
{
    char path[300], line[256];
    int mode = -1;
    DIR *d = opendir("/proc/self/task");
    for (const struct dirent *entry; d && (entry = readdir(d));) {
        bool ours = false;
        snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
        FILE *f = fopen(path, "r");
        while (f && fgets(line, sizeof line, f)) {
            ours |= strcmp(line, "Name:\tscream-receiver\n") == 0;
            if (ours && strncmp(line, "Seccomp:", 8) == 0)
                mode = atoi(line + 8);
        }
        if (f)
            fclose(f);
    }
    closedir(d);
    return mode;
}

/* Within that time it says that a format begins, which is when the first packet has come. */
static bool hears(struct ears *e, int ms)
{
    struct pollfd p = {.fd = e->notifier.fd, .events = POLLIN};
    if (poll(&p, 1, ms) == 0)
        return false;
    assert_int_equal(notifier_take(&e->notifier), NOTIFY_FORMAT);
    assert_int_equal(ingest_failure(e->ingest), 0);
    return true;
}

static void the_network_is_heard_after_each_opening(void **state)
{
    (void)state;
    need_sandbox();
    static struct ears e;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof to;
    uint8_t packet[PCM_WIRE_BYTES + SCREAM_PAYLOAD] = {0x01, 16, 2, 3, 0};
    const int from = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(from, (struct sockaddr *)&to, size), 0); /* a port that is free */
    assert_int_equal(getsockname(from, (struct sockaddr *)&to, &size), 0);
    close(from);
    const struct receiver_config config = {.unicast = true, .port = ntohs(to.sin_port)};
    for (unsigned i = 1; i <= 3; i++) {
        ears_open(&e, "udp", &config);
        const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        assert_true(sendto(fd, packet, sizeof packet, 0, (struct sockaddr *)&to, size) > 0);
        assert_true(hears(&e, 10000));
        assert_int_equal(mode_of_thread(), 2);
        close(fd);
        ears_close(&e);
    }
    ears_end(&e);
}

/* Its end is noticed by the thread itself. */
static void shared_memory_is_read_after_each_opening(void **state)
{
    (void)state;
    need_sandbox();
    static struct ears e;
    static struct shm_guest guest = {.offset = 24, .format = {48000, 3, 16, 2}};
    char path[] = "/tmp/scream-test-XXXXXX";
    const int fd = mkostemp(path, O_CLOEXEC);
    const struct receiver_config config = {.file = path};
    assert_true(fd >= 0);
    for (unsigned i = 1; i <= 3; i++) {
        assert_int_equal(ftruncate(fd, 1 << 20), 0);
        assert_true(shm_guest_map(&guest, path, 1 << 20));
        ears_open(&e, "ivshmem", &config);
        shm_guest_start(&guest);
        shm_guest_write(&guest, 1);
        shm_guest_write(&guest, 2);
        for (uint32_t n = 3; !hears(&e, 20); n++) /* the guest's pace */
            shm_guest_write(&guest, n);
        assert_int_equal(mode_of_thread(), 2);
        shm_guest_unmap(&guest);
        guest.map = NULL;
        assert_int_equal(ftruncate(fd, 0), 0);
        for (unsigned events = 0; !(events & NOTIFY_RECEIVER);
             events = notifier_take(&e.notifier)) {
            struct pollfd p = {.fd = e.notifier.fd, .events = POLLIN};
            assert_int_equal(poll(&p, 1, 10000), 1);
        }
        assert_int_equal(ingest_failure(e.ingest), -ESTALE);
        ears_close(&e);
    }
    ears_end(&e);
    close(fd);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_receiver_thread_is_confined),
        cmocka_unit_test(the_network_is_heard_after_each_opening),
        cmocka_unit_test(shared_memory_is_read_after_each_opening),
    };
    return cmocka_run_group_tests_name("sandbox_receiver", tests, NULL, NULL);
}
