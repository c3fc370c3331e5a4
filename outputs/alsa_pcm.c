#include "alsa_pcm.h"

#include "../src/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define CLOSE_WAIT_NS 400000000L

__attribute__((format(printf, 5, 6))) static void
forward_message(const char *file, int line, const char *function, int err, const char *fmt, ...)
{
    char text[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    text[strcspn(text, "\n")] = '\0';
    log_debug("alsa-lib: %s:%d %s: %s%s%s", file, line, function, text, err ? ": " : "",
              err ? snd_strerror(err) : "");
}

static const char *remedy(int err)
{
    switch (-err) {
    case EBUSY:
        return "another program holds it; an audio server or a dmix device would share it";
    case EACCES:
    case EPERM:
        return "the user must be in the group audio, or own the seat";
    case ECONNREFUSED:
        return "the audio server behind it does not answer";
    default:
        return "`aplay -L` lists what there is for -d";
    }
}

void alsa_pcm_tell(void)
{
    snd_lib_error_set_handler(forward_message);
}

int alsa_pcm_open(snd_pcm_t **pcm, const char *device, char *why, size_t size)
{
    const int err = snd_pcm_open(pcm, device, SND_PCM_STREAM_PLAYBACK, SND_PCM_NONBLOCK);
    if (err < 0) {
        *pcm = NULL;
        snprintf(why, size, "cannot open ALSA device '%s': %s (%s)", device, snd_strerror(err),
                 remedy(err));
    }
    return err;
}

static void *let_go(void *pcm)
{
    snd_pcm_drop(pcm);
    snd_pcm_close(pcm);
    return NULL;
}

void alsa_pcm_close(snd_pcm_t *pcm)
{
    pthread_t thread;
    struct timespec until;
    if (!pcm)
        return;
    if (pthread_create(&thread, NULL, let_go, pcm) != 0) {
        let_go(pcm);
        return;
    }
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += CLOSE_WAIT_NS;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    if (pthread_timedjoin_np(thread, NULL, &until) != 0)
        pthread_detach(thread);
}
