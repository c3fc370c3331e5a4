/* A WAV file that somebody gives scream-send to play. */
#include "../../tools/send_wav.h"
#include "input.h"

#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static uint8_t pcm[4096];
    const int fd = memfd_create("scream-fuzz", MFD_CLOEXEC);
    struct send_wav wav;
    const char *why = NULL;
    char path[64];
    MUST(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (send_wav_open(&wav, path, &why) < 0) {
        MUST(why && why[0]);
        return close(fd), 0;
    }
    uint64_t at = 0;
    MUST(wav.bytes > 0 && wav.data_at + wav.bytes <= size);
    MUST(wav.bytes % pcm_frame_bytes(&wav.format) == 0);
    for (int64_t n; (n = send_wav_read(&wav, at, pcm, sizeof pcm)) > 0; at += (uint64_t)n)
        MUST(memcmp(pcm, bytes + wav.data_at + at, (size_t)n) == 0);
    MUST(at == wav.bytes);
    send_wav_close(&wav);
    close(fd);
    return 0;
}
