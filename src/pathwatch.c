#include "pathwatch.h"

#include <errno.h>
#include <limits.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define OF_ENTRIES (IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM | IN_ATTRIB)
#define OF_ITSELF  (IN_DELETE_SELF | IN_MOVE_SELF)
#define OF_FILE    (IN_MODIFY | IN_ATTRIB)

/* The path up to its last slash, in place; "." for a bare name. False: there is nothing above. */
static bool cut_last(char *path, char *name, size_t size)
{
    char *slash = strrchr(path, '/');
    const char *last = slash ? slash + 1 : path;
    if (path[0] == '\0' || strcmp(path, ".") == 0 || strcmp(path, "/") == 0)
        return false;
    snprintf(name, size, "%.255s", last);
    if (!slash)
        snprintf(path, 2, ".");
    else if (slash == path)
        path[1] = '\0';
    else
        *slash = '\0';
    return true;
}

/*
 * All folders of the path are watched for being moved or deleted, and the deepest one for what is
 * in it.
 */
static void arm(struct path_watch *w)
{
    char path[PATH_MAX], name[sizeof w->name];
    struct stat st;
    w->dir = -1;
    /* who would replace what a link leads to does not show here */
    w->complete = !(lstat(w->path, &st) == 0 && S_ISLNK(st.st_mode));
    snprintf(path, sizeof path, "%s", w->path);
    while (cut_last(path, name, sizeof name)) {
        if (w->dir >= 0) {
            inotify_add_watch(w->fd, path, OF_ITSELF | IN_ONLYDIR);
            continue;
        }
        w->dir = inotify_add_watch(w->fd, path, OF_ENTRIES | OF_ITSELF | IN_ONLYDIR);
        if (w->dir >= 0)
            snprintf(w->name, sizeof w->name, "%s", name);
        else if (errno != ENOENT && errno != ENOTDIR)
            w->complete = false;
    }
    w->complete = w->complete && w->dir >= 0;
}

void path_watch_open(struct path_watch *w, const char *path)
{
    *w =
        (struct path_watch){.path = path, .dir = -1, .fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
    if (w->fd < 0)
        return;
    arm(w);
    arm(w); /* a folder may have been made between two steps of the first time */
}

void path_watch_close(struct path_watch *w)
{
    if (w->fd >= 0)
        close(w->fd);
    w->fd = -1;
}

void path_watch_file(struct path_watch *w, int fd)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (w->fd < 0 || inotify_add_watch(w->fd, path, OF_FILE) < 0)
        w->complete = false;
}

static bool concerns(const struct path_watch *w, const struct inotify_event *e)
{
    if (e->wd != w->dir || e->len == 0)
        return true; /* the file, a folder itself, or news that were lost */
    return w->name[0] == '\0' || strcmp(e->name, w->name) == 0;
}

bool path_watch_take(struct path_watch *w)
{
    alignas(struct inotify_event) uint8_t bytes[4096];
    bool news = false;
    ssize_t n;
    while (w->fd >= 0 && (n = read(w->fd, bytes, sizeof bytes)) > 0) {
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *e = (const void *)(bytes + at);
            news |= concerns(w, e);
            at += (ssize_t)sizeof *e + (ssize_t)e->len;
        }
    }
    if (news) {
        const char *path = w->path;
        path_watch_close(w);
        path_watch_open(w, path);
    }
    return news;
}
