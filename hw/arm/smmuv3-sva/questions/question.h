/*
 * Questions to the SMMU: devices without a bus that somebody plugs, reads the
 * answer of and unplugs, so that nobody's question is in another's way. Not
 * what they ask, which each kind has in its own file. The kinds include this.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ARM_SMMUV3_SVA_QUESTION_H
#define HW_ARM_SMMUV3_SVA_QUESTION_H

#include "qobject/qobject.h"
#include "../smmuv3-sva.h"

#define TYPE_SMMUV3_SVA_QUESTION "smmuv3-sva-question"
OBJECT_DECLARE_TYPE(Smmuv3SvaQuestion, Smmuv3SvaQuestionClass,
                    SMMUV3_SVA_QUESTION)

/* A question without a SubstreamID. */
#define SMMUV3_SVA_NO_SSID UINT32_MAX

struct Smmuv3SvaQuestion {
    DeviceState parent_obj;

    char *sid_text;             /* properties */
    uint32_t ssid;
    uint32_t sid;               /* from realize on */
};

struct Smmuv3SvaQuestionClass {
    DeviceClass parent_class;

    /*
     * Look at the kind's own properties; may be NULL. False: @errp is set, all
     * in its text, as those who ask are monitors, which leave hints out.
     */
    bool (*check)(Smmuv3SvaQuestion *q, Error **errp);
    /*
     * The answer as of now, for the caller to unref; NULL: @errp is set. Under
     * the big lock, and as often as it is asked.
     */
    QObject *(*answer)(Smmuv3SvaQuestion *q, Smmuv3SvaState *s, Error **errp);
};

/* An access of @q's stream and context, which nothing has been said of yet. */
Smmu3Transaction smmuv3_sva_question_access(const Smmuv3SvaQuestion *q);

/* For the machine: who plugs and unplugs @dev, or NULL if it is none of ours. */
HotplugHandler *smmuv3_sva_question_handler(Smmuv3SvaState *s,
                                            DeviceState *dev);

#endif
