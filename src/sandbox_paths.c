#include "sandbox_paths.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef SYS_landlock_create_ruleset

#define TELL_VERSION 1 /* LANDLOCK_CREATE_RULESET_VERSION */

/* struct landlock_ruleset_attr, which grows; old kernels take zeros for what they do not know. */
struct ruleset {
    uint64_t paths, ports, scopes;
};

/* All that there is to be refused, from that version on. https://docs.kernel.org/userspace-api/landlock.html */
static const struct {
    int version;
    struct ruleset all;
} rulesets[] = {
    {1, {0x1fff, 0, 0}}, /* to execute, read, write, list, remove, make */
    {2, {0x3fff, 0, 0}}, /* to link and rename from folder to folder */
    {3, {0x7fff, 0, 0}}, /* to truncate */
    {4, {0x7fff, 3, 0}}, /* TCP: to bind, to connect */
    {5, {0xffff, 3, 0}}, /* ioctl() of devices */
    {6, {0xffff, 3, 3}}, /* abstract sockets, signals */
};

int sandbox_lose_paths(void)
{
    const long version = syscall(SYS_landlock_create_ruleset, NULL, 0, TELL_VERSION);
    struct ruleset rules = {0};
    if (version < 0)
        return -errno;
    for (size_t i = 0; i < sizeof rulesets / sizeof rulesets[0]; i++)
        if (rulesets[i].version <= version)
            rules = rulesets[i].all;
    const int fd = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);
    if (fd < 0)
        return -errno;
    const int err = syscall(SYS_landlock_restrict_self, fd, 0) < 0 ? -errno : 0;
    close(fd);
    return err;
}

#else

int sandbox_lose_paths(void)
{
    return -ENOSYS;
}

#endif
