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

#define LINKS 8  /* that are followed; beyond, the path is looked at */
#define READS 64 /* at a time: all that the kernel keeps (fs.inotify.max_queued_events), and more */

/* On the way along a path. */
struct walk {
    struct path_watch *w;
    char at[PATH_MAX];   /* the folder reached, no link in it; "" is the root */
    char left[PATH_MAX]; /* what is still to be walked */
    int links;           /* followed so far */
    bool found;          /* it is at the end, */
    struct stat st;      /* where there is this */
};

static const char *folder(const struct walk *k)
{
    return k->at[0] ? k->at : "/";
}

/* The next name of what is left. False: there is none, or one that cannot be. */
static bool take_name(struct walk *k, char name[NAME_MAX + 1])
{
    const char *from = k->left + strspn(k->left, "/");
    const size_t n = strcspn(from, "/");
    if (n == 0 || n > NAME_MAX)
        return false;
    memcpy(name, from, n);
    name[n] = '\0';
    memmove(k->left, from + n, strlen(from + n) + 1);
    return true;
}

static void set(char to[PATH_MAX], const char *path)
{
    memcpy(to, path, strlen(path) + 1);
}

/* to = a, between, b. False: that is too long. */
static bool join(char to[PATH_MAX], const char *a, const char *between, const char *b)
{
    return snprintf(to, PATH_MAX, "%s%s%s", a, between, b) < PATH_MAX;
}

static bool go_up(struct walk *k)
{
    char *slash = strrchr(k->at, '/');
    const char *last = slash ? slash + 1 : k->at;
    char to[PATH_MAX];
    if (strcmp(last, "..") == 0) {
        if (!join(to, k->at, "/", ".."))
            return false;
        set(k->at, to);
    } else if (slash) {
        *slash = '\0';
    } else if (k->at[0]) {
        set(k->at, "..");
    }
    return true;
}

static bool follow(struct walk *k, const char *link)
{
    char target[PATH_MAX], left[PATH_MAX];
    const ssize_t n = readlink(link, target, sizeof target - 1);
    if (n <= 0 || ++k->links > LINKS)
        return false;
    target[n] = '\0';
    if (!join(left, target, "", k->left))
        return false;
    set(k->left, left);
    if (target[0] == '/')
        k->at[0] = '\0';
    return true;
}

static void watch_entries(struct walk *k, const char *name)
{
    struct path_watch *w = k->w;
    w->dir = inotify_add_watch(w->fd, folder(k), OF_ENTRIES | OF_ITSELF | IN_ONLYDIR | IN_MASK_ADD);
    snprintf(w->name, sizeof w->name, "%s", name);
    w->complete = w->complete && w->dir >= 0;
}

/* What is there, watched before it is looked at. 0: nothing. */
static mode_t look(struct walk *k, const char *path)
{
    struct path_watch *w = k->w;
    const int wd = inotify_add_watch(w->fd, path, OF_ITSELF | IN_DONT_FOLLOW | IN_MASK_ADD);
    if (wd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    if (lstat(path, &k->st) < 0) {
        w->complete = w->complete && errno == ENOENT;
        return 0;
    }
    const mode_t kind = k->st.st_mode & S_IFMT;
    if (kind == S_IFDIR || kind == S_IFLNK)
        w->complete = w->complete && wd >= 0;
    return kind;
}

/* One name further. False: it ends here. */
static bool step(struct walk *k)
{
    char name[NAME_MAX + 1], to[PATH_MAX];
    if (!take_name(k, name)) {
        watch_entries(k, "");
        k->found = lstat(folder(k), &k->st) == 0;
        return false;
    }
    if (strcmp(name, ".") == 0)
        return true;
    if (strcmp(name, "..") == 0)
        return go_up(k);
    if (!join(to, k->at, "/", name))
        return false;
    const bool last = k->left[0] == '\0';
    for (int watched = 0; watched < 2; watched++) {
        const mode_t kind = look(k, to);
        if (kind == S_IFLNK)
            return follow(k, to);
        if (kind == S_IFDIR && !last) {
            set(k->at, to);
            return true;
        }
        k->found = last && kind != 0;
        if (!watched) /* it may have come before: once more, then */
            watch_entries(k, name);
    }
    return false;
}

static void arm(struct path_watch *w)
{
    struct walk k = {.w = w};
    struct stat st;
    w->dir = -1;
    w->complete = join(k.left, w->path, "", "");
    if (w->path[0] != '/')
        set(k.at, ".");
    while (step(&k)) {
    }
    /* what the kernel finds by ways of its own, as in /proc; or a way too long */
    const bool there = stat(w->path, &st) == 0;
    const bool same = there && k.found && st.st_dev == k.st.st_dev && st.st_ino == k.st.st_ino;
    w->complete = w->complete && w->dir >= 0 && (same || (!there && !k.found));
}

void path_watch_open(struct path_watch *w, const char *path)
{
    *w =
        (struct path_watch){.path = path, .dir = -1, .fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
    if (w->fd >= 0)
        arm(w);
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
    if (w->fd < 0 || inotify_add_watch(w->fd, path, OF_FILE | IN_MASK_ADD) < 0)
        w->complete = false;
}

static bool concerns(const struct path_watch *w, const struct inotify_event *e)
{
    if (e->wd != w->dir || e->len == 0)
        return true; /* the file, a folder itself, or news that were lost */
    return w->name[0] == '\0' || strcmp(e->name, w->name) == 0;
}

bool path_watch_take(struct path_watch *w, int64_t now)
{
    alignas(struct inotify_event) uint8_t bytes[16384];
    bool any = false, news = false;
    ssize_t n;
    if (now < w->rests)
        return false;
    for (int i = 0; w->fd >= 0 && i < READS && !news; i++) {
        n = read(w->fd, bytes, sizeof bytes);
        if (n <= 0)
            break;
        any = true;
        for (ssize_t at = 0; at < n && !news;) {
            const struct inotify_event *e = (const void *)(bytes + at);
            news = concerns(w, e);
            at += (ssize_t)sizeof *e + (ssize_t)e->len;
        }
    }
    if (news) { /* what else there is comes before the look that follows */
        const char *path = w->path;
        path_watch_close(w);
        path_watch_open(w, path);
    }
    w->rests = any ? now + PATH_WATCH_REST : 0;
    return news;
}
