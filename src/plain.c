#include "plain.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a first byte (`bits` of it, under `mask`) leads to: how many bytes, and the least that needs so many. */
static const struct {
    uint8_t mask, bits;
    int bytes;
    uint32_t least;
} forms[] = {
    {0x80, 0x00, 1, 0x20},
    {0xe0, 0xc0, 2, 0xa0}, /* from 0x80, of which the first 32 are controls */
    {0xf0, 0xe0, 3, 0x800},
    {0xf8, 0xf0, 4, 0x10000},
};

/* Bytes of the character there, 0: it is none, or a control. */
static int character(const uint8_t *at)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if ((at[0] & forms[i].mask) != forms[i].bits)
            continue;
        uint32_t code = at[0] & (uint8_t)~forms[i].mask;
        for (int k = 1; k < forms[i].bytes; k++) {
            if ((at[k] & 0xc0) != 0x80) /* nor behind the end: that is zero */
                return 0;
            code = code << 6 | (at[k] & 0x3f);
        }
        const bool surrogate = code >= 0xd800 && code < 0xe000;
        const bool fit = code >= forms[i].least && code != 0x7f && code < 0x110000 && !surrogate;
        return fit ? forms[i].bytes : 0;
    }
    return 0;
}

void plain_text(char *text)
{
    for (int n; *text != '\0'; text += n) {
        n = character((const uint8_t *)text);
        if (n == 0) {
            *text = '?';
            n = 1;
        }
    }
}
