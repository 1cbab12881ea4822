/*
 * The worked example of docs/specs/pasid-dev.rst, as it is printed there. Tests
 * nothing besides; run in guests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#undef main
#define main example_main
#include "../../../docs/specs/pasid-dev-example.c"
#undef main
#include "libtest.h"

int main_example(int argc, char **argv);

int main_example(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    test_begin("example");
    CHECK(example_main() == 0, "it says that something is wrong");
    return test_end();
}
