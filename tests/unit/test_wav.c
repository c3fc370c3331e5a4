#include "test.h"

#include "../../outputs/wav_file.h"
#include "../../outputs/wav_name.h"
#include "clock.h"
#include "fed.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern const struct output_driver wav_driver;
static const struct pcm_format stereo = {.rate = 48000, .width = 16, .channels = 2, .mask = 3};

/* ---- a folder of its own ---- */

static int enter_folder(void **state)
{
    char *folder = strdup("/tmp/scream-test-wav-XXXXXX");
    *state = folder;
    return !mkdtemp(folder) || chdir(folder) < 0;
}

static int leave_folder(void **state)
{
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", (char *)*state);
    free(*state);
    return chdir("/") < 0 || system(command) != 0;
}

/* ---- an independent reader ---- */

struct parsed {
    uint32_t format_tag, channels, rate, bits, mask, riff, data;
    uint64_t file; /* bytes */
    const uint8_t *pcm;
    uint8_t *all;
};

static uint32_t get(const uint8_t *at, int bytes)
{
    uint32_t v = 0;
    for (int i = bytes; i-- > 0;)
        v = v << 8 | at[i];
    return v;
}

static bool parse(struct parsed *p, const char *path)
{
    memset(p, 0, sizeof *p);
    const int fd = open(path, O_RDONLY);
    if (fd < 0)
        return false;
    p->all = malloc(8 << 20);
    const ssize_t n = read(fd, p->all, 8 << 20);
    close(fd);
    p->file = n > 0 ? (uint64_t)n : 0;
    if (n < 44 || memcmp(p->all, "RIFF", 4) != 0 || memcmp(p->all + 8, "WAVE", 4) != 0)
        return false;
    p->riff = get(p->all + 4, 4);
    for (const uint8_t *at = p->all + 12; at + 8 <= p->all + n;) {
        const uint32_t bytes = get(at + 4, 4);
        if (memcmp(at, "fmt ", 4) == 0) {
            p->format_tag = get(at + 8, 2);
            p->channels = get(at + 10, 2);
            p->rate = get(at + 12, 4);
            p->bits = get(at + 22, 2);
            p->mask = bytes == 40 ? get(at + 28, 4) : 0;
        } else if (memcmp(at, "data", 4) == 0) {
            p->data = bytes;
            p->pcm = at + 8;
            return true;
        }
        at += 8 + bytes;
    }
    return false;
}

/* It claims no more than is there, whole frames, and they are the source's. */
static void assert_claims(const struct parsed *p, uint32_t frame, uint64_t from)
{
    assert_true((uint64_t)(p->pcm - p->all) + p->data <= p->file);
    assert_true(p->riff + 8 <= p->file);
    assert_int_equal(p->data % frame, 0);
    for (uint32_t i = 0; i < p->data; i++)
        assert_int_equal(p->pcm[i], fed_byte(from + i));
}

/* The same of a file that nobody writes just now: both sizes agree, and the length is even. */
static void assert_sound(const char *path, uint32_t frame, uint64_t from, uint32_t *bytes)
{
    struct parsed p;
    assert_true(parse(&p, path));
    assert_claims(&p, frame, from);
    assert_int_equal(p.riff + 8, (uint64_t)(p.pcm - p.all) + p.data + p.data % 2);
    *bytes = p.data;
    free(p.all);
}

static uint8_t *source_bytes(uint64_t from, uint32_t bytes)
{
    uint8_t *pcm = malloc(bytes);
    for (uint32_t i = 0; i < bytes; i++)
        pcm[i] = fed_byte(from + i);
    return pcm;
}

static int append(struct wav_file *f, uint64_t from, uint32_t bytes)
{
    uint8_t *pcm = source_bytes(from, bytes);
    const int err = wav_file_write(f, pcm, bytes);
    free(pcm);
    return err;
}

/* ---- tests ---- */

static void the_header_says_what_it_is(void **state)
{
    (void)state;
    const struct {
        struct pcm_format format;
        uint32_t tag, mask;
    } cases[] = {
        {{.rate = 48000, .width = 16, .channels = 2, .mask = 3}, 0x0001, 0},
        {{.rate = 44100, .width = 16, .channels = 1, .mask = 0}, 0x0001, 0},
        {{.rate = 96000, .width = 24, .channels = 2, .mask = 3}, 0xfffe, 0x3},
        {{.rate = 48000, .width = 32, .channels = 1, .mask = 3}, 0xfffe, 0x4},
        {{.rate = 192000, .width = 32, .channels = 8, .mask = 0x63f}, 0xfffe, 0x63f},
        {{.rate = 48000, .width = 16, .channels = 6, .mask = 0x60f}, 0xfffe, 0x60f},
        {{.rate = 48000, .width = 16, .channels = 6, .mask = 0}, 0xfffe, 0x3f},
        /* FC LFE FL FR: what the mask lacks comes behind, so it is in no order of bits */
        {{.rate = 48000, .width = 16, .channels = 4, .mask = 0xc}, 0xfffe, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct wav_file f;
        struct parsed p;
        char why[256];
        const uint32_t bytes = pcm_frame_bytes(&cases[i].format) * 7;
        assert_int_equal(wav_file_open(&f, "h.wav", &cases[i].format, WAV_LIMIT, why, sizeof why),
                         0);
        assert_int_equal(append(&f, 0, bytes), 0);
        assert_true(parse(&p, f.path));
        assert_int_equal(p.format_tag, cases[i].tag);
        assert_int_equal(p.mask, cases[i].mask);
        assert_int_equal(p.channels, cases[i].format.channels);
        assert_int_equal(p.rate, cases[i].format.rate);
        assert_int_equal(p.bits, cases[i].format.width);
        assert_int_equal(p.data, bytes);
        free(p.all);
        wav_file_close(&f);
    }
}

static void odd_lengths_are_padded(void **state)
{
    (void)state;
    const struct pcm_format format = {.rate = 48000, .width = 24, .channels = 1};
    struct wav_file f;
    char why[256];
    uint32_t at = 0, bytes = 0;
    assert_int_equal(wav_file_open(&f, "odd.wav", &format, WAV_LIMIT, why, sizeof why), 0);
    for (uint32_t frames = 1; frames < 20; frames++) {
        assert_int_equal(append(&f, at, frames * 3), 0);
        at += frames * 3;
        assert_sound("odd.wav", 3, 0, &bytes);
        assert_int_equal(bytes, at);
    }
    wav_file_close(&f);
    assert_sound("odd.wav", 3, 0, &bytes);
    assert_int_equal(bytes, at);
}

static void a_full_file_is_followed_by_another(void **state)
{
    (void)state;
    const struct pcm_format format = {.rate = 48000, .width = 24, .channels = 5};
    struct wav_file f;
    char why[256], path[32] = "full.wav";
    assert_int_equal(wav_file_open(&f, path, &format, 10000, why, sizeof why), 0);
    assert_int_equal(append(&f, 0, 15 * 100), 0);
    assert_int_equal(append(&f, 15 * 100, 15 * 1500), 0);
    wav_file_close(&f);
    uint64_t at = 0;
    for (int i = 1; at < 15 * 1600; i++) {
        struct stat st;
        uint32_t bytes = 0;
        if (i > 1)
            snprintf(path, sizeof path, "full-%d.wav", i);
        assert_sound(path, 15, at, &bytes);
        at += bytes;
        assert_int_equal(stat(path, &st), 0);
        assert_true(st.st_size <= 10000 && (st.st_size > 9980 || at == 15 * 1600));
    }
    assert_int_equal(at, 15 * 1600);
    assert_int_equal(access("full-4.wav", F_OK), -1);
}

static void nothing_is_written_over(void **state)
{
    (void)state;
    FILE *old = fopen("scream.wav", "w");
    fputs("mine", old);
    fclose(old);
    for (int i = 2; i < 5; i++) { /* as after format changes */
        struct fed f;
        char path[32];
        uint32_t bytes = 0;
        assert_int_equal(fed_open(&f, &wav_driver, &stereo, NULL), 0);
        assert_int_equal(wav_driver.start(f.out), 0);
        assert_true(fed_send(&f, 1152 * 30));
        wav_driver.stop(f.out);
        snprintf(path, sizeof path, "scream-%d.wav", i);
        assert_sound(path, 4, 0, &bytes);
        assert_int_equal(bytes, 1152 * 30);
        char text[64];
        wav_driver.describe(f.out, text, sizeof text);
        assert_non_null(strstr(text, path));
        fed_close(&f);
    }
    struct stat st;
    assert_int_equal(stat("scream.wav", &st), 0);
    assert_int_equal(st.st_size, 4);
}

static void a_file_without_sound_is_not_left(void **state)
{
    (void)state;
    struct fed f;
    assert_int_equal(fed_open(&f, &wav_driver, &stereo, "none.wav"), 0);
    assert_int_equal(access("none.wav", F_OK), 0);
    assert_int_equal(wav_driver.start(f.out), 0);
    wav_driver.stop(f.out);
    fed_close(&f);
    assert_int_equal(access("none.wav", F_OK), -1);
}

/* Numbers below `until` are taken, but those from `gap` to its end. */
struct names {
    unsigned until, gap, gap_end, looks;
};

static bool is_taken(void *data, unsigned number)
{
    struct names *n = data;
    n->looks++;
    return number < n->until && (number < n->gap || number >= n->gap_end);
}

static void a_free_name_is_found_by_few_looks(void **state)
{
    (void)state;
    for (unsigned until = 1; until <= WAV_MOST_NAMES; until++) {
        struct names n = {.until = until};
        assert_int_equal(wav_name_free(is_taken, &n), until);
        assert_true(n.looks <= 28);
    }
    struct names all = {.until = WAV_MOST_NAMES + 1};
    assert_int_equal(wav_name_free(is_taken, &all), 0);
    for (unsigned gap = 1; gap < 90; gap++)
        for (unsigned until = gap; until < 100; until++) {
            struct names n = {.until = until, .gap = gap, .gap_end = gap + 5};
            const unsigned number = wav_name_free(is_taken, &n);
            assert_false(is_taken(&n, number));
            assert_true(number == 1 || is_taken(&n, number - 1));
        }
}

/* As a guest's format flaps. */
static void a_run_makes_no_more_files_than_it_may(void **state)
{
    (void)state;
    struct wav_file f;
    char why[256], path[PATH_MAX];
    for (unsigned i = 1; i <= WAV_MOST_NAMES; i++) {
        assert_int_equal(wav_name(path, "flaps.wav", i), 0);
        const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0666);
        assert_true(fd >= 0);
        close(fd);
        if (i % 1000 != 0)
            continue;
        assert_int_equal(wav_file_open(&f, "flaps.wav", &stereo, WAV_LIMIT, why, sizeof why), 0);
        assert_int_equal(wav_name(path, "flaps.wav", i + 1), 0);
        assert_string_equal(f.path, path);
        wav_file_close(&f); /* without sound: the name is free again */
    }
    assert_int_equal(wav_file_open(&f, "flaps.wav", &stereo, WAV_LIMIT, why, sizeof why), -EEXIST);
    assert_non_null(strstr(why, "'flaps-9999.wav'"));
    assert_non_null(strstr(why, "; move"));
}

static void a_link_to_nothing_is_not_followed(void **state)
{
    (void)state;
    struct wav_file f;
    char why[256];
    assert_int_equal(symlink("elsewhere.wav", "link.wav"), 0);
    assert_int_equal(wav_file_open(&f, "link.wav", &stereo, WAV_LIMIT, why, sizeof why), 0);
    assert_string_equal(f.path, "link-2.wav");
    wav_file_close(&f);
}

static void a_rehearsal_tells_and_leaves_nothing(void **state)
{
    (void)state;
    char text[256];
    assert_int_equal(wav_file_rehearse("new.wav", text, sizeof text), 0);
    assert_string_equal(text, "a new file, 'new.wav'");
    assert_int_equal(access("new.wav", F_OK), -1);
    assert_int_equal(close(open("new.wav", O_WRONLY | O_CREAT, 0666)), 0);
    assert_int_equal(wav_file_rehearse("new.wav", text, sizeof text), 0);
    assert_non_null(strstr(text, "'new-2.wav'"));
    assert_non_null(strstr(text, "not written over"));
    assert_int_equal(access("new-2.wav", F_OK), -1);
    assert_int_equal(wav_file_rehearse("nowhere/new.wav", text, sizeof text), -ENOENT);
    assert_non_null(strstr(text, "; make it"));
    assert_int_equal(wav_file_rehearse("new.wav/new.wav", text, sizeof text), -ENOTDIR);
    assert_int_equal(wav_file_rehearse("/proc/new.wav", text, sizeof text) < 0, geteuid() != 0);
    assert_int_equal(wav_file_rehearse(".", text, sizeof text), -ENOTSUP);
    assert_non_null(strstr(text, "; what is not goes with -o raw"));
}

static void what_is_no_file_is_refused(void **state)
{
    (void)state;
    const char *const names[] = {"/dev/null", "/tmp", "no/such/folder.wav"};
    for (size_t i = 0; i < 3; i++) {
        struct fed f;
        assert_true(fed_open(&f, &wav_driver, &stereo, names[i]) < 0);
        assert_non_null(strstr(f.why, names[i]));
        fed_close(&f);
    }
}

static void every_format_is_recorded_whole(void **state)
{
    (void)state;
    int number = 0;
    for (uint8_t width = 16; width <= 32; width = (uint8_t)(width + 8))
        for (uint8_t channels = 1; channels <= 8; channels++) {
            const struct pcm_format format = {.rate = 96000, .width = width, .channels = channels};
            const uint32_t frame = pcm_frame_bytes(&format);
            struct fed f;
            char path[32];
            uint32_t bytes = 0;
            snprintf(path, sizeof path, "f%d.wav", number++);
            assert_int_equal(fed_open(&f, &wav_driver, &format, path), 0);
            assert_int_equal(wav_driver.start(f.out), 0);
            assert_true(fed_send(&f, frame * 4321 + frame / 2)); /* half a frame straddles */
            wav_driver.stop(f.out);
            assert_sound(path, frame, 0, &bytes);
            assert_int_equal(bytes, frame * 4321);
            fed_close(&f);
        }
}

/* ---- sudden ends, in a child ---- */

static void record_for_ever(void)
{
    const struct timespec packet = {.tv_nsec = 6 * 1000 * 1000};
    struct fed f;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody behind */
    if (fed_open(&f, &wav_driver, &stereo, "killed.wav") < 0 || wav_driver.start(f.out) < 0)
        _exit(1);
    for (;;) {
        fed_send(&f, 1152);
        nanosleep(&packet, NULL);
    }
}

static void it_plays_at_every_moment_even_after_kill_9(void **state)
{
    (void)state;
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        record_for_ever();
    const int64_t begin = clock_now();
    uint32_t bytes = 0;
    while (bytes < 60000 && clock_now() - begin < 20 * NS_PER_S) { /* looks while it is written */
        struct parsed p;
        if (parse(&p, "killed.wav")) {
            assert_claims(&p, 4, 0);
            bytes = p.data;
        }
        free(p.all);
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    uint32_t after = 0;
    assert_sound("killed.wav", 4, 0, &after);
    assert_true(after >= 60000);
}

static bool put(const char *path, const char *text)
{
    const int fd = open(path, O_WRONLY);
    const bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0)
        close(fd);
    return done;
}

/* What is mounted from now on nobody else sees. As root at once: the thread sanitizer has a thread of its own, which
 * no process may have that enters another user's name space. */
static bool own_mounts(void)
{
    char user[32], group[32];
    if (unshare(CLONE_NEWNS) == 0)
        return mount("none", "/", NULL, MS_REC | MS_SLAVE, NULL) == 0;
    snprintf(user, sizeof user, "0 %u 1", geteuid());
    snprintf(group, sizeof group, "0 %u 1", getegid());
    return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && put("/proc/self/setgroups", "deny") &&
           put("/proc/self/uid_map", user) && put("/proc/self/gid_map", group);
}

/* A full disk, in a name space of the child's own: exit codes 0 passed, 77 not to be had. */
static void record_to_a_full_disk(void)
{
    if (mkdir("disk", 0700) < 0 || !own_mounts() ||
        mount("disk", "disk", "tmpfs", 0, "size=64k") < 0 || chdir("disk") < 0)
        _exit(77);
    struct fed f;
    uint32_t bytes = 0;
    if (fed_open(&f, &wav_driver, &stereo, "d.wav") < 0 || wav_driver.start(f.out) < 0)
        _exit(1);
    if (!fed_send(&f, 1152 * 200) || !fed_fails(&f, 5000) ||
        atomic_load(&f.out->failure) != -ENOSPC)
        _exit(2);
    wav_driver.stop(f.out);
    fed_close(&f);
    assert_sound("d.wav", 4, 0, &bytes);
    if (bytes < 60000)
        _exit(3);
    /* Tried again: it fails, and leaves nothing. */
    if (fed_open(&f, &wav_driver, &stereo, "d.wav") == 0)
        _exit(4);
    _exit(access("d-2.wav", F_OK) == 0 ? 5 : 0);
}

static void a_full_disk_leaves_a_file_that_plays(void **state)
{
    (void)state;
    int status;
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        record_to_a_full_disk();
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void what_fits_stays_when_the_rest_does_not(void **state)
{
    (void)state;
    const struct pcm_format format = {.rate = 48000, .width = 24, .channels = 1};
    struct rlimit before;
    struct wav_file f;
    char why[256];
    uint32_t bytes = 0;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(wav_file_open(&f, "fit.wav", &format, WAV_LIMIT, why, sizeof why), 0);
    for (rlim_t size = 1000; size < 1007; size++) { /* every phase of frame and padding */
        const struct rlimit small = {.rlim_cur = size, .rlim_max = before.rlim_max};
        setrlimit(RLIMIT_FSIZE, &small);
        const int err = append(&f, f.data, 3000);
        setrlimit(RLIMIT_FSIZE, &before);
        assert_int_equal(err, -EFBIG);
        assert_sound("fit.wav", 3, 0, &bytes);
        assert_true(bytes + 68 <= size && bytes + 68 + 6 > size);
    }
    wav_file_close(&f);
    assert_sound("fit.wav", 3, 0, &bytes);
}

#define in_folder(f) cmocka_unit_test_setup_teardown(f, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_folder(the_header_says_what_it_is),
        in_folder(odd_lengths_are_padded),
        in_folder(a_full_file_is_followed_by_another),
        in_folder(nothing_is_written_over),
        in_folder(a_file_without_sound_is_not_left),
        in_folder(a_free_name_is_found_by_few_looks),
        in_folder(a_run_makes_no_more_files_than_it_may),
        in_folder(a_link_to_nothing_is_not_followed),
        in_folder(a_rehearsal_tells_and_leaves_nothing),
        in_folder(what_is_no_file_is_refused),
        in_folder(every_format_is_recorded_whole),
        in_folder(it_plays_at_every_moment_even_after_kill_9),
        in_folder(a_full_disk_leaves_a_file_that_plays),
        in_folder(what_fits_stays_when_the_rest_does_not),
    };
    return cmocka_run_group_tests_name("wav", tests, NULL, NULL);
}
