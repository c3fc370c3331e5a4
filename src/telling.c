#include "telling.h"

#include <stdarg.h>
#include <stdio.h>

static void tell(struct telling *t, int64_t now)
{
    if (t->left_out > 0)
        log_line(t->level, "%s (%llu like it were left out)", t->text,
                 (unsigned long long)t->left_out);
    else
        log_line(t->level, "%s", t->text);
    t->told++;
    t->told_at = now;
    t->left_out = 0;
    t->held = false;
}

static bool may_tell(const struct telling *t, int64_t now)
{
    return t->told < TELLING_FREELY || now - t->told_at >= TELLING_EVERY_NS;
}

void telling_say(struct telling *t, int64_t now, enum log_level level, const char *fmt, ...)
{
    if (!log_tells(level))
        return;
    if (now - t->said_at >= TELLING_QUIET_NS)
        t->told = 0;
    if (t->held)
        t->left_out++;
    t->said_at = now;
    t->held = true;
    t->level = level;
    va_list args;
    va_start(args, fmt);
    vsnprintf(t->text, sizeof t->text, fmt, args);
    va_end(args);
    if (may_tell(t, now))
        tell(t, now);
}

int64_t telling_turn(struct telling *t, int64_t now)
{
    if (!t->held)
        return TELLING_NEVER;
    const int64_t due = t->said_at + TELLING_SETTLED_NS;
    if (now < due)
        return due;
    tell(t, now);
    return TELLING_NEVER;
}

void telling_finish(struct telling *t)
{
    if (t->held)
        tell(t, t->said_at);
}
