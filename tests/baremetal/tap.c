/*
 * See tap.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "arena.h"
#include "tap.h"

#define PATIENCE_SECONDS 100
#define MAX_WORDS 128

/* What a C function must preserve, to give up a case in the middle: start.S */
typedef struct Place {
    uint64_t registers[13];
} Place;

bool place_save(Place *place) __attribute__((returns_twice));
void place_return(const Place *place) __attribute__((noreturn));

static Place case_start;
static bool case_failed;

void tap_fail(const char *file, int line, const char *what, uint64_t left,
              uint64_t right)
{
    print("# %s:%d: %s: 0x%lx, 0x%lx\n", file, line, what, left, right);
    case_failed = true;
    place_return(&case_start);
}

bool tap_out_of_patience(uint64_t since)
{
    uint64_t ticks = sysreg_read("cntvct_el0") - since;

    return ticks > PATIENCE_SECONDS * sysreg_read("cntfrq_el0");
}

static bool is_chosen(const char *path, const char *const *words,
                      unsigned count)
{
    bool any = false, named = false, left_out = false;

    for (unsigned i = 0; i + 1 < count; i++) {
        bool same = same_text(words[i + 1], path);

        any |= same_text(words[i], "-p");
        named |= same_text(words[i], "-p") && same;
        left_out |= same_text(words[i], "-s") && same;
    }
    return (named || !any) && !left_out;
}

static bool is_listing(const char *const *words, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (same_text(words[i], "-l")) {
            return true;
        }
    }
    return false;
}

int tap_run(const TestCase *cases, unsigned count)
{
    static const char *words[MAX_WORDS];
    static unsigned chosen, number, failed;
    unsigned word_count = guest_arguments(words, MAX_WORDS);
    uint64_t mark = arena_mark();

    if (is_listing(words, word_count)) {
        for (unsigned i = 0; i < count; i++) {
            print("%s\n", cases[i].path);
        }
        return 0;
    }
    for (unsigned i = 0; i < count; i++) {
        chosen += is_chosen(cases[i].path, words, word_count);
    }
    print("1..%u\n", chosen);
    for (unsigned i = 0; i < count; i++) {
        if (!is_chosen(cases[i].path, words, word_count)) {
            continue;
        }
        case_failed = false;
        arena_release(mark);
        if (!place_save(&case_start)) {
            cases[i].run();
        }
        irq_mask();
        failed += case_failed;
        print("%s %u %s\n", case_failed ? "not ok" : "ok", ++number,
              cases[i].path);
    }
    return failed ? 1 : 0;
}
