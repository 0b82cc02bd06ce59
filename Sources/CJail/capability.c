#include "cjail.h"

#include <errno.h>
#include <string.h>
#include <sys/capability.h>

uint32_t cj_last_capability(void) { return (uint32_t)cap_max_bits() - 1U; }

int cj_capability_name(uint32_t capability, char *name, size_t size) {
    char *text = cap_to_name((cap_value_t)capability);
    if (text == NULL) return -EINVAL;
    const size_t length = strlen(text);
    if (length >= size) {
        (void)cap_free(text);
        return -ERANGE;
    }
    memcpy(name, text, length + 1);
    (void)cap_free(text);
    return (int)length;
}
