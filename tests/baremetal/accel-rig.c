/*
 * See accel-rig.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "accel-rig.h"

Pager pager;
Stream stream;
Space spaces[QUEUES + 1];
AccelQueue queues[QUEUES];

void set_up(SmmuSetup setup, bool stall)
{
    pager = (Pager) { .first = DST, .last = BEYOND - 1 };
    setup.listener = pager_listener(&pager);
    accel_start();
    smmu_start(&setup);
    stream_start(&stream, accel_devfn());
    for (unsigned pasid = 0; pasid <= QUEUES; pasid++) {
        space_init(&spaces[pasid], pasid + 1);
        pager.spaces[pasid] = &spaces[pasid];
        stream_attach(&stream, pasid, &spaces[pasid], stall);
    }
    for (unsigned n = 0; n < QUEUES; n++) {
        accel_queue_start(&queues[n], n, n + 1, &spaces[n + 1], &spaces[0]);
    }
}

/* As an operating system would: the SMMU's own answers are such as the
   function wants them, then ATS, then page requests. */
void set_up_pri(SmmuSetup setup, uint32_t allocation)
{
    set_up(setup, false);
    smmu3_set(stream.ste, STE_PPAR, !!(accel_pri_status() & ACCEL_PRI_PASID));
    stream_update(&stream);
    accel_ats(true);
    accel_pri_allocate(allocation);
    accel_pri(ACCEL_PRI_ENABLE);
}

uint64_t source_word(unsigned pasid, unsigned index)
{
    return (uint64_t)pasid << 56 | (index + 1) * UINT64_C(0x9e3779b97f4a7c);
}

/* What is to be copied, in the address space of @pasid. */
void make_source(unsigned pasid)
{
    for (unsigned page = 0; page < PAGES; page++) {
        uint64_t *words = arena_page();

        for (unsigned i = 0; i < PAGE_BYTES / 8; i++) {
            words[i] = source_word(pasid, page * PAGE_BYTES / 8 + i);
        }
        space_map(&spaces[pasid], SRC + page * PAGE_BYTES, pa_of(words), 0);
    }
}

void expect_copied(unsigned pasid, unsigned pages)
{
    for (unsigned page = 0; page < pages; page++) {
        uint64_t pa = space_pa(&spaces[pasid], DST + page * PAGE_BYTES);
        const uint64_t *words = at_pa(pa);

        CHECK(pa);
        for (unsigned i = 0; i < PAGE_BYTES / 8; i++) {
            CHECK_EQ(words[i], source_word(pasid, page * PAGE_BYTES / 8 + i));
        }
    }
}

const PasidDevDescriptor copy_all = {
    .op = PASID_DEV_OP_COPY, .src = SRC, .dst = DST, .len = PAGES * PAGE_BYTES,
};

PasidDevCompletion do_job(unsigned queue, const PasidDevDescriptor *job)
{
    return accel_wait(&queues[queue], accel_submit(&queues[queue], job));
}

bool all_stalled(void)
{
    for (unsigned n = 0; n < QUEUES; n++) {
        if (!(accel_queue_read32(&queues[n], PASID_DEV_Q_STATUS) &
              PASID_DEV_Q_STATUS_STALLED)) {
            return false;
        }
    }
    return true;
}

void expect_all_copied(const unsigned slots[QUEUES])
{
    for (unsigned n = 0; n < QUEUES; n++) {
        PasidDevCompletion record = accel_wait(&queues[n], slots[n]);

        CHECK_EQ(record.status, PASID_DEV_DONE_OK);
        expect_copied(n + 1, PAGES);
        WAIT_FOR(queues[n].interrupts == 1);
    }
    CHECK_EQ(pager.mapped, QUEUES * PAGES);
}
