/*
 * A network card by raw frames: see libcard.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "libcard.h"
#include "libtest.h"

Card card_open(const char *name)
{
    Card card = { .fd = socket(AF_PACKET, SOCK_RAW, htons(CARD_TYPE)) };
    struct sockaddr_ll where = {
        .sll_family = AF_PACKET, .sll_protocol = htons(CARD_TYPE),
    };
    struct ifreq ifr = { 0 };
    uint64_t start = now_us();

    strncpy(ifr.ifr_name, name, sizeof(ifr.ifr_name) - 1);
    if (card.fd < 0 || ioctl(card.fd, SIOCGIFINDEX, &ifr)) {
        test_give_up("%s: %s", name, strerror(errno));
    }
    card.index = where.sll_ifindex = ifr.ifr_ifindex;
    if (ioctl(card.fd, SIOCGIFHWADDR, &ifr)) {
        test_give_up("%s: %s", name, strerror(errno));
    }
    memcpy(card.mac, ifr.ifr_hwaddr.sa_data, 6);
    ifr.ifr_flags = IFF_UP;
    if (ioctl(card.fd, SIOCSIFFLAGS, &ifr) ||
        bind(card.fd, (struct sockaddr *)&where, sizeof(where))) {
        test_give_up("%s: %s", name, strerror(errno));
    }
    /* Carrier may take its time. */
    for (;;) {
        if (!ioctl(card.fd, SIOCGIFFLAGS, &ifr) &&
            (ifr.ifr_flags & IFF_RUNNING)) {
            break;
        }
        if (now_us() - start > 20000000) {
            test_give_up("%s has no carrier", name);
        }
        usleep(10000);
    }
    return card;
}

void card_address(uint8_t *frame, const Card *from, const Card *to)
{
    memcpy(frame, to->mac, 6);
    memcpy(frame + 6, from->mac, 6);
    frame[12] = CARD_TYPE >> 8;
    frame[13] = CARD_TYPE & 0xff;
}
