/*
 * A network card by raw frames. Not a test: what the programs that use cards
 * share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef LIBCARD_H
#define LIBCARD_H

#include <stdint.h>

#define CARD_TYPE 0x88b5            /* of a frame: for experiments */

typedef struct Card {
    int fd;                         /* a raw socket for frames of CARD_TYPE */
    int index;                      /* the interface's */
    uint8_t mac[6];
} Card;

/* Turn the interface on and wait for its carrier, or give up. */
Card card_open(const char *name);

/* Addresses and type of a frame from @from to @to: its first 14 bytes. */
void card_address(uint8_t *frame, const Card *from, const Card *to);

#endif
