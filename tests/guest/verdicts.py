# SPDX-License-Identifier: GPL-2.0-or-later
"""What a boot was worth: verdicts on programs, logs and counters.

Starts nothing and prints nothing. Called by run.
"""

import re

from boot import level_and_text
from scenario import BAD_LINES, VM_CASES

VERDICT = re.compile(r'^guest: verdict: (PASS|FAIL) (\S+) ?(.*)$')
# What QEMU logs as guest errors about anything of ours.
OURS = re.compile(r'smmu|pasid[-_]dev|sva|hisi', re.IGNORECASE)
ATC_TIMEOUT = re.compile(r'an ATC invalidation was not answered in time$')
AUDIT = re.compile(r': warning: smmuv3-sva: audit: ')
# What it may say on its standard error.
HARMLESS = re.compile(
    r': (info|warning): virt-sva: |hub 0 is not connected|'
    # intel-iommu's, once, of what is refused
    r': vtd_iommu_translate: detected translation failure |'
    # The address sanitizer's, about coroutines.
    r'WARNING: ASan |False positive error reports may|google/sanitizers/issues')
# ARM_SMMU_FEAT_SVA in the word that the driver prints.
FEATURE_SVA = 1 << 17
# The driver's line; 7.x says less than 6.x.
FEATURES = re.compile(r'arm-smmu-v3 .*oas \d+-bit \(features 0x([0-9a-f]+)\)')


def counter_complaints(scenario, counters, whole=True):
    """What no scenario's counters may say; and what these must, if it ran whole."""
    faults = ', '.join(f'{k} {v}' for k, v in
                       sorted(counters.get('faults', {}).items()) if v)
    if counters['command_errors'] != scenario.atc_timeouts:
        yield f"{counters['command_errors']} commands were in error"
    if counters['events_lost']:
        yield f"{counters['events_lost']} events were lost ({faults})"
    if counters['stalls_outstanding'] and not scenario.injects:
        yield f"{counters['stalls_outstanding']} stalls were left"
    # One that its endpoint cancelled is resumed all the same.
    ends = {name: counters[name] for name in (
        'resumes_retry', 'resumes_abort', 'stalls_terminated')}
    # One QEMU stalls, the next resumes, when the guest moves.
    if sum(ends.values()) != counters['stalls'] and not scenario.moves and not scenario.injects:
        yield f"{counters['stalls']} stalls, but {ends}"
    if scenario.check and whole:
        yield from scenario.check(counters)


def bad_lines(texts, allowed):
    """What a kernel's log has of BAD_LINES: a reason, or nothing."""
    found = []
    program = 'boot'
    for text in texts:
        if text.startswith('guest: begin: '):
            program = text.split()[2]
        if text.startswith('guest: '):
            continue
        if any(re.search(p, text) for p in allowed):
            continue
        if any(re.search(p, text) for p in BAD_LINES):
            found.append(f'during {program}: {text}')
    return '; '.join(found[:3]) + (f'; and {len(found) - 3} more' if len(found) > 3 else '')


def missing_lines(texts, expected):
    return [f'no line "{pattern}"' for pattern in expected
            if not any(re.search(pattern, text) for text in texts)]


class Verdicts:
    """What a boot was worth: an ordered list of (case, reason or '')."""

    def __init__(self, scenario, part, boot):
        self.cases = []
        self.scenario = scenario
        self.part = part
        levels = {'': []}
        for _, line in boot.lines:
            level, text = level_and_text(line)
            levels.setdefault(level, []).append(text)
        self._programs(levels, part.verdicts)
        for vm in scenario.vms:
            if f'{vm.name}/boot' in part.verdicts:
                self._vm(vm, levels.get(vm.name, []))
        self._boot(levels[''], boot)
        self.add('kernel-log', bad_lines(levels[''], scenario.allowed))
        self._qemu_log(boot)
        if scenario.counters:
            self._counters(boot)

    def _counters(self, boot):
        if boot.counters:
            # A page's size is no counter, but what is to be counted depends on it.
            counters = {**boot.counters, 'guest_page_bytes': boot.page_bytes}
            complaints = counter_complaints(self.scenario, counters, self.part.whole)
            self.add('smmu-counters', '; '.join(complaints))
        else:
            self.add('smmu-counters', 'they could not be read')

    def add(self, case, reason=''):
        self.cases.append((case, reason))

    def _programs(self, levels, wanted):
        given = {}
        for level, text in ((level, text) for level, texts in levels.items()
                            for text in texts):
            match = VERDICT.match(text)
            if match:
                passed, name, reason = match.groups()
                name = f'{level}/{name}' if level else name
                reason = '' if passed == 'PASS' else reason or 'failed'
                # Said twice (a program failed and then crashed): the worse.
                given[name] = given.get(name) or reason
        for name, reason in given.items():
            if name not in wanted:
                self.add(name, reason)
        judged_apart = {f'{vm.name}/{case}' for vm in self.scenario.vms for case in VM_CASES}
        for name in wanted:
            if name not in judged_apart:
                self.add(name, given.get(name, 'no verdict'))

    def _vm(self, vm, texts):
        """A guest of the guest: its end, its lines; its time is the guest's to tell."""
        reasons = []
        if not texts:
            reasons.append('it said nothing')
        elif ('guest: kill my VMM' if vm.dies else 'guest: end') not in texts:
            reasons.append('it ended before its programs')
        reasons += missing_lines(texts, vm.expected)
        self.add(f'{vm.name}/boot', '; '.join(reasons))
        self.add(f'{vm.name}/kernel-log', bad_lines(texts, vm.allowed))

    def _boot(self, texts, boot):
        reasons = []
        if boot.ended:
            reasons.append(boot.ended)
        elif 'guest: end' not in texts:
            reasons.append('the guest ended before its programs')
        if boot.kept and sum(level_and_text(line)[1] == 'guest: go back'
                             for _, line in boot.lines) != 2:
            reasons.append('it did not go back to the state that was kept')
        features = next((int(m[1], 16) for m in map(FEATURES.search, texts) if m), None)
        if features is None:
            if self.scenario.sva is not None:
                reasons.append('Linux found no SMMU')
        elif self.scenario.sva is not None:
            if bool(features & FEATURE_SVA) != self.scenario.sva:
                reasons.append(f'the SMMU driver has features {features:#x}, '
                               f'SVA was {"" if self.scenario.sva else "not "}expected')
        if self.part.whole:
            reasons += missing_lines(texts, self.scenario.expected)
        self.add('boot', '; '.join(reasons))

    def _qemu_log(self, boot):
        found = [line for line in boot.qemu_log() if OURS.search(line) and not
                 (self.scenario.atc_timeouts and ATC_TIMEOUT.search(line))]
        found += [line for line in boot.qemu_errors.splitlines() if line.strip()
                  and not HARMLESS.search(line)
                  and not (self.scenario.forgets and AUDIT.search(line))]
        self.add('qemu-log', '; '.join(found[:3]))


class AuditTally:
    """What the SMMU's auditor said of several boots."""

    def __init__(self):
        self.scenarios = self.reports = self.unexplained = 0
        self.drops = self.found = 0     # of those that mattered in the end

    def add(self, scenario, counters):
        """A scenario that is told to forget, or is known to, explains its reports."""
        if not counters or 'audit_reports' not in counters:
            return
        self.scenarios += 1
        self.reports += counters['audit_reports']
        self.unexplained += 0 if scenario.forgets else counters['audit_reports']
        drops = counters.get('inject_drops') or {}
        self.found += drops.get('found', 0)
        self.drops += drops.get('found', 0) + drops.get('missed', 0)

    def words(self):
        return (f'audit: {self.scenarios} scenarios, {self.reports} reports, '
                f'{self.unexplained} unexplained\n'
                f'inject: {self.found} of {self.drops} drops found')


def judge_the_judge(scenario, verdicts):
    """A test of the runner: the faults found are those that are there."""
    found = [f'{case}: {reason}' for case, reason in verdicts.cases if reason]
    missing = [pattern for pattern in scenario.must_fail
               if not any(re.search(pattern, text) for text in found)]
    surplus = [text for text in found
               if not any(re.search(p, text) for p in scenario.must_fail)]
    # An end by force leaves no counters behind that mean anything.
    reasons = [f'not noticed: {p}' for p in missing]
    reasons += [f'noticed, but not there: {text}' for text in surplus]
    return [('noticed', '; '.join(reasons))]
