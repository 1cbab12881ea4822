# SPDX-License-Identifier: GPL-2.0-or-later
"""Lets tools/run-tests run Python's unittest as it runs GLib's tests.

Understands -l, -p PATH, -s PATH, --tap and -k, and reports in TAP. Not a test
framework of its own. Called by the test programs in Python.
"""

import argparse
import sys
import unittest


def cases_of(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from cases_of(test)
        else:
            yield test


def path_of(prefix, test):
    """/PREFIX/CLASS/METHOD, less "Test" and "test_", in small letters with hyphens."""
    words = [type(test).__name__.removeprefix('Test').lower(),
             test.id().rsplit('.', 1)[-1].removeprefix('test_').replace('_', '-')]
    return '/'.join(['', prefix] + words)


def main(prefix):
    """Runs the TestCases of the program itself."""
    parser = argparse.ArgumentParser()
    parser.add_argument('-l', action='store_true', help='list the paths of the cases')
    parser.add_argument('-p', action='append', default=[], help='only this case')
    parser.add_argument('-s', action='append', default=[], help='all but this case')
    parser.add_argument('--tap', action='store_true', help='the only format')
    parser.add_argument('-k', action='store_true', help='keep going, as always')
    args = parser.parse_args()

    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules['__main__'])
    tests = [(path_of(prefix, test), test) for test in cases_of(suite)]
    tests = [(path, test) for path, test in tests
             if (not args.p or path in args.p) and path not in args.s]
    if args.l:
        for path, _ in tests:
            print(path)
        return 0
    failed = 0
    print(f'1..{len(tests)}')
    for number, (path, test) in enumerate(tests, 1):
        result = unittest.TestResult()
        test.run(result)
        bad = result.failures + result.errors
        failed += bool(bad)
        skip = f' # SKIP {result.skipped[0][1]}' if result.skipped else ''
        print(f"{'not ok' if bad else 'ok'} {number} {path}{skip}")
        for _, text in bad:
            print('\n'.join('# ' + line for line in text.splitlines()))
    return 1 if failed else 0
