/*
 * Plain DMA of two network cards that the host connects: frames of every
 * length, each way, compared.
 *
 *   net INTERFACE INTERFACE FRAMES
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "libcard.h"
#include "libtest.h"

#define WINDOW 16
/* Nothing is lost, so this is to find a card that has stopped. */
#define PATIENCE_MS 30000

/* The frame number @seq from @from to @to; its length. */
static size_t make_frame(uint8_t *frame, const Card *from, const Card *to,
                         uint32_t seq)
{
    size_t n = 64 + seq * 37 % 1440;

    card_address(frame, from, to);
    random_fill(frame + 14, n - 14, seq + 1);
    memcpy(frame + 14, &seq, 4);
    return n;
}

/*
 * Frames from one card to the other, never more under way than both have room
 * for: every one arrives, and in order. How many did.
 */
static unsigned one_way(const Card *from, const Card *to, uint32_t frames)
{
    static uint8_t sent[2048], expected[2048], got[2048];
    uint32_t seq = 0, next;

    for (next = 0; next < frames; next++) {
        struct pollfd fd = { .fd = to->fd, .events = POLLIN };
        uint32_t number;
        ssize_t n;

        while (seq < frames && seq - next < WINDOW) {
            size_t bytes = make_frame(sent, from, to, seq);

            if (write(from->fd, sent, bytes) != (ssize_t)bytes) {
                test_fail("send: %s", strerror(errno));
                return next;
            }
            seq++;
        }
        if (poll(&fd, 1, PATIENCE_MS) != 1) {
            test_fail("frame %u of %u does not arrive", next, seq);
            return next;
        }
        n = read(to->fd, got, sizeof(got));
        memcpy(&number, got + 14, 4);
        if (n < 64 || n != (ssize_t)make_frame(expected, from, to, next) ||
            memcmp(got, expected, (size_t)n)) {
            test_fail("frame %u is different (%zd bytes, number %u)", next, n,
                      number);
            return next;
        }
    }
    return next;
}

int main(int argc, char **argv)
{
    uint32_t frames = argc > 3 ? (uint32_t)atoi(argv[3]) : 1000;
    unsigned there, back;
    Card a, b;

    test_begin("net");
    if (argc < 3) {
        test_give_up("usage: net INTERFACE INTERFACE FRAMES");
    }
    a = card_open(argv[1]);
    b = card_open(argv[2]);
    there = one_way(&a, &b, frames);
    back = one_way(&b, &a, frames);
    say("net: %u frames %s to %s, %u back", there, argv[1], argv[2], back);
    return test_end();
}
