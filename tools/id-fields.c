/*
 * Prints the ID fields and the profiles as reStructuredText, from the core's
 * own table. Compiled and run by tools/docs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdio.h>
#include <glib.h>
#include "core/spec/id.h"

static const char *reg_name(unsigned reg)
{
    static const char *const names[] = {
        "IDR0", "IDR1", "IDR2", "IDR3", "IDR4", "IDR5", "IIDR", "AIDR",
    };
    unsigned index = (reg - SMMU3_IDR0) / 4;

    return index < G_N_ELEMENTS(names) ? names[index] : "?";
}

/* Properties have dashes where the core's names have underscores. */
static char *property_name(const Smmu3IdField *field)
{
    return g_strdelimit(g_strdup(field->name), "_", '-');
}

/* "0, 2, 3" or "0 to 19". */
static void print_allowed(const Smmu3IdField *field)
{
    bool all = true, first = true;

    for (unsigned v = 0; field->allowed && v <= field->max; v++) {
        all = all && (field->allowed >> v & 1);
    }
    if (all && field->max > 1) {
        printf("0 to %u", field->max);
        return;
    }
    for (unsigned v = 0; v <= field->max; v++) {
        if (!field->allowed || (field->allowed >> v & 1)) {
            printf("%s%u", first ? "" : ", ", v);
            first = false;
        }
    }
}

static void print_fields(void)
{
    printf(".. list-table:: ID fields\n   :header-rows: 1\n"
           "   :widths: 16 16 10 12 46\n\n"
           "   * - Property\n     - Register\n     - Default\n"
           "     - Values\n     - Meaning\n");
    for (size_t i = 0; i < smmu3_id_field_count; i++) {
        const Smmu3IdField *field = &smmu3_id_fields[i];
        g_autofree char *name = property_name(field);

        printf("   * - ``%s``\n     - %s", name, reg_name(field->reg));
        if (field->width == 1) {
            printf("[%u]\n", field->lsb);
        } else {
            printf("[%u:%u]\n", field->lsb + field->width - 1, field->lsb);
        }
        printf("     - %u\n     - ", field->initial);
        print_allowed(field);
        printf("\n     - %s\n", field->description);
    }
    printf("\n");
}

/* What a profile sets otherwise than the default one does. */
static void print_profiles(void)
{
    Smmu3Features initial;

    smmu3_features_init(&initial);
    printf(".. list-table:: Profiles\n   :header-rows: 1\n"
           "   :widths: 15 35 50\n\n"
           "   * - Profile\n     - What it is\n"
           "     - Where it differs from the default\n");
    for (size_t p = 0; p < smmu3_profile_count; p++) {
        const Smmu3Profile *profile = &smmu3_profiles[p];
        Smmu3Features f;
        bool any = false;

        smmu3_features_init(&f);
        profile->apply(&f);
        printf("   * - ``%s``\n     - %s\n     - ", profile->name,
               profile->description);
        for (size_t i = 0; i < smmu3_id_field_count; i++) {
            const Smmu3IdField *field = &smmu3_id_fields[i];
            uint16_t value = *smmu3_feature(&f, field);

            if (value != *smmu3_feature(&initial, field)) {
                g_autofree char *name = property_name(field);

                printf("%s%s=%u", any ? " " : "", name, value);
                any = true;
            }
        }
        printf("%s\n", any ? "" : "nowhere");
    }
    printf("\n");
}

int main(int argc, char **argv)
{
    if (argc == 2 && !g_strcmp0(argv[1], "profiles")) {
        print_profiles();
    } else {
        print_fields();
    }
    return 0;
}
