#include "wav_name.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int wav_name(char path[PATH_MAX], const char *name, unsigned number)
{
    const char *dot = strrchr(name, '.');
    const char *slash = strrchr(name, '/');
    const char *base = slash ? slash + 1 : name;
    const size_t stem = dot && dot > base ? (size_t)(dot - name) : strlen(name);
    const int n = number == 1
                      ? snprintf(path, PATH_MAX, "%s", name)
                      : snprintf(path, PATH_MAX, "%.*s-%u%s", (int)stem, name, number, name + stem);
    return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

unsigned wav_name_free(bool (*taken)(void *data, unsigned number), void *data)
{
    unsigned is_taken = 1, is_free = 1;
    while (taken(data, is_free)) {
        if (is_free == WAV_MOST_NAMES)
            return 0;
        is_taken = is_free;
        is_free = 2 * is_free < WAV_MOST_NAMES ? 2 * is_free : WAV_MOST_NAMES;
    }
    while (is_free > is_taken + 1) {
        const unsigned between = is_taken + (is_free - is_taken) / 2;
        if (taken(data, between))
            is_taken = between;
        else
            is_free = between;
    }
    return is_free;
}

/* What cannot be looked at is for open() to fail at. */
static bool on_disk(void *name, unsigned number)
{
    char path[PATH_MAX];
    struct stat st;
    return wav_name(path, name, number) == 0 && lstat(path, &st) == 0;
}

int wav_name_next(char path[PATH_MAX], const char *name)
{
    const unsigned number = wav_name_free(on_disk, (void *)name);
    const int err = wav_name(path, name, number > 0 ? number : WAV_MOST_NAMES);
    return number == 0 ? -EEXIST : err;
}
