/* In each module: of which build it is. */
#include "drivers.h"

const char output_abi[] = OUTPUT_ABI;
