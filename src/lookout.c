#include "lookout.h"

#include "clock.h"

#include <stdio.h>
#include <string.h>

#define RECENT_NS (5 * NS_PER_S)

void lookout_init(struct lookout *l)
{
    *l = (struct lookout){0};
}

static void forget(struct lookout_place *p)
{
    if (p->path[0])
        path_watch_close(&p->watch);
    p->path[0] = '\0';
}

void lookout_clear(struct lookout *l)
{
    for (int i = 0; i < LOOKOUT_PLACES; i++)
        forget(&l->places[i]);
    l->news_at = 0;
}

static void look(const struct lookout_place *p, struct stat *st)
{
    if (stat(p->path, st) < 0)
        *st = (struct stat){0};
}

/* A library that only asks for its server touches the folder: that is no news. */
static bool same(const struct stat *a, const struct stat *b)
{
    return a->st_nlink == b->st_nlink && a->st_ino == b->st_ino && a->st_dev == b->st_dev &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

bool lookout_news(struct lookout *l, int64_t now)
{
    bool news = false;
    for (int i = 0; i < LOOKOUT_PLACES; i++) {
        struct lookout_place *p = &l->places[i];
        struct stat st;
        if (!p->path[0] || !path_watch_take(&p->watch, now))
            continue;
        look(p, &st);
        news |= !same(&st, &p->seen);
        p->seen = st;
    }
    if (news)
        l->news_at = now;
    return news;
}

void lookout_begin(struct lookout *l)
{
    for (int i = 0; i < LOOKOUT_PLACES; i++) {
        struct lookout_place *p = &l->places[i];
        p->named = false;
        if (p->path[0])
            look(p, &p->seen);
    }
    l->blind = false;
}

static struct lookout_place *place_of(struct lookout *l, const char *path)
{
    struct lookout_place *unused = NULL;
    for (int i = 0; i < LOOKOUT_PLACES; i++) {
        struct lookout_place *p = &l->places[i];
        if (strcmp(p->path, path) == 0)
            return p;
        if (!p->path[0] && !unused)
            unused = p;
    }
    return unused;
}

void lookout_name(struct lookout *l, const char *path)
{
    if (!l)
        return;
    struct lookout_place *p =
        path && path[0] == '/' && strlen(path) < LOOKOUT_PATH ? place_of(l, path) : NULL;
    l->names++;
    if (p && !p->path[0]) {
        snprintf(p->path, sizeof p->path, "%s", path);
        path_watch_open(&p->watch, p->path);
        look(p, &p->seen);
        l->blind = true; /* what came since the attempt began has not been seen */
    }
    if (p)
        p->named = true;
    if (!p || !p->watch.complete)
        l->blind = true;
}

void lookout_name_same(struct lookout *l)
{
    for (int i = 0; l && i < LOOKOUT_PLACES; i++)
        if (l->places[i].named) {
            l->names++;
            return;
        }
}

bool lookout_end(struct lookout *l, int64_t now)
{
    bool any = false;
    for (int i = 0; i < LOOKOUT_PLACES; i++) {
        any |= l->places[i].named;
        if (!l->places[i].named)
            forget(&l->places[i]);
    }
    return any && !l->blind && !lookout_recent(l, now);
}

bool lookout_recent(const struct lookout *l, int64_t now)
{
    return l->news_at != 0 && now - l->news_at < RECENT_NS;
}

size_t lookout_fds(const struct lookout *l, struct pollfd *fds)
{
    size_t n = 0;
    for (int i = 0; i < LOOKOUT_PLACES; i++)
        if (l->places[i].path[0])
            fds[n++] = (struct pollfd){.fd = path_watch_fd(&l->places[i].watch), .events = POLLIN};
    return n;
}

int64_t lookout_due(const struct lookout *l)
{
    int64_t due = INT64_MAX;
    for (int i = 0; i < LOOKOUT_PLACES; i++) {
        const struct lookout_place *p = &l->places[i];
        if (p->path[0])
            due = clock_earliest(due, path_watch_due(&p->watch));
    }
    return due;
}
