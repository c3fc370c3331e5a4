/* The command line, as words that a newline ends. */
#include "../../src/options.h"
#include "input.h"

#define WORDS 32

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char text[1024], why[512] = "", *argv[WORDS + 1] = {(char *)"scream"};
    struct options o;
    int argc = 1;
    if (size >= sizeof text)
        return 0;
    memcpy(text, bytes, size);
    text[size] = '\0';
    for (char *at = text, *word; argc < WORDS && (word = strsep(&at, "\n")) != NULL;)
        argv[argc++] = word;
    const int ret = options_parse(&o, argc, argv, why, sizeof why);
    MUST(strlen(why) < sizeof why);
    if (ret < 0) {
        MUST(why[0] != '\0');
        return 0;
    }
    if (o.action == OPTIONS_HELP || o.action == OPTIONS_VERSION)
        return 0;
    MUST(receiver_find(o.receiver_name));
    MUST(o.target >= 0 && o.target <= o.bound && o.bound <= 2000000000);
    MUST(o.output.target_latency > 0 && o.output.target_latency <= o.bound);
    MUST(o.receiver.port > 0 && o.output.stream_name[0] != '\0');
    MUST(o.receiver.allow.count >= 0 && o.receiver.allow.count <= ALLOW_MOST);
    for (int i = 0; i < o.receiver.allow.count; i++) {
        const struct allow_range *r = &o.receiver.allow.list[i];
        MUST((r->network & ~r->mask) == 0 && (~r->mask & (~r->mask + 1)) == 0);
    }
    return 0;
}
