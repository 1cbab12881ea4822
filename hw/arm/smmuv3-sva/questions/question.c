/*
 * What all questions share: whom they ask about, and that the answer is a
 * property. Not the answers. Created by whoever asks, with device_add.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/cutils.h"
#include "qemu/module.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "question.h"

/* ---- Whom it is about -------------------------------------------------- */

/* "0x8" or, as lspci has it, "0:1.0". */
static bool parse_sid(const char *text, uint32_t *sid)
{
    unsigned bus, slot, function;
    uint64_t number;
    char end;

    if (strchr(text, ':')) {
        if (sscanf(text, "%x:%x.%x%c", &bus, &slot, &function, &end) != 3 ||
            bus > 255 || slot > 31 || function > 7) {
            return false;
        }
        *sid = PCI_BUILD_BDF(bus, PCI_DEVFN(slot, function));
        return true;
    }
    if (qemu_strtou64(text, NULL, 0, &number) || number > UINT32_MAX) {
        return false;
    }
    *sid = number;
    return true;
}

static bool check_subject(Smmuv3SvaQuestion *q, Error **errp)
{
    const char *type = object_get_typename(OBJECT(q));

    if (!q->sid_text || !parse_sid(q->sid_text, &q->sid)) {
        error_setg(errp, "%s: sid=%s is no StreamID: give it as a number "
                   "(sid=0x20), or as the PCI address BUS:SLOT.FUNCTION "
                   "(sid=0:4.0)", type, q->sid_text ?: "");
        return false;
    }
    if (q->ssid != SMMUV3_SVA_NO_SSID && q->ssid > 0xfffff) {
        error_setg(errp, "%s: ssid=%u is no SubstreamID: PASIDs have 20 bits; "
                   "leave it out for an access without one", type, q->ssid);
        return false;
    }
    return true;
}

Smmu3Transaction smmuv3_sva_question_access(const Smmuv3SvaQuestion *q)
{
    bool ssv = q->ssid != SMMUV3_SVA_NO_SSID;

    return (Smmu3Transaction) {
        .sid = q->sid, .ssv = ssv, .ssid = ssv ? q->ssid : 0,
        .access = SMMU3_READ, .may_stall = true,
    };
}

/* ---- The answer -------------------------------------------------------- */

static Smmuv3SvaState *find_smmu(void)
{
    Object *smmu = object_resolve_path_type("", TYPE_SMMUV3_SVA, NULL);

    return smmu ? SMMUV3_SVA(smmu) : NULL;
}

static void get_answer(Object *obj, Visitor *v, const char *name,
                       void *opaque, Error **errp)
{
    Smmuv3SvaQuestion *q = SMMUV3_SVA_QUESTION(obj);
    Smmuv3SvaState *s = find_smmu();
    QObject *answer;

    if (!DEVICE(q)->realized || !s || !s->core) {
        error_setg(errp, "%s: not asked yet", object_get_typename(obj));
        return;
    }
    answer = SMMUV3_SVA_QUESTION_GET_CLASS(q)->answer(q, s, errp);
    if (answer) {
        visit_type_any(v, name, &answer, errp);
        qobject_unref(answer);
    }
}

/* ---- Plugged and unplugged ---------------------------------------------- */

static void question_realize(DeviceState *dev, Error **errp)
{
    Smmuv3SvaQuestion *q = SMMUV3_SVA_QUESTION(dev);
    Smmuv3SvaQuestionClass *qc = SMMUV3_SVA_QUESTION_GET_CLASS(q);

    if (!find_smmu()) {
        error_setg(errp, "%s: this machine has no smmuv3-sva to ask; the "
                   "machine virt-sva has one",
                   object_get_typename(OBJECT(dev)));
        return;
    }
    if (check_subject(q, errp) && qc->check) {
        qc->check(q, errp);
    }
}

HotplugHandler *smmuv3_sva_question_handler(Smmuv3SvaState *s,
                                            DeviceState *dev)
{
    return s && object_dynamic_cast(OBJECT(dev), TYPE_SMMUV3_SVA_QUESTION) ?
           HOTPLUG_HANDLER(s) : NULL;
}

/* ---- Type -------------------------------------------------------------- */

static const Property question_properties[] = {
    DEFINE_PROP_STRING("sid", Smmuv3SvaQuestion, sid_text),
    DEFINE_PROP_UINT32("ssid", Smmuv3SvaQuestion, ssid, SMMUV3_SVA_NO_SSID),
};

static void question_class_init(ObjectClass *oc, SvaClassData *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);

    dc->realize = question_realize;
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    device_class_set_props(dc, question_properties);
    object_class_property_set_description(oc, "sid",
        "The StreamID: a number, or the PCI address BUS:SLOT.FUNCTION");
    object_class_property_set_description(oc, "ssid",
        "The SubstreamID, which is the PASID; without it, none");
    object_class_property_add(oc, "answer", "Smmuv3SvaAnswer", get_answer,
                              NULL, NULL, NULL);
    object_class_property_set_description(oc, "answer",
        "The answer, as of when it is read, for qom-get");
}

static const TypeInfo question_types[] = {
    {
        .name = TYPE_SMMUV3_SVA_QUESTION,
        .parent = TYPE_DEVICE,
        .abstract = true,
        .instance_size = sizeof(Smmuv3SvaQuestion),
        .class_size = sizeof(Smmuv3SvaQuestionClass),
        .class_init = question_class_init,
    },
};

DEFINE_TYPES(question_types)
