/*
 * See grace.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "grace.h"
#include <glib.h>

uint64_t smmu3_grace_now(const Smmu3Grace *g)
{
    return g->ops->now ? g->ops->now(g->host) : 0;
}

void smmu3_grace_note_writer(Smmu3Grace *g)
{
    Smmu3Writer writer = { .known = false };

    if (g->ops->writer) {
        g->ops->writer(g->host, &writer);
    }
    writer.ns = smmu3_grace_now(g);
    g->writers[++g->writer_count % SMMU3_WRITERS] = writer;
}

/*
 * On a busy host the guest's clock goes on while a processor stands between its
 * store to a descriptor and its TLBI: that is no time that it took.
 */
static uint64_t worked(const Smmu3Grace *g, uint64_t ns)
{
    return g->ops->worked ? g->ops->worked(g->host) : ns;
}

Smmu3Moment smmu3_grace_moment(const Smmu3Grace *g, uint64_t ns)
{
    return (Smmu3Moment) {
        .ns = ns, .worked = worked(g, ns), .syncs = g->syncs,
    };
}

bool smmu3_went_by(const Smmu3Grace *g, const Smmu3Moment *since,
                   uint64_t syncs, uint64_t grace_ns, uint64_t ns)
{
    return g->syncs - since->syncs >= syncs && ns - since->ns >= grace_ns &&
           worked(g, ns) - since->worked >= grace_ns;
}

void smmu3_suspect(const Smmu3Grace *g, Smmu3Suspicion *s, uint64_t ns)
{
    *s = (Smmu3Suspicion) {
        .since = smmu3_grace_moment(g, ns), .last_syncs = g->syncs,
        .writer = g->writer_count,
        .before = g->writers[g->writer_count % SMMU3_WRITERS],
    };
}

/* The first CMDQ_PROD after that, or the first that is still remembered. */
static void note_writer_after(const Smmu3Grace *g, Smmu3Suspicion *s)
{
    uint64_t oldest = g->writer_count - MIN(g->writer_count,
                                            SMMU3_WRITERS - 1);

    if (!s->after.ns && !s->after.known && g->writer_count > s->writer) {
        s->after = g->writers[MAX(s->writer + 1, oldest) % SMMU3_WRITERS];
    }
}

void smmu3_suspect_again(const Smmu3Grace *g, Smmu3Suspicion *s)
{
    if (s->last_syncs != g->syncs) {
        s->last_syncs = g->syncs;
        s->sightings++;
        note_writer_after(g, s);
    }
}

bool smmu3_lasted(const Smmu3Grace *g, const Smmu3Suspicion *s, uint64_t ns)
{
    return smmu3_went_by(g, &s->since, 0, g->options.grace_ns, ns);
}

bool smmu3_outlasted(const Smmu3Grace *g, const Smmu3Suspicion *s,
                     uint64_t ns)
{
    return s->sightings >= MIN(g->options.syncs, SMMU3_SIGHTINGS) &&
           smmu3_went_by(g, &s->since, g->options.syncs, g->options.grace_ns,
                         ns);
}

void smmu3_report_suspicion(const Smmu3Grace *g, const Smmu3Suspicion *s,
                            uint64_t ns, Smmu3AuditReport *report)
{
    report->seen_ns = s->since.ns;
    report->reported_ns = ns;
    report->seen_syncs = s->since.syncs;
    report->reported_syncs = g->syncs;
    report->uses = s->uses;
    report->before = s->before;
    report->after = s->after;
    report->count = 1;
}
