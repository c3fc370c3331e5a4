#include "captured.h"

#include "test.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct capture capture(void)
{
    const struct capture c = {.saved = dup(STDERR_FILENO),
                              .file = memfd_create("captured", MFD_CLOEXEC)};
    assert_true(c.saved >= 0 && c.file >= 0);
    fcntl(c.file, F_SETFL,
          O_APPEND); /* what two threads say at once: a memfd's place is not locked */
    dup2(c.file, STDERR_FILENO);
    return c;
}

void captured(const struct capture *c, char *text, size_t size)
{
    dup2(c->saved, STDERR_FILENO);
    close(c->saved);
    const ssize_t n = pread(c->file, text, size - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    close(c->file);
}

int count_of(const char *text, const char *word)
{
    int n = 0;
    for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
        n++;
    return n;
}
