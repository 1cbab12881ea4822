# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest tests in which the SMMU does wrong on request (inject=). Read by scenarios."""

from scenario import ACCELERATOR, Scenario, drops_found, without_ats

AUDIT = ['-global', 'smmuv3-sva.audit=on', '-global', 'smmuv3-sva.audit-grace-ms=200']


def inject(plans):
    return ['-global', f'smmuv3-sva.inject={plans}']


INJECT_SCENARIOS = [
    Scenario(
        'audit', 'a quarter of the invalidations is dropped, and the auditor notices',
        ['forget'], devices=without_ats(ACCELERATOR), forgets=True, check=drops_found,
        # Of the three seconds it is at work for a part only.
        arguments=AUDIT + inject('drop:tlbi:1/4:1')),
]
