/* WAV files of a test, in a folder of its own, as a reader finds them that knows nothing of the writer. */
#ifndef SCREAM_PARSED_H
#define SCREAM_PARSED_H

#include "output.h"

#include <stdbool.h>
#include <stdint.h>

extern const struct output_driver wav_driver;
extern const struct pcm_format stereo; /* 48 kHz/16 */

struct parsed {
    uint32_t format_tag, channels, rate, bits, mask, riff, data;
    uint64_t file; /* bytes */
    const uint8_t *pcm;
    uint8_t *all; /* the caller's to free */
};

/* False: it is not there, or no such file as far as it goes. Of it 8 MiB are looked at. */
bool parse_wav(struct parsed *p, const char *path);

/* It claims no more than is there, whole frames, and they are the source's (fed_byte()) from that byte on. */
void assert_claims(const struct parsed *p, uint32_t frame, uint64_t from);

/* The same of a file that nobody writes just now: both sizes agree, and the length is even. Its bytes of sound. */
void assert_sound(const char *path, uint32_t frame, uint64_t from, uint32_t *bytes);

/* A case that runs in a new folder, which goes with all that is in it. */
#define in_folder(f) cmocka_unit_test_setup_teardown(f, enter_folder, leave_folder)
int enter_folder(void **state);
int leave_folder(void **state);

#endif
