# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest tests in which the SMMU does wrong on request (inject=): where Linux has a
defence, and what it says; and where it has none. That which the auditor has to find
is here, too. Read by scenarios.
"""

from scenario import ACCELERATOR, ACCELERATORS, Scenario, drops_found, injected, without_ats


def inject(plans):
    return ['-global', f'smmuv3-sva.inject={plans}']


def lost(name, what, how, plan, **others):
    """Jobs of a process, some of which end in another way."""
    return Scenario(name, what, [(f'lost:{how}', ['lost'])], devices=without_ats(ACCELERATOR),
                    check=injected, arguments=inject(plan), timeout=90, **others)


INJECT_SCENARIOS = [
    Scenario(
        'audit', 'a quarter of the invalidations is dropped, and the auditor notices',
        ['forget'], devices=without_ats(ACCELERATOR), forgets=True, check=drops_found,
        # Of the three seconds it is at work for a part only.
        arguments=['-global', 'smmuv3-sva.audit=on', '-global', 'smmuv3-sva.audit-grace-ms=200'] +
                  inject('drop:tlbi:1/4:1')),
    Scenario(
        'inject-wider', 'invalidations that remove more than they say do no harm',
        ['quick', 'remap', 'refused'], devices=ACCELERATORS, check=injected,
        arguments=inject('widen:tlbi:/1,widen:cfgi:/1,widen:atc_inv:/1')),
    lost('inject-resume', 'jobs hang whose CMD_RESUME is lost, and are given up and made again',
         'stuck', 'drop:resume:/40', injects=True),
    lost('inject-event', 'the same of stalls whose event is lost',
         'stuck', 'drop:event:/40', injects=True),
    lost('inject-deaf', 'Linux hears of no event any more once an interrupt is lost',
         'deaf', 'drop:evtq:40', injects=True),
    Scenario(
        'inject-sync', 'Linux waits a second for a lost completion, says so, and goes on',
        ['quick', 'remap'], devices=without_ats(ACCELERATOR), check=injected,
        arguments=inject('drop:sync:/150'), timeout=90,
        allowed=[r'CMD_SYNC timeout at 0x'], expected=[r'CMD_SYNC timeout at 0x']),
    Scenario(
        'inject-spurious', 'Linux says of an event that nobody caused what it says, and goes on',
        ['quick'], devices=without_ats(ACCELERATOR), check=injected,
        arguments=inject('spurious:event:/20:C_BAD_STREAMID:0x77'),
        allowed=[r'event(:| 0x)'], expected=[r'event: C_BAD_STREAMID .*sid: 0x77']),
    # F_WALK_EABT, for which Linux has no name.
    lost('inject-walk', 'a job is refused whose tables cannot be read, and done the next time',
         'refused', 'abort:walk:/60',
         allowed=[r'event(:| 0x)'], expected=[r'event 0x0b received']),
]
