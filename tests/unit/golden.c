/*
 * See golden.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "golden.h"

Golden *golden_new(void)
{
    Golden *g = g_new0(Golden, 1);

    g->host = fake_host_new();
    g->features = (Smmu3Features) {
        .s2p = 1, .s1p = 1, .cohacc = 1, .httu = 2, .hyp = 1, .ats = 1,
        .asid16 = 1, .msi = 1, .sev = 1, .pri = 1, .vmid16 = 1, .cd2l = 1,
        .atsrecerr = 1, .st_level = 1, .atos = 1, .vmw = 1,
        .sidsize = 32, .ssidsize = 20, .priqs = 10, .eventqs = 10,
        .cmdqs = 10, .attr_perms_ovr = 1, .attr_types_ovr = 1,
        .had = 1, .xnx = 1, .fwb = 1, .stt = 1, .ril = 1, .bbml = 2,
        .e0pd = 1, .ptwnnc = 1,
        .oas = 6, .gran4k = 1, .gran16k = 1, .gran64k = 1, .ds = 1, .vax = 1,
        .stall_max = 65535, .implementer = 0x43b, .aidr_minor = 3,
    };
    g->cr2 = 0x2;
    return g;
}

void golden_create(Golden *g)
{
    g_autofree char *message = smmu3_features_check(&g->features);

    g_assert_cmpstr(message, ==, NULL);
    fake_map(g->host, G_STRTAB, 256 * 64);
    fake_map(g->host, G_CMDQ, 32 * 16);
    fake_map(g->host, G_EVENTQ, 32 * 32);
    fake_map(g->host, G_PRIQ, 8 * 16);
    g->smmu = smmu3_new(&g->features, NULL, &fake_host_ops, g->host);
    g->host->smmu = g->smmu;

    golden_w32(g, 0x0028, 0x0d75);          /* CR1 */
    golden_w32(g, 0x002c, g->cr2);          /* CR2 */
    golden_w64(g, 0x0080, G_STRTAB);        /* STRTAB_BASE */
    golden_w32(g, 0x0088, 0x00000008);      /* STRTAB_BASE_CFG: 2^8, linear */
    golden_w64(g, 0x0090, G_CMDQ | 5);      /* CMDQ_BASE: 2^5 */
    golden_w64(g, 0x00a0, G_EVENTQ | 5);    /* EVENTQ_BASE */
    golden_w64(g, 0x00c0, G_PRIQ | 3);      /* PRIQ_BASE */
    golden_w32(g, 0x0050, 0x7);             /* IRQ_CTRL */
    /* CR0: PRIQEN, EVENTQEN, CMDQEN, ATSCHK, as far as they exist */
    golden_w32(g, 0x0020, 0x1e);
}

void golden_start(Golden *g)
{
    if (!g->smmu) {
        golden_create(g);
    }
    golden_w32(g, 0x0020, 0x1f);
    golden_forget(g);
    fake_clear_records(g->host);
}

void golden_free(Golden *g)
{
    smmu3_free(g->smmu);
    fake_host_free(g->host);
    g_free(g);
}

uint32_t golden_r32(Golden *g, uint64_t offset)
{
    return smmu3_mmio_read(g->smmu, offset, 4);
}

uint64_t golden_r64(Golden *g, uint64_t offset)
{
    return smmu3_mmio_read(g->smmu, offset, 8);
}

void golden_w32(Golden *g, uint64_t offset, uint32_t value)
{
    smmu3_mmio_write(g->smmu, offset, value, 4);
}

void golden_w64(Golden *g, uint64_t offset, uint64_t value)
{
    smmu3_mmio_write(g->smmu, offset, value, 8);
}

void golden_put(Golden *g, uint64_t pa, uint64_t word)
{
    fake_map(g->host, pa, 8);
    fake_write64(g->host, pa, word);
}

void golden_put4(Golden *g, uint64_t pa, uint64_t w0, uint64_t w1,
                 uint64_t w2, uint64_t w3)
{
    golden_put(g, pa, w0);
    golden_put(g, pa + 8, w1);
    golden_put(g, pa + 16, w2);
    golden_put(g, pa + 24, w3);
}

void golden_ste(Golden *g, uint32_t sid, uint64_t w0, uint64_t w1,
                uint64_t w2, uint64_t w3)
{
    golden_put4(g, G_STRTAB + 64 * (uint64_t)sid, w0, w1, w2, w3);
}

void golden_command(Golden *g, uint64_t w0, uint64_t w1)
{
    uint64_t pa = G_CMDQ + 16 * (g->commands % 32);

    golden_put(g, pa, w0);
    golden_put(g, pa + 8, w1);
    g->commands++;
    golden_w32(g, 0x0098, g->commands % 64);        /* CMDQ_PROD */
    smmu3_service(g->smmu);
}

void golden_accept(Golden *g, uint64_t w0, uint64_t w1)
{
    golden_command(g, w0, w1);
    /* ERR, above, may be that of an error long acknowledged */
    g_assert_cmphex(golden_r32(g, 0x009c) & 0xfffff, ==, g->commands % 64);
    g_assert_cmphex(golden_r32(g, 0x0060), ==, golden_r32(g, 0x0064));
}

void golden_forget(Golden *g)
{
    golden_accept(g, 0x04, 0x1f);           /* CFGI_ALL */
    if (g->features.hyp) {
        golden_accept(g, 0x20, 0);          /* TLBI_EL2_ALL */
    }
    golden_accept(g, 0x30, 0);              /* TLBI_NSNH_ALL */
    golden_accept(g, 0x46, 0);              /* SYNC */
}

/* Take the oldest record, or fail. */
static void take_event(Golden *g, uint64_t words[4])
{
    uint64_t pa = G_EVENTQ + 32 * (g->events % 32);

    g->events++;
    g_assert_cmphex(golden_r32(g, 0x100a8), ==, g->events % 64);
    for (unsigned i = 0; i < 4; i++) {
        words[i] = fake_read64(g->host, pa + 8 * i);
    }
    golden_w32(g, 0x100ac, g->events % 64);
}

void golden_event(Golden *g, uint64_t w0, uint64_t w1, uint64_t w2,
                  uint64_t w3)
{
    uint64_t words[4];

    take_event(g, words);
    g_assert_cmphex(words[0], ==, w0);
    g_assert_cmphex(words[1], ==, w1);
    g_assert_cmphex(words[2], ==, w2);
    g_assert_cmphex(words[3], ==, w3);
}

void golden_event_type(Golden *g, unsigned type)
{
    uint64_t words[4];

    take_event(g, words);
    g_assert_cmphex(words[0] & 0xff, ==, type);
}

void golden_no_event(Golden *g)
{
    g_assert_cmphex(golden_r32(g, 0x100a8), ==, g->events % 64);
}

Smmu3Transaction golden_read(uint32_t sid, uint64_t addr)
{
    return (Smmu3Transaction) {
        .type = SMMU3_UNTRANSLATED, .sid = sid, .addr = addr,
        .access = SMMU3_READ,
    };
}

Smmu3Transaction golden_write(uint32_t sid, uint64_t addr)
{
    Smmu3Transaction t = golden_read(sid, addr);

    t.access = SMMU3_WRITE;
    return t;
}

Smmu3Transaction golden_ssid(Smmu3Transaction t, uint32_t ssid)
{
    t.ssv = true;
    t.ssid = ssid;
    return t;
}

void golden_passes(Golden *g, Smmu3Transaction t, uint64_t pa)
{
    Smmu3Translation result;

    g_assert_cmpint(smmu3_translate(g->smmu, &t, &result), ==, SMMU3_OK);
    g_assert_cmphex(result.pa, ==, pa);
    golden_no_event(g);
}

void golden_aborts(Golden *g, Smmu3Transaction t)
{
    Smmu3Translation result;

    g_assert_cmpint(smmu3_translate(g->smmu, &t, &result), ==, SMMU3_ABORT);
}
