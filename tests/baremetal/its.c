/*
 * See its.h. The tables are made once and for as many messages as there may
 * ever be; a message is mapped when it is first connected. Registers and
 * commands as in Arm IHI 0069, 5.3 and 12.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "console.h"
#include "irq.h"
#include "its.h"
#include "arena.h"

#define KIB_64              UINT64_C(0x10000)
#define VALID               (UINT64_C(1) << 63)
/* Normal write-back memory, inner shareable, as registers have it */
#define WRITE_BACK          (UINT64_C(7) << 59 | UINT64_C(1) << 10)
#define LPI_WRITE_BACK      (UINT64_C(7) << 7 | UINT64_C(1) << 10)

#define GITS_CTLR           0x0000
#define GITS_CTLR_ENABLED   1u
#define GITS_TYPER          0x0008
#define GITS_CBASER         0x0080
#define GITS_CWRITER        0x0088
#define GITS_CREADR         0x0090
#define GITS_BASER          0x0100
#define GITS_BASERS         8
#define GITS_TRANSLATER     0x10040

#define GICR_CTLR           0x0000
#define GICR_CTLR_LPIS      1u
#define GICR_PROPBASER      0x0070
#define GICR_PENDBASER      0x0078
#define LPI_ID_BITS         14
#define LPI_ENABLED         1u

enum { CMD_ITS_SYNC = 0x05, CMD_ITS_MAPD = 0x08, CMD_ITS_MAPC = 0x09,
       CMD_ITS_MAPTI = 0x0a, CMD_ITS_INV = 0x0c };
enum { ITS_CMD_WORDS = 4, ITS_CMD_BYTES = 32 };

typedef struct Message {
    bool mapped;
    IrqHandler *handler;
    void *opaque;
} Message;

typedef struct MessageDevice {
    bool used;
    uint32_t id;
    Message messages[IRQ_DEVICE_EVENTS];
} MessageDevice;

static MessageDevice devices[IRQ_DEVICES];
/* The ITS's own; not from arena.h, which gives back after each case. */
static uint64_t itts[IRQ_DEVICES][512] __attribute__((aligned(4096)));
static uint8_t *lpi_config;     /* a byte for each LPI */
static uint64_t *commands;
static uint8_t lpi_priority;

/* ---- Commands ----------------------------------------------------------- */

static void its_command(const uint64_t words[ITS_CMD_WORDS])
{
    uint64_t at = read64(GITS_PA + GITS_CWRITER);
    uint64_t after = (at + ITS_CMD_BYTES) % KIB_64;

    memcpy((char *)commands + at, words, ITS_CMD_BYTES);
    write64(GITS_PA + GITS_CWRITER, after);
    while (read64(GITS_PA + GITS_CREADR) != after) {
        if (read64(GITS_PA + GITS_CREADR) & 1) {
            print("\nBail out! the ITS refuses command 0x%lx\n", words[0]);
            guest_exit(1);
        }
    }
}

static void its_sync(void)
{
    its_command((uint64_t[]) { CMD_ITS_SYNC, 0, 0, 0 });
}

/* ---- Set-up ------------------------------------------------------------- */

/* One flat table for each kind that the ITS wants in memory. */
static void make_table(unsigned n)
{
    uint64_t reg = GITS_PA + GITS_BASER + n * 8;
    uint64_t info = read64(reg), typer = read64(GITS_PA + GITS_TYPER);
    unsigned type = info >> 56 & 7;
    uint64_t entry_bytes = (info >> 48 & 0x1f) + 1;
    uint64_t device_bits = (typer >> 13 & 0x1f) + 1;
    uint64_t bytes;
    void *table;

    if (!type) {
        return;
    }
    bytes = type == 1 ? entry_bytes << device_bits : KIB_64;
    bytes = (bytes + KIB_64 - 1) & -KIB_64;
    table = arena_alloc(bytes, KIB_64);
    write64(reg, VALID | WRITE_BACK | pa_of(table) | 2 << 8 |
                 (bytes / KIB_64 - 1));
}

void its_init(uint8_t priority)
{
    uint64_t lpis = UINT64_C(1) << LPI_ID_BITS;

    lpi_priority = priority;
    lpi_config = arena_alloc(lpis, KIB_64);
    write64(GICR_PA + GICR_PROPBASER,
            pa_of(lpi_config) | LPI_WRITE_BACK | (LPI_ID_BITS - 1));
    write64(GICR_PA + GICR_PENDBASER,
            pa_of(arena_alloc(KIB_64, KIB_64)) | LPI_WRITE_BACK |
            UINT64_C(1) << 62);
    write32(GICR_PA + GICR_CTLR, GICR_CTLR_LPIS);

    for (unsigned n = 0; n < GITS_BASERS; n++) {
        make_table(n);
    }
    commands = arena_alloc(KIB_64, KIB_64);
    write64(GITS_PA + GITS_CBASER, VALID | WRITE_BACK | pa_of(commands) |
                                   (KIB_64 / 4096 - 1));
    write64(GITS_PA + GITS_CWRITER, 0);
    write32(GITS_PA + GITS_CTLR, GITS_CTLR_ENABLED);
    /* Collection 0 is this CPU, number 0. */
    its_command((uint64_t[]) { CMD_ITS_MAPC, 0, VALID, 0 });
    its_sync();
}

/* ---- Messages ----------------------------------------------------------- */

static unsigned lpi_of(const MessageDevice *d, uint32_t event)
{
    return ITS_FIRST_LPI + (d - devices) * IRQ_DEVICE_EVENTS + event;
}

static MessageDevice *find_device(uint32_t id)
{
    for (unsigned i = 0; i < IRQ_DEVICES; i++) {
        MessageDevice *d = &devices[i];

        if (d->used && d->id == id) {
            return d;
        }
        if (!d->used) {
            d->used = true;
            d->id = id;
            its_command((uint64_t[]) { CMD_ITS_MAPD | (uint64_t)id << 32,
                                       5 - 1, VALID | pa_of(itts[i]), 0 });
            return d;
        }
    }
    print("\nBail out! too many devices with messages\n");
    guest_exit(1);
}

void irq_connect_msi(uint32_t device, uint32_t event, IrqHandler *handler,
                     void *opaque)
{
    MessageDevice *d = find_device(device);
    Message *m = &d->messages[event];
    unsigned lpi = lpi_of(d, event);

    m->handler = handler;
    m->opaque = opaque;
    if (m->mapped) {
        return;
    }
    lpi_config[lpi - ITS_FIRST_LPI] = lpi_priority | LPI_ENABLED;
    its_command((uint64_t[]) { CMD_ITS_MAPTI | (uint64_t)device << 32,
                               event | (uint64_t)lpi << 32, 0, 0 });
    its_command((uint64_t[]) { CMD_ITS_INV | (uint64_t)device << 32, event,
                               0, 0 });
    its_sync();
    m->mapped = true;
}

uint64_t irq_doorbell(void)
{
    return GITS_PA + GITS_TRANSLATER;
}

void its_disconnect_all(void)
{
    for (unsigned i = 0; i < IRQ_DEVICES; i++) {
        for (unsigned event = 0; event < IRQ_DEVICE_EVENTS; event++) {
            devices[i].messages[event].handler = NULL;
        }
    }
}

void its_dispatch(unsigned intid)
{
    unsigned n = intid - ITS_FIRST_LPI;
    Message *m;

    if (n >= IRQ_DEVICES * IRQ_DEVICE_EVENTS) {
        return;
    }
    m = &devices[n / IRQ_DEVICE_EVENTS].messages[n % IRQ_DEVICE_EVENTS];
    if (m->handler) {
        m->handler(m->opaque);
    }
}
