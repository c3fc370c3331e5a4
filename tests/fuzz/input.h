/* A fuzzer's bytes, taken from the front; zeros when they are used up. */
#ifndef SCREAM_FUZZ_INPUT_H
#define SCREAM_FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct input {
    const uint8_t *bytes;
    size_t left;
};

static inline void input_take(struct input *in, void *to, size_t n)
{
    const size_t there = n < in->left ? n : in->left;
    memset(to, 0, n);
    if (there > 0)
        memcpy(to, in->bytes, there);
    in->bytes += there;
    in->left -= there;
}

static inline uint8_t input_8(struct input *in)
{
    uint8_t v;
    input_take(in, &v, sizeof v);
    return v;
}

static inline uint16_t input_16(struct input *in)
{
    uint16_t v;
    input_take(in, &v, sizeof v);
    return v;
}

static inline uint32_t input_32(struct input *in)
{
    uint32_t v;
    input_take(in, &v, sizeof v);
    return v;
}

/* What has to hold, in a build of any kind. */
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* libFuzzer's. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#endif
