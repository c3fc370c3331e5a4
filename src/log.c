#include "log.h"

#include "plain.h"
#include "rt.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum log_level threshold = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
    threshold = level;
}

bool log_tells(enum log_level level)
{
    return level <= threshold;
}

/* JOURNAL_STREAM is inherited by all that the journal's client starts: is it really our stderr? */
static bool to_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat st;
    char here[64];
    if (!stream || fstat(STDERR_FILENO, &st) < 0)
        return false;
    snprintf(here, sizeof here, "%llu:%llu", (unsigned long long)st.st_dev,
             (unsigned long long)st.st_ino);
    return strcmp(stream, here) == 0;
}

void log_line(enum log_level level, const char *fmt, ...)
{
    rt_not_allowed("log");
    if (!log_tells(level))
        return;
    char line[1024];
    int n = to_journal() ? snprintf(line, sizeof line, "<%d>", (int)level) : 0;
    n += snprintf(line + n, sizeof line - (size_t)n, "scream: ");
    va_list args;
    va_start(args, fmt);
    n += vsnprintf(line + n, sizeof line - (size_t)n, fmt, args);
    va_end(args);
    if (n > (int)sizeof line - 2)
        n = (int)sizeof line - 2;
    line[n] = '\0';
    plain_text(line);
    line[n] = '\n';
    if (write(STDERR_FILENO, line, (size_t)n + 1) < 0)
        return; /* nobody reads it: nothing to be done */
}

/* Not within a character of several bytes (UTF-8: those after the first are 10xxxxxx). */
static size_t whole(const char *text, size_t at)
{
    while (text[at] != '\0' && ((unsigned char)text[at] & 0xc0) == 0x80)
        at++;
    return at;
}

const char *log_path(char buf[LOG_PATH], const char *path)
{
    static const char between[] = "...";
    const size_t length = strlen(path), half = (LOG_PATH - sizeof between) / 2;
    if (length < LOG_PATH)
        return path;
    const size_t head = whole(path, half - 3), tail = whole(path, length - half);
    snprintf(buf, LOG_PATH, "%.*s%s%s", (int)head, path, between, path + tail);
    return buf;
}
