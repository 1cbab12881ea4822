/*
 * The SMMU's properties: the ID fields, named profiles of them, sizes of
 * caches. Not what a field's values mean, nor which are implemented (core/spec/id.c).
 * Used by smmuv3-sva.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "smmuv3-sva.h"

/* ---- ID fields -------------------------------------------------------- */

static unsigned field_index(const Smmu3IdField *field)
{
    return field - smmu3_id_fields;
}

/* Properties have dashes where the field's name has underscores. */
static char *property_name(const Smmu3IdField *field)
{
    return g_strdelimit(g_strdup(field->name), "_", '-');
}

bool smmuv3_sva_oas_given(Smmuv3SvaState *s)
{
    for (unsigned i = 0; i < smmu3_id_field_count; i++) {
        if (smmu3_id_fields[i].member == offsetof(Smmu3Features, oas)) {
            return s->given_mask >> i & 1;
        }
    }
    return false;
}

static const Smmu3Profile *find_profile(const char *name)
{
    for (size_t i = 0; i < smmu3_profile_count; i++) {
        if (!strcmp(smmu3_profiles[i].name, name)) {
            return &smmu3_profiles[i];
        }
    }
    return NULL;
}

bool smmuv3_sva_wanted_features(Smmuv3SvaState *s, Smmu3Features *f,
                                Error **errp)
{
    smmu3_features_init(f);
    if (s->profile) {
        const Smmu3Profile *profile = find_profile(s->profile);

        if (!profile) {
            error_setg(errp, "smmuv3-sva: there is no profile '%s'",
                       s->profile);
            for (size_t i = 0; i < smmu3_profile_count; i++) {
                error_append_hint(errp, "%s %s: %s\n",
                                  i ? "           " : "Profiles are:",
                                  smmu3_profiles[i].name,
                                  smmu3_profiles[i].description);
            }
            return false;
        }
        profile->apply(f);
    }
    for (unsigned i = 0; i < smmu3_id_field_count; i++) {
        if (s->given_mask >> i & 1) {
            *smmu3_feature(f, &smmu3_id_fields[i]) =
                *smmu3_feature(&s->given, &smmu3_id_fields[i]);
        }
    }
    smmu3_features_settle(f, s->given_mask);
    return true;
}

static void id_field_get(Object *obj, Visitor *v, const char *name,
                         void *opaque, Error **errp)
{
    Smmuv3SvaState *s = SMMUV3_SVA(obj);
    const Smmu3IdField *field = opaque;
    Smmu3Features f;
    uint16_t value;

    if (s->core) {
        f = *smmu3_features(s->core);
    } else if (!smmuv3_sva_wanted_features(s, &f, errp)) {
        return;
    }
    value = *smmu3_feature(&f, field);
    visit_type_uint16(v, name, &value, errp);
}

static void id_field_set(Object *obj, Visitor *v, const char *name,
                         void *opaque, Error **errp)
{
    Smmuv3SvaState *s = SMMUV3_SVA(obj);
    const Smmu3IdField *field = opaque;
    uint16_t value;

    if (s->core) {
        error_setg(errp, "smmuv3-sva: '%s' cannot change any more", name);
        return;
    }
    if (!visit_type_uint16(v, name, &value, errp)) {
        return;
    }
    *smmu3_feature(&s->given, field) = value;
    s->given_mask |= UINT64_C(1) << field_index(field);
}

static char *get_profile(Object *obj, Error **errp)
{
    return g_strdup(SMMUV3_SVA(obj)->profile ?: "");
}

static void set_profile(Object *obj, const char *value, Error **errp)
{
    Smmuv3SvaState *s = SMMUV3_SVA(obj);

    if (s->core) {
        error_setg(errp, "smmuv3-sva: 'profile' cannot change any more");
        return;
    }
    g_free(s->profile);
    s->profile = *value ? g_strdup(value) : NULL;
}

static void add_id_properties(ObjectClass *oc)
{
    /* given_mask has a bit for each */
    g_assert(smmu3_id_field_count <= 64);
    for (size_t i = 0; i < smmu3_id_field_count; i++) {
        const Smmu3IdField *field = &smmu3_id_fields[i];
        g_autofree char *text =
            g_strdup_printf("%s (default profile: %u)", field->description,
                            field->initial);
        g_autofree char *name = property_name(field);

        object_class_property_add(oc, name, "uint16", id_field_get,
                                  id_field_set, NULL, (void *)field);
        object_class_property_set_description(oc, name, text);
    }
}

/* ---- All of them ------------------------------------------------------ */

static const Property smmuv3_sva_properties[] = {
    DEFINE_PROP_LINK("primary-bus", Smmuv3SvaState, primary_bus,
                     TYPE_PCI_BUS, PCIBus *),
    DEFINE_PROP_UINT32("tlb-entries", Smmuv3SvaState, tlb_entries, 0),
    DEFINE_PROP_UINT32("config-entries", Smmuv3SvaState, config_entries, 0),
    DEFINE_PROP_UINT32("atc-timeout-ms", Smmuv3SvaState, atc_timeout_ms, 0),
    DEFINE_PROP_UINT32("mapped-timeout-ms", Smmuv3SvaState, mapped_timeout_ms,
                       500),
    DEFINE_PROP_UINT32("audit-syncs", Smmuv3SvaState, audit_syncs,
                       SMMUV3_SVA_AUDIT_SYNCS),
    DEFINE_PROP_UINT32("audit-grace-ms", Smmuv3SvaState, audit_grace_ms,
                       SMMUV3_SVA_AUDIT_GRACE_MS),
};

void smmuv3_sva_add_properties(ObjectClass *oc)
{
    device_class_set_props(DEVICE_CLASS(oc), smmuv3_sva_properties);
    object_class_property_set_description(oc, "tlb-entries",
        "Places in the IOTLB (0: 65536)");
    object_class_property_set_description(oc, "config-entries",
        "Places in the cache of STEs and CDs (0: 4096)");
    object_class_property_set_description(oc, "atc-timeout-ms",
        "How long a CMD_SYNC waits for ATC invalidations (0: 1000)");
    object_class_property_set_description(oc, "mapped-timeout-ms",
        "How long a CMD_SYNC waits for a device that has mapped memory which "
        "was taken from it (default: 500; 0: not at all)");
    object_class_property_set_description(oc, "audit-syncs",
        "How many CMD_SYNCs a stale translation outlasts before it is a "
        "mistake (default: 8)");
    object_class_property_set_description(oc, "audit-grace-ms",
        "How long it does, in the guest's time (default: 1000)");

    add_id_properties(oc);
    object_class_property_add_str(oc, "profile", get_profile, set_profile);
    object_class_property_set_description(oc, "profile",
        "A named set of ID fields; fields given one by one override it");
}
