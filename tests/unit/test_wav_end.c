/* Recordings that end suddenly, in a child. */
#include "test.h"

#include "clock.h"
#include "fed.h"
#include "parsed.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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
        if (parse_wav(&p, "killed.wav")) {
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_folder(it_plays_at_every_moment_even_after_kill_9),
        in_folder(a_full_disk_leaves_a_file_that_plays),
    };
    return cmocka_run_group_tests_name("wav_end", tests, NULL, NULL);
}
