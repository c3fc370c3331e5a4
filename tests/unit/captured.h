/* What is written to standard error while a test runs. */
#ifndef SCREAM_CAPTURED_H
#define SCREAM_CAPTURED_H

#include <stddef.h>

struct capture {
    int saved, file;
};

/* From now on; however much it is, nobody waits. */
struct capture capture(void);

/* Until now: the first size - 1 bytes of it, terminated. */
void captured(const struct capture *c, char *text, size_t size);

/* How often `word` is in it. */
int count_of(const char *text, const char *word);

#endif
