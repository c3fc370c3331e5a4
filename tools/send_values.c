#include "send_values.h"

#include "../src/clock.h"
#include "send_format.h"
#include "send_script.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

bool send_parse_flag(const char *text, void *field, double min, double max)
{
    (void)text, (void)min, (void)max;
    *(bool *)field = true;
    return true;
}

bool send_parse_text(const char *text, void *field, double min, double max)
{
    (void)min, (void)max;
    *(const char **)field = text;
    return *text != '\0';
}

bool send_parse_wav(const char *text, void *field, double min, double max)
{
    return send_parse_text(text, field, min, max) && strcmp(text, "-") != 0;
}

bool send_parse_integer(const char *text, void *field, double min, double max)
{
    char *end;
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    const uint64_t value = strtoull(text, &end, strncmp(text, "0x", 2) == 0 ? 16 : 10);
    *(uint64_t *)field = value;
    return *end == '\0' && errno == 0 && (double)value >= min && (double)value <= max;
}

bool send_parse_size(const char *text, void *field, double min, double max)
{
    const uint64_t *value = field;
    return send_parse_integer(text, field, min, max) && (*value & (*value - 1)) == 0;
}

bool send_parse_real(const char *text, void *field, double min, double max)
{
    char *end;
    const double value = strtod(text, &end);
    *(double *)field = value;
    return end != text && *end == '\0' && value >= min && value <= max;
}

bool send_parse_ms(const char *text, void *field, double min, double max)
{
    double ms;
    if (!send_parse_real(text, &ms, min, max))
        return false;
    *(int64_t *)field = llround(ms * (double)NS_PER_MS);
    return true;
}

bool send_parse_duration(const char *text, void *field, double min, double max)
{
    (void)min, (void)max;
    return send_seconds_parse(text, field) == 0;
}

bool send_parse_stall(const char *text, void *field, double min, double max)
{
    struct send_stall *stall = field;
    char length[32];
    const size_t slash = strcspn(text, "/");
    if (text[slash] == '\0' || slash >= sizeof length)
        return false;
    memcpy(length, text, slash);
    length[slash] = '\0';
    return send_parse_ms(length, &stall->length, min, max) &&
           send_parse_ms(text + slash + 1, &stall->every, min, max) && stall->length < stall->every;
}

bool send_parse_address(const char *text, void *field, double min, double max)
{
    (void)min, (void)max;
    return inet_pton(AF_INET, text, field) == 1;
}

bool send_parse_format(const char *text, void *field, double min, double max)
{
    (void)min, (void)max;
    return send_format_parse(text, field) == 0;
}

bool send_parse_signal(const char *text, void *field, double min, double max)
{
    const int kind = signal_find(text);
    (void)min, (void)max;
    if (kind >= 0)
        *(enum signal_kind *)field = (enum signal_kind)kind;
    return kind >= 0;
}
