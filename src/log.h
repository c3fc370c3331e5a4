/*
 * Lines for the user, on standard error: one line per event, with journal priorities ("<4>...")
 * when systemd reads them. Any thread but a real-time one (rt.h); a line is written by one write(),
 * and holds nothing but text (plain.h).
 */
#ifndef SCREAM_LOG_H
#define SCREAM_LOG_H

#include <stdbool.h>

#define LOG_PATH 96 /* bytes: what a line can spare for a path */

enum log_level {
    LOG_LEVEL_ERROR = 3,
    LOG_LEVEL_WARNING = 4,
    LOG_LEVEL_INFO = 6,
    LOG_LEVEL_DEBUG = 7
};

/* Lines above this level are dropped; the start-up value is LOG_LEVEL_INFO. Call before any thread.
 */
void log_set_level(enum log_level level);

/* A line of this level is written. */
bool log_tells(enum log_level level);

void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The path, or its two ends with "..." between them where it is longer, in buf; pure. */
const char *log_path(char buf[LOG_PATH], const char *path);

#define log_error(...)   log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)    log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
