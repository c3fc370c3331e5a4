#include "parsed.h"

#include "fed.h"
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct pcm_format stereo = {.rate = 48000, .width = 16, .channels = 2, .mask = 3};

int enter_folder(void **state)
{
    char *folder = strdup("/tmp/scream-test-wav-XXXXXX");
    *state = folder;
    return !mkdtemp(folder) || chdir(folder) < 0;
}

int leave_folder(void **state)
{
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", (char *)*state);
    free(*state);
    return chdir("/") < 0 || system(command) != 0;
}

static uint32_t get(const uint8_t *at, int bytes)
{
    uint32_t v = 0;
    for (int i = bytes; i-- > 0;)
        v = v << 8 | at[i];
    return v;
}

bool parse_wav(struct parsed *p, const char *path)
{
    memset(p, 0, sizeof *p);
    const int fd = open(path, O_RDONLY);
    if (fd < 0)
        return false;
    p->all = malloc(8 << 20);
    const ssize_t n = read(fd, p->all, 8 << 20);
    close(fd);
    p->file = n > 0 ? (uint64_t)n : 0;
    if (n < 44 || memcmp(p->all, "RIFF", 4) != 0 || memcmp(p->all + 8, "WAVE", 4) != 0)
        return false;
    p->riff = get(p->all + 4, 4);
    for (const uint8_t *at = p->all + 12; at + 8 <= p->all + n;) {
        const uint32_t bytes = get(at + 4, 4);
        if (memcmp(at, "fmt ", 4) == 0) {
            p->format_tag = get(at + 8, 2);
            p->channels = get(at + 10, 2);
            p->rate = get(at + 12, 4);
            p->bits = get(at + 22, 2);
            p->mask = bytes == 40 ? get(at + 28, 4) : 0;
        } else if (memcmp(at, "data", 4) == 0) {
            p->data = bytes;
            p->pcm = at + 8;
            return true;
        }
        at += 8 + bytes;
    }
    return false;
}

void assert_claims(const struct parsed *p, uint32_t frame, uint64_t from)
{
    assert_true((uint64_t)(p->pcm - p->all) + p->data <= p->file);
    assert_true(p->riff + 8 <= p->file);
    assert_int_equal(p->data % frame, 0);
    for (uint32_t i = 0; i < p->data; i++)
        assert_int_equal(p->pcm[i], fed_byte(from + i));
}

void assert_sound(const char *path, uint32_t frame, uint64_t from, uint32_t *bytes)
{
    struct parsed p;
    assert_true(parse_wav(&p, path));
    assert_claims(&p, frame, from);
    assert_int_equal(p.riff + 8, (uint64_t)(p.pcm - p.all) + p.data + p.data % 2);
    *bytes = p.data;
    free(p.all);
}
