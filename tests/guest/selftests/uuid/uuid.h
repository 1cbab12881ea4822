/*
 * The one function of libuuid that Linux's selftests of vfio call: Debian has
 * no libuuid for cross compilers. Not the library; included by those tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SELFTESTS_UUID_H
#define SELFTESTS_UUID_H

#include <stdio.h>
#include <string.h>

typedef unsigned char uuid_t[16];

/* "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" to 16 bytes; 0, or -1 if it is none. */
static inline int uuid_parse(const char *text, uuid_t out)
{
    unsigned n = 0;

    if (strlen(text) != 36) {
        return -1;
    }
    for (const char *p = text; *p; ) {
        unsigned at = (unsigned)(p - text), byte;

        if (at == 8 || at == 13 || at == 18 || at == 23) {
            if (*p++ != '-') {
                return -1;
            }
            continue;
        }
        if (strspn(p, "0123456789abcdefABCDEF") < 2 ||
            sscanf(p, "%2x", &byte) != 1) {
            return -1;
        }
        out[n++] = (unsigned char)byte;
        p += 2;
    }
    return n == 16 ? 0 : -1;
}

#endif
